// SPDX-License-Identifier: BSD-2-Clause
// break: queues that stand still by themselves.
#include <fmt/format.h>

#include "../pdu_kinds.hpp"
#include "../verbs.hpp"
#include "../workbench.hpp"
#include "render/text.hpp"
#include "wire/expression/symbols.hpp"

namespace nvmf::cli::repl {
namespace {

// The PDUs of a kind, where there are PDUs: those that an event shows the header of.
template <wire::pdu_type... Types>
bool is_pdu(const recorded_event& e) {
  if (!is_pdu_event(e) || e.header.empty()) return false;
  return ((std::to_integer<std::uint8_t>(e.header[0]) == static_cast<std::uint8_t>(Types)) || ...);
}
template <event_type... Types>
bool is_one_of(const recorded_event& e) {
  return ((e.type == Types) || ...);
}
constexpr auto is_command = is_one_of<event_type::command_in, event_type::command_out>;
constexpr auto is_response = is_one_of<event_type::response_in, event_type::response_out>;

event_filter of_family(bool (*is)(const recorded_event&)) {
  event_filter f;
  f.is = is;
  return f;
}

done take_pdu(arguments& args, break_point& b) {
  using enum wire::pdu_type;
  const auto kind = take_pdu_kind(args);
  if (!kind) return std::unexpected(kind.error());
  switch (*kind) {
    case outgoing_kind::command:
      b.pdus = of_family(is_pdu<capsule_cmd>);
      b.capsules = of_family(is_command);
      break;
    case outgoing_kind::response:
      b.pdus = of_family(is_pdu<capsule_resp>);
      b.capsules = of_family(is_response);
      break;
    case outgoing_kind::request:
      b.pdus = of_family(is_pdu<r2t>);
      break;
    case outgoing_kind::host_data:
      b.pdus = of_family(is_pdu<h2c_data>);
      break;
    case outgoing_kind::controller_data:
      b.pdus = of_family(is_pdu<c2h_data>);
      break;
    case outgoing_kind::termination:
      b.pdus = of_family(is_pdu<h2c_termreq, c2h_termreq>);
      break;
  }
  return {};
}

done take_opcode(arguments& args, break_point& b) {
  const auto w = args.take("a command, such as read");
  if (!w) return std::unexpected(w.error());
  const auto c = wire::lookup_command(w->text);
  if (!c) return wrong(to_text(c.error()), w->column + c.error().position);
  event_filter f = of_family(is_command);
  f.command = *c;
  b.pdus = b.capsules = f;
  return {};
}

done take_status(arguments& args, break_point& b) {
  event_filter f = of_family(is_response);
  const bool other = args.take_keyword("!=");
  if (!other) (void)args.take_keyword("==");
  const auto w = args.take("a status, such as lba-out-of-range, or != success");
  if (!w) return std::unexpected(w.error());
  const auto code = wire::lookup_status(w->text);
  if (!code) return wrong(to_text(code.error()), w->column + code.error().position);
  (other ? f.status_not : f.status) = *code;
  b.pdus = b.capsules = f;
  return {};
}

done take_cid(arguments& args, break_point& b) {
  const auto w = args.take("a CID");
  if (!w) return std::unexpected(w.error());
  const auto cid = number_of(*w, "cid", 65535);
  if (!cid) return std::unexpected(cid.error());
  if (!b.pdus) {
    b.pdus = of_family(is_pdu_event);
    b.capsules = of_family(is_capsule_event);
  }
  b.pdus->cid = *cid;
  if (b.capsules) b.capsules->cid = *cid;
  return {};
}

// What is a digest error twice, at the PDU and at the callback, makes one stop.
bool is_bare_digest_error(const recorded_event& e) {
  return is_digest_error(e) && e.type != event_type::data_callback;
}

done take_event(arguments& args, break_point& b) {
  const auto f = take_event_filter(args);
  if (!f) return std::unexpected(f.error());
  if (f->within)
    return wrong("within is for `expect event`: a break point waits for as long as it is there",
                 args.line().words.back().column);
  b.pdus = b.capsules = *f;
  if (f->is == is_digest_error) b.pdus->is = is_bare_digest_error;
  return {};
}

struct form {
  std::string_view name;
  done (*take)(arguments& args, break_point& b);
};
constexpr std::array forms{form{"pdu", take_pdu}, form{"opcode", take_opcode},
                           form{"status", take_status}, form{"cid", take_cid},
                           form{"event", take_event}};

done take_condition(arguments& args, break_point& b) {
  const auto what = args.take("pdu, opcode, status, cid or event");
  if (!what) return std::unexpected(what.error());
  const auto found = std::ranges::find(forms, what->text, &form::name);
  if (found == forms.end()) {
    std::vector<std::string_view> names;
    for (const form& f : forms) names.push_back(f.name);
    return wrong(fmt::format("a queue cannot break on {}{}: pdu, opcode, status, cid or event",
                             wire::quoted(what->text), wire::did_you_mean(what->text, names)),
                 what->column);
  }
  if (auto d = found->take(args, b); !d) return d;
  if (found->name != "cid" && args.take_keyword("cid"))
    if (auto d = take_cid(args, b); !d) return d;
  return args.end();
}

done list(workbench& bench) {
  if (bench.stopping.all().empty()) {
    bench.say("there are no break points (help break)");
    return {};
  }
  text_table rows;
  for (const break_point& b : bench.stopping.all())
    rows.add({fmt::format("{}", b.number), b.queue.empty() ? "all queues" : b.queue,
              bench.queues.find(b.queue) || b.queue.empty() ? "" : "(not here now)", b.text,
              b.hits == 0 ? "" : fmt::format("hit {} time{}", b.hits, b.hits == 1 ? "" : "s")});
  bench.say(rows.str());
  return {};
}

done clear(workbench& bench, arguments& args) {
  std::uint64_t number = 0;
  if (const word* w = args.peek()) {
    const std::size_t column = w->column;
    const auto n = number_of(*w, "break point");
    if (!n) return std::unexpected(n.error());
    (void)args.take("");
    if (auto d = args.end(); !d) return d;
    if (*n == 0 || !bench.stopping.remove(*n))
      return wrong(fmt::format("there is no break point {} (break lists them)", *n), column);
    return {};
  }
  (void)bench.stopping.remove(number);
  return {};
}

done add(workbench& bench, arguments& args) {
  const std::size_t column = args.line().words.front().column;
  if (!args.take_keyword("on"))
    return wrong(fmt::format("{} is not expected here: break on ..., clear, or nothing",
                             wire::quoted(args.peek()->text)),
                 args.column());
  break_point b;
  const std::size_t from = args.column();
  const auto of = args.take_pair("of", "a queue, or all,");
  if (!of) return std::unexpected(of.error());
  std::shared_ptr<queue_object> q;
  if (!*of || (*of)->text != "all") {
    auto there = *of ? bench.queues.get(**of) : bench.current_queue(column);
    if (!there) return std::unexpected(there.error());
    q = std::move(*there);
    b.queue = q->name;
  }
  for (const word& w : arguments(args).take_all()) b.text += (b.text.empty() ? "" : " ") + w.text;
  if (auto d = take_condition(args, b); !d) return d;
  if (q && !b.is_for(*q))
    return wrong(fmt::format("{} has no PDUs, only NVMe/TCP has: break on pdu command, on pdu "
                             "response, or on an event",
                             q->name),
                 from);
  if (auto d = bench.stopping.add(std::move(b)); !d) {
    complaint c = d.error();
    c.column = column;
    return std::unexpected(std::move(c));
  }
  const break_point& made = bench.stopping.all().back();
  bench.say(fmt::format("break point {}: {} of {}", made.number, made.text,
                        made.queue.empty() ? "all queues" : made.queue));
  return {};
}

done break_verb(workbench& bench, arguments args) {
  if (args.empty()) return list(bench);
  if (args.take_keyword("clear")) return clear(bench, args);
  return add(bench, args);
}

constexpr std::array<example, 7> examples{{
    {"break on pdu r2t", "the queue in use stands still when an R2T comes or is to leave"},
    {"break on event digest-error of a1:1", "when what has come to a1:1 has a wrong digest"},
    {"break on opcode read cid 3", "both"},
    {"break on status != success of all", "of all queues, also of those to come"},
    {"break on event io_cb bytes=4096", "with the words of `expect event`"},
    {"break", "lists them"},
    {"break clear 1", "the first is no more"},
}};

}  // namespace

void add_break_verbs(verb_list& to) {
  to.push_back(std::make_unique<simple_verb>(
      verb_info{
          "break",
          "on pdu PDU [cid N] [of QUEUE|all] | on opcode COMMAND [cid N] [of QUEUE|all] | "
          "on status [!=] STATUS [cid N] [of QUEUE|all] | on cid N [of QUEUE|all] | "
          "on event EVENT [KEY=VALUE]... [of QUEUE|all] | clear [N]",
          "let a queue stand still when something happens",
          "It stands still after the action in which the event came: a PDU has been queued, has "
          "left or has been taken, and nothing else is done. `step` and `continue` go on, `info` "
          "shows its inside. Events and their keys are those of `expect event` (nvmfctl describe "
          "script). Queues of a connection can break once it is up, those of a listener from the "
          "beginning. Without `of` the queue in use is meant. Alone it lists what there is.",
          examples},
      break_verb));
}

}  // namespace nvmf::cli::repl
