// SPDX-License-Identifier: BSD-2-Clause
// qpairs, use, close, limits, namespaces: what there is, and its end.
#include <fmt/format.h>

#include "../fault_option.hpp"
#include "../verbs.hpp"
#include "../workbench.hpp"
#include "render/text.hpp"

namespace nvmf::cli::repl {
namespace {

// Commands that a person has yet to answer.
std::size_t waiting_on(const workbench& bench, const queue_object& q) {
  return static_cast<std::size_t>(std::ranges::count_if(bench.incoming.all(), [&](const auto& in) {
    return in.second->handle && in.second->of.lock().get() == &q;
  }));
}

done list(workbench& bench, arguments args) {
  if (auto d = args.end(); !d) return d;
  for (const auto& [name, q] : bench.queues.all()) {
    const auto c = q->of.lock();
    const qpair* const at = reach(*q);
    const std::string state = q->ended        ? *q->ended
                              : c && !c->up   ? "lost"
                              : is_paused(*q) ? "paused"
                                              : "up";
    const std::string peer = c ? c->uri : at != nullptr ? at->peer() : "";
    bench.say(fmt::format(
        "{} {:<8} queue {:<3} {:<10} {:>3} under way  {}  {}", name == bench.current() ? "*" : " ",
        name, at != nullptr ? at->inside().qid : q->qid,
        q->side == role::host ? "host" : "controller",
        q->side == role::host ? q->under_way.size() : waiting_on(bench, *q), state, peer));
  }
  for (const auto& [name, c] : bench.connections.all())
    if (!c->settled) bench.say(fmt::format("  {:<8} is being connected  {}", name, c->uri));
  for (const auto& [name, l] : bench.listeners.all())
    bench.say(fmt::format("  {:<8} listens  {}", name, l->uri));
  return {};
}

done use(workbench& bench, arguments args) {
  const auto name = args.take("a queue");
  if (!name) return std::unexpected(name.error());
  const auto q = bench.queues.get(*name);
  if (!q) return std::unexpected(q.error());
  if (auto d = args.end(); !d) return d;
  bench.use(name->text);
  return {};
}

done check_idle(const workbench& bench, const queue_object& q, const word& name) {
  if (!q.under_way.empty())
    return wrong(fmt::format("{} has {} command{} under way: wait all, or close {} now", q.name,
                             q.under_way.size(), q.under_way.size() == 1 ? "" : "s", name.text),
                 name.column);
  if (const std::size_t n = waiting_on(bench, q); n > 0 && !q.ended)
    return wrong(fmt::format("{} has {} command{} to answer: respond, or close {} now", q.name, n,
                             n == 1 ? "" : "s", name.text),
                 name.column);
  return {};
}

done close_queue(workbench& bench, const word& name, bool now) {
  const auto found = bench.queues.get(name);
  if (!found) return std::unexpected(found.error());
  const auto& q = *found;
  if (q->of.lock())
    return wrong(fmt::format("{} belongs to a connection: close {}", name.text,
                             name.text.substr(0, name.text.find(':'))),
                 name.column);
  if (!q->shown.expired())
    return wrong(fmt::format("{} belongs to the built-in target: close {}, or reset {}", q->name,
                             q->listener, q->name),
                 name.column);
  if (!now)
    if (auto d = check_idle(bench, *q, name); !d) return d;
  lose_commands(bench.incoming.all(), *q, "its queue was closed");
  q->raw.close();
  bench.settle();
  tell_faults(bench, q->name, q->plan);
  bench.queues.remove(name.text);
  return {};
}

done close_listener(workbench& bench, const std::shared_ptr<listener_object>& l) {
  l->made.reset();
  if (l->serves) {
    bool stopped = false;
    l->serves->stop([&stopped] { stopped = true; });
    const auto there = bench.wait_until([&] { return stopped; }, bench.options.timeout);
    if (!there) return std::unexpected(there.error());
    l->hand_over = {};
    l->serves.reset();
  }
  bench.settle();
  tell_faults(bench, l->name, l->plan);
  bench.listeners.remove(l->name);
  return {};
}

done close_connection(workbench& bench, const std::shared_ptr<connection_object>& c,
                      const word& name, bool now) {
  std::vector<std::string> queues;
  for (const auto& [key, q] : bench.queues.all())
    if (q->of.lock() == c) {
      if (!now)
        if (auto d = check_idle(bench, *q, name); !d) return d;
      queues.push_back(key);
    }
  bool down = false;
  c->watched_by->be_quiet(true);
  bench.connections.remove(name.text);
  if (c->up) {
    c->with->shutdown([&down](std::error_code) { down = true; });
    if (const auto there = bench.wait_until([&] { return down; }, bench.options.timeout * 2);
        !there) {
      bench.connections.put(c);
      return std::unexpected(there.error());
    }
  }
  c->with.reset();
  bench.settle();
  tell_faults(bench, c->name, c->plan);
  for (const auto& q : queues) bench.queues.remove(q);
  return {};
}

done close(workbench& bench, arguments args) {
  const auto name = args.take("a queue, connection or listener");
  if (!name) return std::unexpected(name.error());
  const bool now = args.take_keyword("now");
  if (auto d = args.end(); !d) return d;
  if (const auto c = bench.connections.find(name->text))
    return close_connection(bench, c, *name, now);
  if (const auto l = bench.listeners.find(name->text)) return close_listener(bench, l);
  return close_queue(bench, *name, now);
}

// The connection that a queue belongs to, or the only one.
std::expected<std::shared_ptr<connection_object>, complaint> take_connection(workbench& bench,
                                                                             arguments& args) {
  if (const word* w = args.peek()) {
    const auto c = bench.connections.get(*w);
    if (c) (void)args.take("");
    return c;
  }
  if (const auto q = bench.queues.find(bench.current()))
    if (auto c = q->of.lock()) return c;
  return wrong("name a connection: connect URI makes one", args.column());
}

done limits(workbench& bench, arguments args) {
  if (const word* w = args.peek(); (w != nullptr && bench.queues.find(w->text)) ||
                                   (w == nullptr && bench.queues.find(bench.current()))) {
    const auto q = bench.queues.find(w != nullptr ? w->text : bench.current());
    if (const qpair* const at = reach(*q); at != nullptr && !q->of.lock()) {
      const qpair_limits l = at->limits();
      bench.say(fmt::format(
          "queue {} of {} entries, in-capsule data {} bytes, MAXH2CDATA {}, "
          "R2Ts {}, HPDA {} CPDA {} bytes, digests {}{}",
          q->qid, l.queue_size, l.max_in_capsule, l.max_h2c_data, l.max_r2t, l.host_alignment,
          l.controller_alignment, l.header_digest ? "header " : "", l.data_digest ? "data" : ""));
      return {};
    }
  }
  const auto c = take_connection(bench, args);
  if (!c) return std::unexpected(c.error());
  if (auto d = args.end(); !d) return d;
  text_table rows;
  for (const limit_row& r : (*c)->with->limits()) rows.add({r.name, r.value, r.source});
  bench.say(rows.str());
  return {};
}

done namespaces(workbench& bench, arguments args) {
  const auto c = take_connection(bench, args);
  if (!c) return std::unexpected(c.error());
  if (auto d = args.end(); !d) return d;
  for (const namespace_info& n : (*c)->with->namespaces())
    bench.say(fmt::format("{}  {} blocks of {} bytes", n.nsid, n.blocks, n.block_size));
  return {};
}

constexpr std::array<example, 1> qpairs_examples{{{"qpairs", "* is the one in use"}}};
constexpr std::array<example, 1> use_examples{
    {{"use a1:0", "what follows goes to the admin queue"}}};
constexpr std::array<example, 1> close_examples{{{"close a1", "a clean shutdown"}}};
constexpr std::array<example, 1> limits_examples{{{"limits a1", "each with where it comes from"}}};
constexpr std::array<example, 1> namespaces_examples{{{"namespaces", "of the connection in use"}}};

}  // namespace

void add_queue_verbs(verb_list& to) {
  const auto add = [&](verb_info info, simple_verb::action does) {
    to.push_back(std::make_unique<simple_verb>(info, does));
  };
  add({"qpairs", "", "list the queues", "", qpairs_examples}, list);
  add({"use", "QUEUE", "choose the queue that commands go to", "", use_examples}, use);
  add({"close", "QUEUE|CONNECTION|LISTENER [now]", "end a queue, a connection or a listener",
       "Commands under way keep it from closing unless `now` is said; they end as aborted then.",
       close_examples},
      close);
  add({"limits", "[QUEUE|CONNECTION]", "show what was settled", "", limits_examples}, limits);
  add({"namespaces", "[CONNECTION]", "list the namespaces", "", namespaces_examples}, namespaces);
}

}  // namespace nvmf::cli::repl
