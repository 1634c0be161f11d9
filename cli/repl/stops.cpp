// SPDX-License-Identifier: BSD-2-Clause
#include "stops.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "shown_queues.hpp"
#include "workbench.hpp"

namespace nvmf::cli::repl {

bool break_point::is_for(const queue_object& q) const {
  return (queue.empty() || queue == q.name) && (q.pdus ? pdus : capsules).has_value();
}

done stops::add(break_point b) {
  b.number = made_ + 1;
  breaks_.push_back(std::move(b));
  for (const auto& [name, q] : bench_.queues.all()) {
    const auto armed = arm(q);
    if (armed) continue;
    breaks_.pop_back();
    return armed;
  }
  ++made_;
  return {};
}

bool stops::remove(std::uint64_t number) {
  const auto gone = std::erase_if(
      breaks_, [number](const break_point& b) { return number == 0 || b.number == number; });
  for (const auto& [name, q] : bench_.queues.all()) (void)arm(q);
  return gone > 0;
}

// Without break points a qpair reads and writes as many PDUs at a time as there are.
done stops::arm(const std::shared_ptr<queue_object>& q) {
  const bool wanted =
      std::ranges::any_of(breaks_, [&](const break_point& b) { return b.is_for(*q); });
  if (wanted == q->armed) return {};
  qpair* const at = reach(*q);
  if (at == nullptr) return {};
  break_condition when;
  if (wanted)
    when = [this, weak = std::weak_ptr(q)](const event& e) noexcept {
      const auto here = weak.lock();
      return here && asked(*here, e);
    };
  if (const auto failed = at->break_when(std::move(when)))
    return wrong(fmt::format("{}: {}", q->name, failed.message()));
  q->armed = wanted;
  return {};
}

bool stops::asked(queue_object& q, const event& e) noexcept {
  if (e.type == event_type::sent || e.type == event_type::received) return false;
  const seen_event seen{record(e), q.name};
  for (break_point& b : breaks_) {
    if (!b.is_for(q) || !(q.pdus ? b.pdus : b.capsules)->matches(seen)) continue;
    ++b.hits;
    q.hit = fmt::format("break point {} ({})", b.number, b.text);
    q.hit_by =
        fmt::format("{}{} {}", event_name(e.type), e.has_cid ? fmt::format(" cid {}", e.cid) : "",
                    event_details(seen.what));
    return true;
  }
  return false;
}

void stops::on_paused(queue_object& q) {
  q.stands = std::exchange(q.hit, {});
  if (q.stands.empty()) return;
  ++hits_;
  bench_.say(fmt::format("{} is paused by {}: {}", bench_.look()(tone::strong, q.name), q.stands,
                         std::exchange(q.hit_by, {})));
}

qpair* reach(const queue_object& q) {
  if (q.ended) return nullptr;
  if (q.raw) return const_cast<qpair*>(&q.raw);
  if (const auto shown = q.shown.lock()) return &shown->below();
  const auto c = q.of.lock();
  return c && c->with ? c->with->queue(q.qid) : nullptr;
}

std::expected<qpair*, complaint> reach(const queue_object& q, std::size_t column) {
  if (q.ended) return wrong(fmt::format("{} is no more: {}", q.name, *q.ended), column);
  if (qpair* const at = reach(q)) return at;
  return wrong(fmt::format("{} is no more", q.name), column);
}

namespace {

std::expected<reached, complaint> reached_at(
    std::expected<std::shared_ptr<queue_object>, complaint> q, std::size_t column) {
  if (!q) return std::unexpected(q.error());
  const auto at = reach(**q, column);
  if (!at) return std::unexpected(at.error());
  return reached{std::move(*q), *at};
}

}  // namespace

std::expected<reached, complaint> take_queue(const workbench& bench, arguments& args) {
  const std::size_t column = args.column();
  if (args.empty()) return reached_at(bench.current_queue(column), column);
  return reached_at(bench.queues.get(*args.take("a queue")), column);
}

std::expected<reached, complaint> paused_queue(const workbench& bench,
                                               const std::optional<word>& name,
                                               std::size_t column) {
  std::vector<std::shared_ptr<queue_object>> paused;
  for (const auto& [key, q] : bench.queues.all())
    if (is_paused(*q)) paused.push_back(q);
  const auto current = bench.queues.find(bench.current());
  if (!name && paused.size() == 1 && (!current || !is_paused(*current)))
    return reached{paused.front(), reach(*paused.front())};
  auto q = name ? reached_at(bench.queues.get(*name), name->column)
                : reached_at(bench.current_queue(column), column);
  if (!q || q->at->paused()) return q;
  std::string others;
  for (const auto& p : paused) others += (others.empty() ? "; paused: " : ", ") + p->name;
  return wrong(fmt::format("{} is not paused: pause {} makes it stand still{}", q->queue->name,
                           q->queue->name, others),
               name ? name->column : column);
}

bool is_paused(const queue_object& q) {
  const qpair* const at = reach(q);
  return at != nullptr && at->paused();
}

std::string paused_text(const queue_object& q) {
  return fmt::format("{} is paused{}{}", q.name, q.stands.empty() ? "" : " by ", q.stands);
}

std::string paused_hint(const workbench& bench) {
  std::string text;
  for (const auto& [name, q] : bench.queues.all())
    if (is_paused(*q)) text += "; " + paused_text(*q);
  if (!text.empty()) text += ": `step` does one action, `continue` lets it go on";
  return text;
}

}  // namespace nvmf::cli::repl
