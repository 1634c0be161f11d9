// SPDX-License-Identifier: BSD-2-Clause
#include "shard.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/spare_memory.hpp"
#include "session.hpp"

namespace nvmf {

// Fewer sessions that end are not worth the walk through the heap.
constexpr std::size_t crowd_min = 64;

shard::shard(executor& on, target_state& state) : on_(on), state_(state) {}
shard::~shard() = default;

session* shard::find(std::uint64_t id) {
  const auto found = sessions_.find(id);
  return found == sessions_.end() ? nullptr : found->second.get();
}

void shard::for_each(std::function<void(session&)> use) {
  on_.post([self = shared_from_this(), run = std::move(use)] {
    // A session may end while it is visited, but never leaves the map before the visit is over.
    for (const auto& [id, s] : self->sessions_) run(*s);
  });
}

void shard::accept(qpair q, std::shared_ptr<const listener_view> from) {
  if (closed_ || state_.stopping) return;
  if (state_.calls.may_admit && !state_.calls.may_admit())
    return state_.notice(
        fmt::format("{}: refused, memory is short (ulimit -v, or what the system has)", q.peer()));
  if (state_.connections.fetch_add(1) >= state_.limits.connections && !make_room()) {
    state_.connections.fetch_sub(1);
    state_.notice(fmt::format("{}: refused, {} connections are the limit", q.peer(),
                              state_.limits.connections));
    return;
  }
  const std::uint64_t id = ++state_.last_session;
  auto& made = sessions_[id];
  made = std::make_unique<session>(*this, id, std::move(q), std::move(from));
  made->start();
}

// Whoever connects and says nothing must not keep others out: the longest silent one goes.
bool shard::make_room() {
  const session* oldest = nullptr;
  for (const auto& [id, s] : sessions_)
    if (s->role() == nullptr && (oldest == nullptr || id < oldest->id())) oldest = s.get();
  if (oldest == nullptr) return false;
  state_.notice(
      fmt::format("{}: closed to make room for another, it has sent no Connect", oldest->peer()));
  remove(oldest->id());
  return true;
}

void shard::remove_soon(std::uint64_t id) {
  on_.post([self = shared_from_this(), id] { self->remove(id); });
}

void shard::remove(std::uint64_t id) {
  auto node = sessions_.extract(id);
  if (node.empty()) return;
  node.mapped()->close();
  node = {};
  state_.connections.fetch_sub(1);
  note_gone();
  if (sessions_.empty() && when_empty_) {
    closed_ = true;
    std::exchange(when_empty_, nullptr)();
  }
}

// Whenever as many have gone as are left: a crowd leaves nothing behind, and hosts that come and go
// one by one among many cost next to nothing.
void shard::note_gone() {
  if (++gone_ < std::max(crowd_min, sessions_.size())) return;
  gone_ = 0;
  on_.post([] { give_back_spare_memory(); });  // the connections go after their last callbacks
}

void shard::end_all(std::string_view why, std::function<void()> done) {
  if (sessions_.empty()) {
    closed_ = true;
    return done();
  }
  when_empty_ = std::move(done);
  for (const auto& [id, s] : sessions_) s->end(why);
}

void shard::abandon() {
  closed_ = true;
  when_empty_ = nullptr;
  const auto gone = std::exchange(sessions_, {});
  for (const auto& [id, s] : gone) s->close();
}

}  // namespace nvmf
