// SPDX-License-Identifier: BSD-2-Clause
// ins, receive, incapsule, senddata, respond: answering the commands of a host by hand.
#include <fmt/format.h>

#include "../pieces.hpp"
#include "../verbs.hpp"
#include "render/status.hpp"
#include "wire/encode.hpp"
#include "wire/layouts/entries.hpp"
#include "wire/layouts/fabrics.hpp"
#include "wire/layouts/forms.hpp"

namespace nvmf::cli::repl {
namespace {

struct addressed {
  std::shared_ptr<incoming_object> in;
  std::shared_ptr<queue_object> q;
  word name;
};

// A command that still waits, and its queue.
std::expected<addressed, complaint> take_waiting(workbench& bench, arguments& args) {
  const auto name = args.take("a received command, such as in1");
  if (!name) return std::unexpected(name.error());
  const auto in = bench.incoming.get(*name);
  if (!in) return std::unexpected(in.error());
  const auto q = (*in)->of.lock();
  if (!(*in)->handle || !q)
    return wrong(fmt::format("{} waits no more: {}", name->text,
                             (*in)->end.empty() ? "its queue is closed" : (*in)->end),
                 name->column);
  return addressed{*in, q, *name};
}

// The transport must not be asked for data of a command that it finds wrong.
done check_usable(const addressed& a, std::string_view does) {
  const auto set = set_of(a.in->command.opcode);
  if (!a.in->verdict.ok())
    return wrong(fmt::format("{} cannot {} data: {}; answer with that status", a.in->name, does,
                             to_text(a.in->verdict, set)),
                 a.name.column);
  if (a.in->length == 0)
    return wrong(fmt::format("{} has no data: its SGL says 0 bytes", a.in->name), a.name.column);
  return {};
}

// The words but for the last, when that is a number: pieces, and where in the data they belong.
struct placement {
  std::shared_ptr<memory_object> memory;
  std::uint32_t offset = 0;
};
std::expected<placement, complaint> take_placement(workbench& bench, const addressed& a,
                                                   arguments& args, std::size_t otherwise) {
  const std::size_t column = args.column();
  std::vector<word> words = args.take_all();
  placement p;
  p.offset = static_cast<std::uint32_t>(otherwise);
  word at = a.name;
  if (words.size() > 1 && words.back().text.front() >= '0' && words.back().text.front() <= '9') {
    at = words.back();
    const auto offset = size_of(at, "offset", 0xffff'ffff);
    if (!offset) return std::unexpected(offset.error());
    p.offset = static_cast<std::uint32_t>(*offset);
    words.pop_back();
  }
  auto m = take_memory(bench, words, column);
  if (!m) return std::unexpected(m.error());
  p.memory = std::move(*m);
  const std::uint64_t end = std::uint64_t{p.offset} + p.memory->size();
  if (p.memory->size() == 0) return wrong("there are no bytes in it", column);
  if (end > a.in->length)
    return wrong(fmt::format("bytes {} to {} are beyond the {} that {} has", p.offset, end,
                             a.in->length, a.in->name),
                 at.column);
  return p;
}

done receive(workbench& bench, arguments args) {
  const auto a = take_waiting(bench, args);
  if (!a) return std::unexpected(a.error());
  if (auto d = check_usable(*a, "receive"); !d) return d;
  const auto p = take_placement(bench, *a, args, 0);
  if (!p) return std::unexpected(p.error());
  const memdesc mem = p->memory->mem();
  const auto failed = a->q->raw.receive_controller_data(
      a->in->handle, p->offset, mem, static_cast<std::uint32_t>(mem.size()),
      [in = a->in, memory = p->memory](std::size_t bytes, std::error_code) {
        memory->release();
        --in->fetches;
        in->fetched += bytes;
      });
  if (failed) return wrong(fmt::format("{}: {}", a->in->name, failed.message()), a->name.column);
  p->memory->use();
  ++a->in->fetches;
  return {};
}

done in_capsule(workbench& bench, arguments args) {
  const auto a = take_waiting(bench, args);
  if (!a) return std::unexpected(a.error());
  const auto what = args.take("a buffer");
  if (!what) return std::unexpected(what.error());
  if (auto d = args.end(); !d) return d;
  const auto here = a->q->raw.in_capsule_data(a->in->handle);
  if (here.empty())
    return wrong(fmt::format("{} brought no data along{}", a->in->name,
                             a->in->length > 0 ? "; receive asks for it" : ""),
                 a->name.column);
  const auto p = piece_of(bench, *what);
  if (!p) return std::unexpected(p.error());
  if (p->length < here.size())
    return wrong(fmt::format("{} bytes came, there is room for {}", here.size(), p->length),
                 what->column);
  std::ranges::copy(here, p->of->bytes.begin() + static_cast<std::ptrdiff_t>(p->offset));
  bench.say(fmt::format("{} bytes", here.size()));
  return {};
}

// Nothing more may be said of it: the slot goes back.
void finish(incoming_object& in, std::string how) {
  in.handle.reset();
  in.end = std::move(how);
}

done send_data(workbench& bench, arguments args) {
  const auto a = take_waiting(bench, args);
  if (!a) return std::unexpected(a.error());
  if (auto d = check_usable(*a, "be sent"); !d) return d;
  const auto last = args.take_flag("last");
  if (!last) return std::unexpected(last.error());
  const auto p = take_placement(bench, *a, args, a->in->sent);
  if (!p) return std::unexpected(p.error());
  std::vector<std::byte> bytes(p->memory->size());
  p->memory->mem().copy_out(0, bytes);
  const auto answer = a->q->raw.send_controller_data(a->in->handle, p->offset,
                                                     buffer::copy_of(bytes), last->value_or(false));
  incoming_object& in = *a->in;
  if (answer.result == send_result::failed) {
    std::string why;
    if (p->offset != in.sent)
      why = fmt::format(": data goes in order, {} bytes of it have been given", in.sent);
    return wrong(fmt::format("{}: failed, {}{}", in.name, to_text(answer.status), why),
                 a->name.column);
  }
  in.sent += bytes.size();
  switch (answer.result) {
    case send_result::more:
      bench.say(fmt::format("{}: more, {} of {} bytes", in.name, in.sent, in.length));
      break;
    case send_result::success_sent:
      bench.say(
          fmt::format("{}: success sent, the last C2HData says so: nothing to respond", in.name));
      finish(in, "answered by the SUCCESS flag of its data");
      break;
    default:
      bench.say(fmt::format("{}: success, all of its data: respond {}", in.name, in.name));
      break;
  }
  return {};
}

// status=NAME dnr, and fields of the completion by name.
std::expected<cqe_bytes, complaint> take_completion(const incoming_object& in, arguments& args) {
  cqe_bytes cqe{};
  const auto status = args.take_option("status");
  const auto dnr = args.take_flag("dnr");
  if (!dnr) return std::unexpected(dnr.error());
  std::uint16_t code = 0;
  if (status) {
    const auto parsed = wire::parse_status(status->text);
    if (!parsed) return wrong(to_text(parsed.error()), status->column + parsed.error().position);
    code = *parsed;
  }
  nvme_status s = nvme_status::from_field(code & 0x7fff);
  s.dnr = dnr->value_or(false);
  wire::store_le(cqe, 14, 2, s.cqe_word());
  const std::vector<word> fields = args.take_all();
  std::vector<std::string> texts;
  for (const word& w : fields) texts.push_back(w.text);
  const std::array forms{&wire::cqe_form(in.sqe, in.admin, cqe), &wire::cqe_layout};
  std::size_t which = 0;
  if (const auto done = wire::encode_fields(forms, cqe, texts, &which); !done)
    return wrong(to_text(done.error()), fields[which].column + done.error().position);
  return cqe;
}

// What a Connect that is granted says of its queue.
done settle_queue(queue_object& q, const incoming_object& in, const word& name) {
  const auto fctype = static_cast<std::uint8_t>(wire::fabrics_type::connect);
  if (in.command.set != wire::command_set::fabrics || in.command.fctype != fctype) return {};
  const auto qid = static_cast<std::uint16_t>(wire::get<wire::connect_command, "qid">(in.sqe));
  const auto size = static_cast<std::uint32_t>(wire::get<wire::connect_command, "sqsize">(in.sqe));
  const auto cattr = wire::bytes_of<wire::connect_command, "cattr">(wire::byte_span{in.sqe});
  const bool flow = wire::get<wire::cattr_layout, "nosqfc">(cattr) == 0;
  if (q.raw.set_queue(qid, size + 1, flow))
    return wrong(fmt::format("a queue has no {} entries, which this Connect asks for: refuse it, "
                             "or say setqueue {} size=N before",
                             size + 1, q.name),
                 name.column);
  q.qid = qid;
  q.settled = true;
  return {};
}

done respond(workbench& bench, arguments args) {
  const auto a = take_waiting(bench, args);
  if (!a) return std::unexpected(a.error());
  incoming_object& in = *a->in;
  auto cqe = take_completion(in, args);
  if (!cqe) return std::unexpected(cqe.error());
  const auto status =
      nvme_status::from_cqe_word(static_cast<std::uint16_t>(wire::load_le(*cqe, 14, 2)));
  wire::set<wire::cqe_layout, "cid">(*cqe, in.handle.cid());
  if (status.ok() && !a->q->settled)
    if (auto d = settle_queue(*a->q, in, a->name); !d) return d;
  auto response = a->q->raw.allocate_response(*cqe);
  if (!response)
    return wrong(fmt::format("{}: {}", in.name, response.error().message()), a->name.column);
  if (const auto failed = a->q->raw.transmit_response(std::move(*response)))
    return wrong(fmt::format("{}: {}", in.name, failed.message()), a->name.column);
  finish(in, fmt::format("answered with {}", to_text(status, set_of(in.command.opcode))));
  return {};
}

done list(workbench& bench, arguments args) {
  if (auto d = args.end(); !d) return d;
  std::vector<std::shared_ptr<incoming_object>> waiting;
  for (const auto& [name, in] : bench.incoming.all())
    if (in->handle) waiting.push_back(in);
  std::ranges::sort(waiting, {}, &incoming_object::number);
  for (const auto& in : waiting)
    bench.say(fmt::format("{:<6} {:<6} {:<24} {} bytes, {} fetched, {} sent{}", in->name, in->queue,
                          to_text(in->command), in->length, in->fetched, in->sent,
                          in->fetches > 0 ? fmt::format(", {} under way", in->fetches) : ""));
  if (waiting.empty()) bench.say("no command waits for an answer");
  return {};
}

constexpr std::array<example, 1> ins_examples{{{"ins", "in the order they came"}}};
constexpr std::array<example, 2> receive_examples{{
    {"receive in2 b1[0,1000] 0", "the first 1000 bytes, by an R2T where they are not here yet"},
    {"receive in2 b2[0,100] b1[3000,24] 1000", "a scatter list for what follows"},
}};
constexpr std::array<example, 1> incapsule_examples{{{"incapsule in1 b1", "the data of Connect"}}};
constexpr std::array<example, 2> senddata_examples{{
    {"senddata in3 b1[0,1024] 0", "the first piece; the answer is `more`"},
    {"senddata in3 b1[1024] 1024", "from there on; without an offset: behind what was given"},
}};
constexpr std::array<example, 4> respond_examples{{
    {"respond in1 dw0=1", "success; dword 0 of Connect is the controller's number"},
    {"respond in3", "success"},
    {"respond in4 status=invalid-field dnr", "by name"},
    {"respond in5 status=1/82h dw0=0x10000", "by SCT/SC"},
}};

}  // namespace

void add_incoming_verbs(verb_list& to) {
  const auto add = [&](verb_info info, simple_verb::action does) {
    to.push_back(std::make_unique<simple_verb>(info, does));
  };
  add({"ins", "", "list the commands that wait for an answer", "", ins_examples}, list);
  add({"receive", "IN BUF[OFFSET,LENGTH]... [OFFSET]", "fetch data of a received command",
       "As much as the pieces hold, from OFFSET of the command's data on (0 unless said): an R2T, "
       "or a copy when it came in the capsule. Several may be under way; `wait IN` waits for them.",
       receive_examples},
      receive);
  add({"incapsule", "IN BUF", "copy the data that came with a command", "", incapsule_examples},
      in_capsule);
  add({"senddata", "IN BUF[OFFSET,LENGTH]... [OFFSET] [last]", "send data of a received command",
       "Offsets go on where the last piece ended. last: there is no more, though the command asked "
       "for it. Says what send_controller_data answers: more, success (a response is due), success "
       "sent (it is not), or why it failed.",
       senddata_examples},
      send_data);
  add({"respond", "IN [status=STATUS] [dnr] [FIELD=VALUE]...", "answer a received command",
       "Fields are those of its completion: dw0, dw1, cntlid ...; the transport fills in SQHD. "
       "Success for a Connect settles the queue as the command asks, unless setqueue has.",
       respond_examples},
      respond);
}

}  // namespace nvmf::cli::repl
