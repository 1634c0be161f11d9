// SPDX-License-Identifier: BSD-2-Clause
// pause, step, continue: a queue that moves one action at a time.
#include <fmt/format.h>

#include "../pdu_kinds.hpp"
#include "../verbs.hpp"
#include "../workbench.hpp"
#include "wire/quantities.hpp"

namespace nvmf::cli::repl {
namespace {

constexpr std::uint64_t steps_max = 1'000'000;

done pause(workbench& bench, arguments args) {
  const std::size_t column = args.column();
  const auto q = take_queue(bench, args);
  if (!q) return std::unexpected(q.error());
  if (auto d = args.end(); !d) return d;
  if (q->at->paused())
    return wrong(paused_text(*q->queue) + " already: step and continue go on", column);
  if (const auto failed = q->at->pause())
    return wrong(fmt::format("{}: {}", q->queue->name, failed.message()), column);
  bench.say(paused_text(*q->queue));
  return {};
}

std::string bytes_text(std::size_t n) { return fmt::format("{} byte{}", n, n == 1 ? "" : "s"); }

std::string done_text(const qpair_action& a) {
  switch (a.kind) {
    case action_kind::nothing:
      return "nothing was done";
    case action_kind::call_back:
      return "called back";
    case action_kind::end:
      return "took the end of the connection";
    case action_kind::send:
    case action_kind::receive:
      break;
  }
  const bool sent = a.kind == action_kind::send;
  if (!a.unit)
    return fmt::format("{} {}", sent ? "sent raw bytes," : "received what is no PDU of a queue,",
                       bytes_text(a.bytes));
  return fmt::format("{} {}{}, {}", sent ? "sent" : "received", title_of(*a.unit),
                     a.has_cid ? fmt::format(" of CID {}", a.cid) : "", bytes_text(a.bytes));
}

// One action; false: none came in time.
std::expected<bool, complaint> step_once(workbench& bench, const reached& q, action_kind which,
                                         std::size_t column) {
  const auto told = std::make_shared<std::optional<pause_report>>();
  if (const auto failed = q.at->step([told](const pause_report& r) { *told = r; }, which))
    return wrong(failed == errc::busy
                     ? fmt::format("{} owes a callback: step runs it first", q.queue->name)
                     : fmt::format("{}: {}", q.queue->name, failed.message()),
                 column);
  const auto there = bench.wait_until([&] { return told->has_value(); }, bench.options.timeout);
  if (!there || !*there)
    if (qpair* const at = reach(*q.queue)) (void)at->pause();  // calls it off
  if (!there) return there;
  if (*there) bench.say(fmt::format("{}: {}", q.queue->name, done_text((*told)->done)));
  return there;
}

done step(workbench& bench, arguments args) {
  action_kind which = action_kind::nothing;
  std::uint64_t count = 1;
  std::optional<word> name;
  const std::size_t column = args.line().words.front().column;
  while (!args.empty()) {
    const word w = *args.take("");
    if (w.text == "send" || w.text == "receive") {
      which = w.text == "send" ? action_kind::send : action_kind::receive;
    } else if (w.text.find_first_of("0123456789") == 0) {
      const auto n = number_of(w, "actions", steps_max);
      if (!n) return std::unexpected(n.error());
      count = *n;
    } else if (!std::exchange(name, w)) {
      continue;
    } else {
      return wrong(fmt::format("{} is not expected here", wire::quoted(w.text)), w.column);
    }
  }
  const auto q = paused_queue(bench, name, column);
  if (!q) return std::unexpected(q.error());
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto at = reach(*q->queue, column);  // the last one may have been its end
    if (!at) return std::unexpected(at.error());
    const auto there = step_once(bench, {q->queue, *at}, which, column);
    if (!there) return std::unexpected(there.error());
    if (*there) continue;
    return wrong(fmt::format("{} had nothing to do for {}: nothing waits to leave, and nothing has "
                             "come",
                             q->queue->name, wire::time_text(bench.options.timeout)),
                 column, exit_status::timeout);
  }
  return {};
}

done go_on(workbench& bench, arguments args) {
  const std::size_t column = args.line().words.front().column;
  std::optional<word> name;
  if (!args.empty()) name = *args.take("");
  if (auto d = args.end(); !d) return d;
  if (name && name->text == "all") {
    for (const auto& [key, q] : bench.queues.all())
      if (is_paused(*q)) (void)reach(*q)->resume();
    return {};
  }
  const auto q = paused_queue(bench, name, column);
  if (!q) return std::unexpected(q.error());
  (void)q->at->resume();
  return {};
}

constexpr std::array<example, 2> pause_examples{{
    {"pause", "the queue in use"},
    {"pause t1", "a queue that was accepted"},
}};
constexpr std::array<example, 4> step_examples{{
    {"step", "one action of the queue that is paused"},
    {"step 3", "three of them"},
    {"step send", "what waits to leave, though something has come as well"},
    {"step receive t1", "what has come first"},
}};
constexpr std::array<example, 2> continue_examples{{
    {"continue", "the queue that is paused"},
    {"continue all", "all that are"},
}};

}  // namespace

void add_stepping_verbs(verb_list& to) {
  const auto add = [&](verb_info info, simple_verb::action does) {
    to.push_back(std::make_unique<simple_verb>(info, does));
  };
  add({"pause", "[QUEUE]", "let a queue stand still",
       "From now on nothing of it is read, written or called back; what arrives stays where it is. "
       "Lines go on: what they send waits, and PDUs that wait leave joined when it continues. "
       "Time limits of commands go on as well, those of a connection and its Keep Alive too.",
       pause_examples},
      pause);
  add({"step", "[send|receive] [QUEUE] [N]", "let a paused queue do one thing",
       "One PDU leaves, one is taken, or one callback that is owed runs; what it was is printed. "
       "What is owed comes first, then what waits to leave, then what has come. When there is "
       "nothing it waits for as long as `timeout` says.",
       step_examples},
      step);
  add({"continue", "[QUEUE|all]", "let a paused queue go on", "", continue_examples}, go_on);
}

}  // namespace nvmf::cli::repl
