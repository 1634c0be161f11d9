// SPDX-License-Identifier: BSD-2-Clause
// read, write, identify, log, feature, property, abort, and any command of the tables: built, sent
// and waited for in one line.
#include <fmt/format.h>

#include "../pieces.hpp"
#include "../sending.hpp"
#include "../verbs.hpp"
#include "capsule_plan.hpp"
#include "identity.hpp"
#include "render/capsule.hpp"
#include "wire/layouts/commands_admin.hpp"
#include "wire/layouts/entries.hpp"
#include "wire/quantities.hpp"
#include "wire/render.hpp"
#include "wire/uri.hpp"
#include "wire/uuid.hpp"

namespace nvmf::cli::repl {
namespace {

constexpr std::size_t shown_max = 256;     // bytes of data without a layout
constexpr std::string_view result = "it";  // what is made here goes by this name

// A line: fields, and the words that are none.
struct request {
  word command;
  std::vector<word> fields;
  std::optional<word> into, from, on;
};

std::expected<request, complaint> take_request(word command, arguments& args) {
  request r{std::move(command), {}, {}, {}, {}};
  while (!args.empty()) {
    std::optional<word>* to = args.take_keyword("into")   ? &r.into
                              : args.take_keyword("from") ? &r.from
                              : args.take_keyword("on")   ? &r.on
                                                          : nullptr;
    auto w = args.take(to == &r.on ? "a queue" : "a buffer");
    if (!w) return std::unexpected(w.error());
    if (to != nullptr)
      *to = std::move(*w);
    else
      r.fields.push_back(std::move(*w));
  }
  if (r.into && r.from) return wrong("a command moves data one way: into or from", r.from->column);
  return r;
}

// Admin and Fabrics commands go to the admin queue of the connection in use, the others to its I/O
// queue; a queue that is open alone gets all.
std::expected<std::shared_ptr<queue_object>, complaint> queue_for(const workbench& bench,
                                                                  const request& r, bool io) {
  if (r.on) return bench.queues.get(*r.on);
  auto q = bench.current_queue(r.command.column);
  if (!q) return q;
  const auto c = (*q)->of.lock();
  if (!c || io == ((*q)->qid != 0)) return q;
  const word name{fmt::format("{}:{}", c->name, io ? 1 : 0), r.command.column, false};
  if (io && bench.queues.find(name.text) == nullptr)
    return wrong(fmt::format("{} has no I/O queue", c->name), r.command.column);
  return bench.queues.get(name);
}

capsule_request plan_request(const workbench& bench, const request& r, const queue_object& q) {
  static_cast<void>(bench);
  capsule_request p;
  p.command = r.command.text;
  for (const word& w : r.fields) p.fields.push_back(w.text);
  p.qid = q.qid;
  const auto c = q.of.lock();
  std::string nqn = q.nqn;
  if (c) {
    nqn = c->options.subsystem_nqn;
    if (const auto uri = wire::parse_uri(c->uri)) p.nsid = uri->nsid;
  }
  if (const auto who = make_identity("", ""))
    p.connect_data = {fmt::format("hostid={}", to_text(wire::uuid{who->id})),
                      fmt::format("hostnqn={}", who->nqn), fmt::format("subnqn={}", nqn),
                      "cntlid=0xffff"};
  return p;
}

std::size_t column_of(const request& r, std::string_view error) {
  for (const word& w : r.fields)
    if (error.starts_with(w.text.substr(0, w.text.find('=')))) return w.column;
  return r.command.column;
}

// The command with its memory, whatever the words say of it.
struct built {
  capsule_plan plan;
  std::shared_ptr<capsule_object> command;
  std::shared_ptr<queue_object> queue;
};

std::expected<built, complaint> build(workbench& bench, const request& r) {
  const auto known = wire::parse_command(r.command.text);
  if (!known) return wrong(to_text(known.error()), r.command.column);
  auto q = queue_for(bench, r, known->set == wire::command_set::nvm);
  if (!q) return std::unexpected(q.error());
  auto asked = plan_request(bench, r, **q);
  std::shared_ptr<memory_object> memory;
  if (r.into || r.from) {
    const word& what = r.into ? *r.into : *r.from;
    auto m = take_memory(bench, {what}, what.column);
    if (!m) return std::unexpected(m.error());
    memory = std::move(*m);
  }
  if (r.into) asked.receive = memory->size();
  if (r.from) {
    asked.content.emplace(memory->size());
    memory->mem().copy_out(0, *asked.content);
  }
  const auto sizes = [&](std::uint32_t nsid) -> std::optional<std::uint32_t> {
    if (const auto c = (*q)->of.lock())
      for (const namespace_info& n : c->with->namespaces())
        if (n.nsid == nsid) return n.block_size;
    return std::nullopt;
  };
  auto plan = plan_capsule(asked, sizes, bench.world().in);
  if (!plan) return wrong(plan.error(), column_of(r, plan.error()));
  built b{std::move(*plan), std::make_shared<capsule_object>(), *q};
  capsule_object& c = *b.command;
  c.name = bench.capsules.find(result) && bench.capsules.find(result)->under_way()
               ? bench.capsules.fresh_name(result)
               : std::string{result};
  c.sqe = b.plan.sqe;
  c.command = b.plan.command;
  c.admin = b.plan.admin;
  c.way = b.plan.way;
  if (c.way != direction::none && !memory) {
    auto buffer = std::make_shared<buffer_object>();
    buffer->name = c.name;
    buffer->bytes = std::move(b.plan.data);
    bench.buffers.put(buffer);
    memory = *memory_of(bench, c.name, {word{c.name}});
  }
  c.memory = c.way == direction::none ? nullptr : memory;
  return b;
}

std::string data_of(workbench& bench, built& b) {
  const std::size_t received = b.command->way == direction::receive ? b.command->result.bytes : 0;
  if (received == 0) return {};
  const auto& m = *b.command->memory;
  b.plan.data.resize(m.size());
  m.mem().copy_out(0, b.plan.data);
  const auto bytes = std::span{b.plan.data}.first(std::min(received, b.plan.data.size()));
  const wire::layout* form = b.plan.data_form();
  if (form != nullptr && received >= form->size)
    return fmt::format("{} {}\n{}", bench.look()(tone::strong, "Data"), form->title,
                       wire::render_text(*form, bytes, {.zero = wire::zeros::hide, .indent = 2}));
  std::string text =
      fmt::format("{} {} bytes in {}\n", bench.look()(tone::strong, "Data"), received, m.name);
  text += wire::hexdump(bytes.first(std::min(bytes.size(), shown_max)));
  if (bytes.size() > shown_max) text += fmt::format("... hexdump {} shows the rest\n", m.name);
  return text;
}

done send_and_wait(workbench& bench, built& b, const word& at, const line& of) {
  capsule_object& c = *b.command;
  bench.capsules.put(b.command);
  bench.say(fmt::format(
      "{} {} on {}\n{}", bench.look()(tone::strong, "SQE"), to_text(c.command), b.queue->name,
      wire::render_text(c.form(), c.sqe, {.zero = wire::zeros::hide, .indent = 2})));
  if (auto d = dispatch(bench, b.queue, b.command, at); !d) return d;
  // An association ends its commands itself when their time is over.
  const auto limit = b.queue->raw ? bench.options.timeout : bench.options.timeout * 4;
  const auto there = wait_in_line(bench, [&] { return !c.under_way(); }, limit, of);
  if (!there) return std::unexpected(there.error());
  if (*there == waited::stopped) {
    bench.say(fmt::format("{} is under way{}", c.name, paused_hint(bench)));
    return {};
  }
  if (*there == waited::late)
    return wrong(fmt::format("{} is still under way after {}: abort {} or wait {}{}", c.name,
                             wire::time_text(limit), c.name, c.name, paused_hint(bench)),
                 at.column, exit_status::timeout);
  bench.say(ending(c));
  bench.say(completion_text(b.plan, c.result, bench.look(), false) + data_of(bench, b));
  return {};
}

done run_request(workbench& bench, const request& r, const line& of) {
  auto b = build(bench, r);
  if (!b) return std::unexpected(b.error());
  return send_and_wait(bench, *b, r.command, of);
}

done run_named(workbench& bench, std::string_view command, arguments args) {
  word name = args.line().words.front();
  name.text = command;
  const auto r = take_request(std::move(name), args);
  if (!r) return std::unexpected(r.error());
  return run_request(bench, *r, args.line());
}

done property(workbench& bench, arguments args) {
  const auto typed = args.take("a property, such as cap or 0x14, or cc=VALUE");
  if (!typed) return std::unexpected(typed.error());
  const std::size_t equals = typed->text.find('=');
  const bool set = equals != std::string::npos;
  word name = args.line().words.front();
  name.text = set ? "property-set" : "property-get";
  auto r = take_request(std::move(name), args);
  if (!r) return std::unexpected(r.error());
  const std::string which = typed->text.substr(0, equals);
  const auto offset = wire::parse_value(wire::properties, which, "property", 0xffff'ffff);
  if (!offset) return wrong(to_text(offset.error()), typed->column + offset.error().position);
  const auto* info = wire::find_property(static_cast<std::uint32_t>(*offset));
  const auto field = [&](std::string text) {
    r->fields.insert(r->fields.begin(), word{std::move(text), typed->column, false});
  };
  if (set) field("value=" + typed->text.substr(equals + 1));
  if (info != nullptr && info->size == 8) field("attrib.size=1");
  field(fmt::format("ofst={:#x}", *offset));
  return run_request(bench, *r, args.line());
}

done abort(workbench& bench, arguments args) {
  const auto name = args.take("a command under way");
  if (!name) return std::unexpected(name.error());
  const auto c = bench.capsules.get(*name);
  if (!c) return std::unexpected(c.error());
  if (!(*c)->under_way())
    return wrong(fmt::format("{} is not under way", name->text), name->column);
  if (!(*c)->cid_known)
    return wrong(
        fmt::format("{} still waits for room in {}: it has no CID yet", name->text, (*c)->queue),
        name->column);
  const auto of = bench.queues.find((*c)->queue);
  if (!of) return wrong(fmt::format("{} is no more", (*c)->queue), name->column);
  word at = args.line().words.front();
  at.text = "abort";
  auto r = take_request(at, args);
  if (!r) return std::unexpected(r.error());
  r->fields.push_back({fmt::format("sqid={}", of->qid), name->column, false});
  r->fields.push_back({fmt::format("cid={}", (*c)->cid), name->column, false});
  // On the admin queue of the same connection.
  if (const auto connection = of->of.lock(); !r->on)
    r->on = word{connection ? connection->name + ":0" : of->name, name->column, false};
  return run_request(bench, *r, args.line());
}

class any_command final : public verb {
 public:
  const verb_info& info() const override {
    static constexpr verb_info about{
        .name = "COMMAND",
        .usage = "[FIELD=VALUE]... [into BUF|from BUF] [on QUEUE]",
        .summary = "send any command of the tables and wait for it",
        .details =
            "flush, compare, get-log-page, set-features, admin:0xc1, fabrics:0x01 ...: the names "
            "of `nvmfctl describe command`. What is not said gets the value that makes the command "
            "work, as with nvmfctl send-capsule. Data goes to the buffer `it` unless into names "
            "another; the command can be looked at afterwards as `it`.",
        .examples = {},
    };
    return about;
  }
  done run(workbench& bench, arguments args) const override {
    const std::string name = args.line().words.front().text;
    return run_named(bench, name, std::move(args));
  }
};

constexpr std::array<example, 2> read_examples{{
    {"read slba=8 nlb=7", "eight blocks, shown"},
    {"read slba=8 into b1", "as many blocks as b1 has room for"},
}};
constexpr std::array<example, 2> write_examples{{
    {"write slba=8 from b1", "all of b1"},
    {"write slba=0 nlb=0 from b1[512,512]", "one block"},
}};
constexpr std::array<example, 2> identify_examples{{
    {"identify cns=controller", "the 4096 bytes, decoded"},
    {"identify cns=namespace nsid=1 into b1", "kept in b1"},
}};
constexpr std::array<example, 1> log_examples{{{"log lid=smart", "of health"}}};
constexpr std::array<example, 1> feature_examples{{
    {"feature fid=number-of-queues", "its value now"},
}};
constexpr std::array<example, 2> property_examples{{
    {"property csts", "its value"},
    {"property cap on a1:0", "by name; 0x0 is the same"},
}};
constexpr std::array<example, 1> abort_examples{{{"abort w", "a command that is under way"}}};

template <const auto& Command>
done run_one(workbench& bench, arguments args) {
  return run_named(bench, Command, std::move(args));
}
constexpr char read_name[] = "read", write_name[] = "write", identify_name[] = "identify",
               log_name[] = "get-log-page", feature_name[] = "get-features";

}  // namespace

const verb& command_verb() {
  static const any_command one;
  return one;
}

void add_shortcut_verbs(verb_list& to) {
  const auto add = [&](verb_info info, simple_verb::action does) {
    to.push_back(std::make_unique<simple_verb>(info, does));
  };
  add({"read", "[FIELD=VALUE]... [into BUF] [on QUEUE]", "read blocks, and wait for them",
       "Prints the SQE, sends it and waits. nlb is 0's based; the size of `into` stands for it. "
       "Without `into` the data goes to the buffer `it`; the command is called `it` as well.",
       read_examples},
      run_one<read_name>);
  add({"write", "[FIELD=VALUE]... from BUF [on QUEUE]", "write blocks, and wait for it", "",
       write_examples},
      run_one<write_name>);
  add({"identify", "[cns=CNS] [FIELD=VALUE]... [into BUF]", "ask who is there, and decode it", "",
       identify_examples},
      run_one<identify_name>);
  add({"log", "lid=LID [FIELD=VALUE]... [into BUF]", "read a log page, and decode it", "",
       log_examples},
      run_one<log_name>);
  add({"feature", "fid=FID [FIELD=VALUE]...", "get a feature",
       "set-features fid=FID cdw11=VALUE sets one.", feature_examples},
      run_one<feature_name>);
  add({"property", "PROPERTY|OFFSET[=VALUE] [on QUEUE]", "get or set a property", "",
       property_examples},
      property);
  add({"abort", "SQE [on QUEUE]", "ask the controller to abort a command",
       "On the admin queue of the same connection; on a queue that is open alone, on that queue.",
       abort_examples},
      abort);
}

}  // namespace nvmf::cli::repl
