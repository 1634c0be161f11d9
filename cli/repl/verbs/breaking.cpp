// SPDX-License-Identifier: BSD-2-Clause
// strict, pdu, termreq, reset, half-close, stop-reading, resume-reading, split: breaking rules on
// purpose.
#include <fmt/format.h>

#include "../breaker.hpp"
#include "../pdu_kinds.hpp"
#include "../verbs.hpp"
#include "../workbench.hpp"
#include "wire/numbers.hpp"
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

constexpr std::size_t raw_max = 64 * 1024;      // bytes: as many as a line has room for
constexpr std::size_t piece_max = 1024 * 1024;  // bytes
constexpr std::size_t pieces_max = 1024;

// HEX, which may be several words.
done send_raw(const queue_object& q, arguments& args) {
  const std::size_t column = args.column();
  const auto words = args.take_all();
  std::string text;
  for (const word& w : words) text += w.text + " ";
  const auto bytes = wire::parse_hex(text, "raw", raw_max);
  if (!bytes) {
    std::size_t left = bytes.error().position;
    for (const word& w : words) {
      if (left <= w.text.size()) return wrong(to_text(bytes.error()), w.column + left);
      left -= w.text.size() + 1;
    }
    return wrong(to_text(bytes.error()), column);
  }
  const auto at = reach(q, column);
  if (!at) return std::unexpected(at.error());
  if (bytes->empty()) return wrong("raw: bytes in hexadecimal are missing here", column);
  if (const auto failed = (*at)->send_raw(*bytes))
    return wrong(fmt::format("{}: {}", q.name, failed.message()), column);
  return {};
}

// "1,7,rest"
std::expected<std::vector<std::size_t>, complaint> sizes_of(const word& w) {
  std::vector<std::size_t> sizes;
  if (w.text == "none") return sizes;
  for (std::size_t from = 0; from <= w.text.size();) {
    const std::size_t end = std::min(w.text.find(',', from), w.text.size());
    word part = w.from(from);
    part.text.resize(end - from);
    const bool last = end == w.text.size();
    if (part.text == "rest" && last && !sizes.empty()) return sizes;
    const auto n = size_of(part, "split", piece_max);
    if (!n) return std::unexpected(n.error());
    if (*n == 0)
      return wrong("split: a piece of 0 bytes is none: 1 or more, and `rest` at the end",
                   part.column);
    if (sizes.size() == pieces_max)
      return wrong(fmt::format("split: more than {} pieces", pieces_max), part.column);
    sizes.push_back(*n);
    from = end + 1;
  }
  return sizes;
}

done cut(const queue_object& q, const word& sizes) {
  const auto pieces = sizes_of(sizes);
  if (!pieces) return std::unexpected(pieces.error());
  const auto at = reach(q, sizes.column);
  if (!at) return std::unexpected(at.error());
  if (const auto failed = (*at)->cut_writes(*pieces))
    return wrong(fmt::format("{}: {}", q.name,
                             failed == errc::not_supported ? "its transport has no bytes to cut; "
                                                             "NVMe/TCP has"
                                                           : failed.message()),
                 sizes.column);
  return {};
}

done split(workbench& bench, arguments args) {
  const auto sizes = args.take("sizes, such as 1,7,rest,");
  if (!sizes) return std::unexpected(sizes.error());
  const auto q = take_queue(bench, args);
  if (!q) return std::unexpected(q.error());
  if (auto d = args.end(); !d) return d;
  return cut(*q->queue, *sizes);
}

done pdu(workbench& bench, arguments args) {
  const bool raw = args.take_keyword("raw");
  auto of = args.take_option("of");
  if (raw && !of) {
    const auto on = args.take_pair("on", "a queue");
    if (!on) return std::unexpected(on.error());
    of = *on;
  }
  auto q = of ? bench.queues.get(*of) : bench.current_queue(args.column());
  if (!q) return std::unexpected(q.error());
  const std::size_t column = args.line().words.front().column;
  if (!(*q)->breaks)
    return wrong(fmt::format("{} keeps the rules: strict off {} lets you break them", (*q)->name,
                             (*q)->name),
                 column);
  if (raw) return send_raw(**q, args);
  if (args.empty()) {
    for (const breach& b : (*q)->breaks->waiting()) bench.say(b.text);
    return {};
  }
  if (args.take_keyword("clear")) {
    (*q)->breaks->clear();
    return args.end();
  }
  if (const auto sizes = args.take_option("split")) {
    if (auto d = cut(**q, *sizes); !d) return d;
    if (args.empty()) return {};
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
constexpr std::array<example, 3> split_examples{{
    {"split 1,7,rest", "what leaves next: one byte, then seven, then all else"},
    {"split 8 h", "the first eight bytes of the next PDU of h leave alone"},
    {"split none", "as it comes, again"},
}};
constexpr std::array<example, 5> pdu_examples{{
    {"pdu plen=100", "the next PDU says that it has 100 bytes"},
    {"pdu cid=0x77 on command", "the next command has that CID on the wire"},
    {"pdu ddgst=wrong always", "until pdu clear"},
    {"pdu raw 0b00 1800 18000000 on h", "these bytes, whatever they are"},
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
       "[drop|twice] [split=SIZES] [on command|response|r2t|h2cdata|c2hdata|termreq] [always] "
       "[of=QUEUE] | raw HEX [on QUEUE] | clear",
       "change the next PDU that leaves",
       "Fields are those of the PDU's header, and of the SQE or CQE in it (describe r2t lists "
       "one's). It is done to the next PDU that has them. Right digests are made of what was "
       "changed. Alone it lists what waits. With raw these bytes leave behind what waits, and "
       "nobody "
       "accounts for them; split is that of `split`.",
       pdu_examples},
      pdu);
  add({"split", "SIZES|none [QUEUE]", "cut what leaves next where you say",
       "Each piece is a write of its own, and not joined with what follows. To join PDUs instead: "
       "pause, send, send, continue.",
       split_examples},
      split);
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
