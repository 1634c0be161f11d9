// SPDX-License-Identifier: BSD-2-Clause
// send, wait: commands on their way.
#include <fmt/format.h>

#include "../sending.hpp"
#include "../verbs.hpp"
#include "../workbench.hpp"
#include "failure.hpp"
#include "wire/quantities.hpp"

namespace nvmf::cli::repl {
namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;

done send_raw_queue(queue_object& q, const std::shared_ptr<capsule_object>& c, const word& at) {
  if (q.ended) return wrong(fmt::format("{} is no more: {}", q.name, *q.ended), at.column);
  auto handle = q.raw.allocate_command(c->sqe);
  if (!handle)
    return wrong(fmt::format("{}: {}; wait for commands to end", q.name, handle.error().message()),
                 at.column);
  std::weak_ptr<capsule_object> weak = c;
  if (c->memory) {
    const memdesc mem = c->memory->mem();
    const auto failed = q.raw.append_data(*handle, mem, mem.size(), c->way,
                                          [weak, &q](std::size_t bytes, std::error_code error) {
                                            const auto at_end = weak.lock();
                                            if (!at_end) return;
                                            at_end->data_done = true;
                                            at_end->result.bytes = bytes;
                                            if (error) at_end->result.error = error;
                                            settle(q, at_end);
                                          });
    if (failed) return wrong(fmt::format("{}: {}", at.text, failed.message()), at.column);
  }
  if (const auto failed = q.raw.transmit(*handle))
    return wrong(fmt::format("{}: {}", at.text, failed.message()), at.column);
  c->cid = handle->cid();
  c->cid_known = true;
  c->handle = std::move(*handle);
  return {};
}

done send_association(workbench& bench, const std::shared_ptr<queue_object>& q,
                      const std::shared_ptr<capsule_object>& c, const word& at) {
  const auto connection = q->of.lock();
  if (!connection || !connection->up)
    return wrong(fmt::format("{} is no more", q->name), at.column);
  const memdesc mem = c->memory ? c->memory->mem() : memdesc{};
  q->leaving.push_back(c);
  connection->with->submit(q->qid, c->sqe, mem, c->way,
                           duration_cast<milliseconds>(bench.options.timeout),
                           [q, c](const command_result& r) {
                             std::erase(q->leaving, c);  // it may have had no room until now
                             c->result = r;
                             c->answered = c->data_done = true;
                             settle(*q, c);
                           });
  return {};
}

done send(workbench& bench, arguments args) {
  const auto name = args.take("a command to send");
  if (!name) return std::unexpected(name.error());
  const auto found = bench.capsules.get(*name);
  if (!found) return std::unexpected(found.error());
  const auto& c = *found;
  std::shared_ptr<queue_object> q;
  if (args.take_keyword("on")) {
    const auto where = args.take("a queue");
    if (!where) return std::unexpected(where.error());
    auto there = bench.queues.get(*where);
    if (!there) return std::unexpected(there.error());
    q = std::move(*there);
  } else {
    auto there = bench.current_queue(name->column);
    if (!there) return std::unexpected(there.error());
    q = std::move(*there);
  }
  if (auto d = args.end(); !d) return d;
  return dispatch(bench, q, c, *name);
}

}  // namespace

done dispatch(workbench& bench, const std::shared_ptr<queue_object>& q,
              const std::shared_ptr<capsule_object>& c, const word& at) {
  if (c->under_way())
    return wrong(fmt::format("{} is under way on {} already", c->name, c->queue), at.column);
  if (q->side != role::host)
    return wrong(fmt::format("{} is a controller's end: commands come there", q->name), at.column);
  c->result = {};
  c->answered = c->cid_known = false;
  c->data_done = c->memory == nullptr || c->memory->size() == 0;
  c->sent_at = bench.on().now();
  const auto sent = q->raw ? send_raw_queue(*q, c, at) : send_association(bench, q, c, at);
  if (!sent) return sent;
  c->state = capsule_state::sent;
  c->queue = q->name;
  q->under_way.push_back(c);
  if (c->memory) c->memory->use();
  return {};
}

std::expected<waited, complaint> wait_in_line(workbench& bench, const std::function<bool()>& there,
                                              std::chrono::nanoseconds limit, const line& of) {
  const bool person = of.source.empty();
  const std::uint64_t hits = bench.stopping.hits();
  const auto stopped = [&] { return person && bench.stopping.hits() != hits; };
  const auto came = bench.wait_until([&] { return there() || stopped(); }, limit);
  if (!came) return std::unexpected(came.error());
  return there() ? waited::there : stopped() ? waited::stopped : waited::late;
}

// How a command ended, in a line.
std::string ending(const capsule_object& c) {
  const double us = std::chrono::duration<double, std::micro>(c.ended_at - c.sent_at).count();
  const std::string what = c.result.error ? c.result.error.message()
                                          : to_text(c.result.status, set_of(c.command.opcode));
  return fmt::format("{}: {}, {} bytes, {:.1f} us", c.name, what, c.result.bytes, us);
}

namespace {

using commands = std::vector<std::shared_ptr<capsule_object>>;

// What `wait` waits for: `there` when it has come, `left` tells what has not.
struct awaited {
  commands which;
  std::function<bool()> there;
  std::function<std::string()> left;
  std::shared_ptr<connection_object> connection{};
};

awaited ends_of(commands which) {
  const auto ended = [which] {
    return std::ranges::none_of(which, [](const auto& c) { return c->under_way(); });
  };
  const auto left = [which] {
    std::string names;
    for (const auto& c : which)
      if (c->under_way()) names += " " + c->name;
    return "under way:" + names;
  };
  return {which, ended, left};
}

// "t1", "in7", "a1": names that are given to what comes by itself.
bool may_come(std::string_view name) {
  const std::size_t digits = name.find_first_of("0123456789");
  if (digits == std::string_view::npos || name[digits] == '0') return false;  // in1, not in0 or in
  return (name.starts_with("in") && digits == 2) || (name.starts_with("t") && digits == 1);
}

// Of a name that is no command of ours.
std::expected<awaited, complaint> coming(const workbench& bench, const word& name) {
  if (const auto c = bench.connections.find(name.text))
    return awaited{
        {}, [c] { return c->settled; }, [n = name.text] { return "connecting " + n; }, c};
  if (const auto in = bench.incoming.find(name.text))
    return awaited{{},
                   [in] { return in->fetches == 0; },
                   [n = name.text] { return "receiving the data of " + n; }};
  if (!may_come(name.text)) return std::unexpected(bench.capsules.get(name).error());
  return awaited{{},
                 [&bench, n = name.text] {
                   return bench.incoming.find(n) != nullptr || bench.queues.find(n) != nullptr;
                 },
                 [n = name.text] { return "waiting for " + n; }};
}

std::expected<awaited, complaint> take_awaited(const workbench& bench, arguments& args) {
  const std::size_t column = args.column();
  if (args.empty() || args.take_keyword("all")) {
    commands which;
    for (const auto& [name, q] : bench.queues.all())
      which.insert(which.end(), q->under_way.begin(), q->under_way.end());
    if (which.empty()) return wrong("nothing is under way", column);
    return ends_of(std::move(which));
  }
  const auto name = args.take("a command");
  const auto c = bench.capsules.find(name->text);
  if (!c) return coming(bench, *name);
  if (c->state == capsule_state::built)
    return wrong(fmt::format("{} has not been sent, there is nothing to wait for", name->text),
                 name->column);
  return ends_of({c});
}

done wait(workbench& bench, arguments args) {
  std::chrono::nanoseconds limit = bench.options.timeout;
  const std::size_t column = args.column();
  const auto what = take_awaited(bench, args);
  if (!what) return std::unexpected(what.error());
  if (const word* w = args.peek()) {
    const auto t = time_of(*w, "timeout");
    if (!t) return std::unexpected(t.error());
    limit = *t;
    (void)args.take("");
  }
  if (auto d = args.end(); !d) return d;
  const auto there = wait_in_line(bench, what->there, limit, args.line());
  if (!there) return std::unexpected(there.error());
  for (const auto& c : what->which)
    if (!c->under_way()) bench.say(ending(*c));
  if (*there == waited::there && what->connection && !what->connection->up)
    return wrong(fmt::format("{} has not come up", what->connection->name), column,
                 status_of(*what->connection->failure));
  if (*there == waited::there) return {};
  if (*there == waited::stopped) {
    bench.say(fmt::format("still {}{}", what->left(), paused_hint(bench)));
    return {};
  }
  return wrong(
      fmt::format("still {} after {}{}", what->left(), wire::time_text(limit), paused_hint(bench)),
      column, exit_status::timeout);
}

constexpr std::array<example, 2> send_examples{{
    {"send r", "on the queue in use; the prompt comes back at once"},
    {"send id on a1:0", "on the admin queue"},
}};
constexpr std::array<example, 4> wait_examples{{
    {"wait in1", "until a host has sent a command, and receives of it have ended"},
    {"wait r", "until it has ended, for as long as `timeout` says"},
    {"wait all 5s", "until nothing is under way"},
    {"wait", "the same as wait all"},
}};

}  // namespace

void add_sending_verbs(verb_list& to) {
  const auto add = [&](verb_info info, simple_verb::action does) {
    to.push_back(std::make_unique<simple_verb>(info, does));
  };
  add({"send", "SQE [on QUEUE]", "send a command",
       "It is under way then: its callbacks print as they fire, `wait` waits for its end.",
       send_examples},
      send);
  add({"wait", "[SQE|all|IN|QUEUE|CONNECTION] [TIME]", "wait for something to end or to come",
       "A command, or all that are under way, to end; a received command (in1) or an accepted "
       "queue (t1) to come, or receives of the former to end; a connect nowait to be up.",
       wait_examples},
      wait);
}

}  // namespace nvmf::cli::repl
