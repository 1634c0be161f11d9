// SPDX-License-Identifier: BSD-2-Clause
// strict, pdu, termreq, reset, half-close, stop-reading, resume-reading: breaking rules on purpose.
#include <fmt/format.h>

#include "../breaker.hpp"
#include "../pdu_kinds.hpp"
#include "../verbs.hpp"
#include "../workbench.hpp"
#include "wire/tables.hpp"

namespace nvmf::cli::repl {
namespace {

done strict(workbench& bench, arguments args) {
  const auto how = args.take("on or off");
  if (!how) return std::unexpected(how.error());
  if (how->text != "on" && how->text != "off")
    return wrong(fmt::format("{} is not on or off", wire::quoted(how->text)), how->column);
  const auto q = take_queue(bench, args);
  if (!q) return std::unexpected(q.error());
  if (auto d = args.end(); !d) return d;
  if (how->text == "on") {
    (void)q->at->tamper(nullptr);
    q->queue->breaks.reset();
    return {};
  }
  if (q->queue->breaks) return {};
  auto made = std::make_shared<breaker>([&bench, name = q->queue->name](const std::string& text) {
    bench.say(fmt::format("{}: broken on purpose: {}", name, text));
  });
  if (const auto failed = q->at->tamper(made.get()))
    return wrong(fmt::format("{}: {}", q->queue->name, failed.message()), how->column);
  q->queue->breaks = std::move(made);
  return {};
}

std::expected<digest_choice, complaint> take_digest(arguments& args, std::string_view name) {
  const auto w = args.take_option(name);
  if (!w) return digest_choice::right;
  if (w->text == "wrong") return digest_choice::wrong;
  if (w->text == "missing") return digest_choice::missing;
  return wrong(fmt::format("{}: {} is not wrong or missing", name, wire::quoted(w->text)),
               w->column);
}

done take_fields(arguments& args, breach& b) {
  while (!args.empty()) {
    if (args.take_keyword("on")) {
      (void)args.take_keyword("kind");
      const auto kind = take_pdu_kind(args);
      if (!kind) return std::unexpected(kind.error());
      b.kind = *kind;
    } else if (args.take_keyword("drop")) {
      b.drop = true;
    } else if (args.take_keyword("twice")) {
      b.twice = true;
    } else if (args.take_keyword("always")) {
      b.always = true;
    } else if (!args.take_keyword("next")) {
      const auto w = args.take("a field");
      if (const auto bad = check_breach_field(w->text)) return wrong(*bad, w->column);
      b.fields.push_back(w->text);
    }
  }
  return {};
}

done pdu(workbench& bench, arguments args) {
  const auto of = args.take_option("of");
  auto q = of ? bench.queues.get(*of) : bench.current_queue(args.column());
  if (!q) return std::unexpected(q.error());
  const std::size_t column = args.line().words.front().column;
  if (!(*q)->breaks)
    return wrong(fmt::format("{} keeps the rules: strict off {} lets you break them", (*q)->name,
                             (*q)->name),
                 column);
  if (args.empty()) {
    for (const breach& b : (*q)->breaks->waiting()) bench.say(b.text);
    return {};
  }
  if (args.take_keyword("clear")) {
    (*q)->breaks->clear();
    return args.end();
  }
  breach b;
  b.text = args.line().text.substr(args.column());
  const auto last = args.take_flag("last"), success = args.take_flag("success");
  if (!last) return std::unexpected(last.error());
  if (!success) return std::unexpected(success.error());
  b.last = *last;
  b.success = *success;
  const auto hdgst = take_digest(args, "hdgst"), ddgst = take_digest(args, "ddgst");
  if (!hdgst) return std::unexpected(hdgst.error());
  if (!ddgst) return std::unexpected(ddgst.error());
  b.header_digest = *hdgst;
  b.data_digest = *ddgst;
  if (auto d = take_fields(args, b); !d) return d;
  (*q)->breaks->add(std::move(b));
  return {};
}

done misbehave(workbench& bench, arguments& args, misdeed what, std::uint16_t fes = 1) {
  const std::size_t column = args.column();
  const auto q = take_queue(bench, args);
  if (!q) return std::unexpected(q.error());
  if (auto d = args.end(); !d) return d;
  if (const auto failed = q->at->misbehave(what, fes))
    return wrong(fmt::format("{}: {}", q->queue->name, failed.message()), column);
  return {};
}

done termreq(workbench& bench, arguments args) {
  std::uint64_t fes = 1;
  if (const auto w = args.take_option("fes")) {
    const auto value = wire::parse_value(wire::fes_codes, w->text, "fes", 0xffff);
    if (!value) return wrong(to_text(value.error()), w->column + value.error().position);
    fes = *value;
  }
  return misbehave(bench, args, misdeed::terminate, static_cast<std::uint16_t>(fes));
}

template <misdeed What>
done one(workbench& bench, arguments args) {
  return misbehave(bench, args, What);
}

constexpr std::array<example, 1> strict_examples{{{"strict off bare", "pdu may break rules now"}}};
constexpr std::array<example, 4> pdu_examples{{
    {"pdu plen=100", "the next PDU says that it has 100 bytes"},
    {"pdu cid=0x77 on command", "the next command has that CID on the wire"},
    {"pdu ddgst=wrong always", "until pdu clear"},
    {"pdu clear", "none of it any more"},
}};
constexpr std::array<example, 1> termreq_examples{
    {{"termreq fes=pdu-sequence-error", "as if the peer had broken that rule"}}};
constexpr std::array<example, 1> reset_examples{{{"reset t1", "what is queued is lost"}}};
constexpr std::array<example, 1> half_examples{{{"half-close", "nothing more is sent"}}};
constexpr std::array<example, 1> stop_examples{{{"stop-reading", "the peer is left standing"}}};
constexpr std::array<example, 1> resume_examples{{{"resume-reading", "and heard again"}}};

}  // namespace

void add_breaking_verbs(verb_list& to) {
  const auto add = [&](verb_info info, simple_verb::action does) {
    to.push_back(std::make_unique<simple_verb>(info, does));
  };
  add({"strict", "on|off [QUEUE]", "keep the rules of what is sent, or let pdu break them", "",
       strict_examples},
      strict);
  add({"pdu",
       "[FIELD=VALUE]... [last=0] [success=1] [hdgst=wrong|missing] [ddgst=wrong|missing] "
       "[drop|twice] [on command|response|r2t|h2cdata|c2hdata|termreq] [always] [of=QUEUE] | clear",
       "change the next PDU that leaves",
       "Fields are those of the PDU's header, and of the SQE or CQE in it (describe r2t lists "
       "one's). It is done to the next PDU that has them. Right digests are made of what was "
       "changed. Alone it lists what waits.",
       pdu_examples},
      pdu);
  add({"termreq", "[fes=FES] [QUEUE]", "end a connection as if the peer had broken a rule", "",
       termreq_examples},
      termreq);
  add({"reset", "[QUEUE]", "reset a connection", "", reset_examples}, one<misdeed::reset>);
  add({"half-close", "[QUEUE]", "send no more, and say so", "", half_examples},
      one<misdeed::half_close>);
  add({"stop-reading", "[QUEUE]", "leave the peer's bytes where they are", "", stop_examples},
      one<misdeed::stop_reading>);
  add({"resume-reading", "[QUEUE]", "take the peer's bytes again", "", resume_examples},
      one<misdeed::resume_reading>);
}

}  // namespace nvmf::cli::repl
