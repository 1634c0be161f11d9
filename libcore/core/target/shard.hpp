// SPDX-License-Identifier: BSD-2-Clause
// The part of a target that lives on one executor: its connections. Everything of a connection
// happens there. What two connections on different executors have to say to each other travels as a
// post that names the other by number; if it is gone by then, the post finds nothing.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <nvmf/target.hpp>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "directory.hpp"

namespace nvmf {

class session;
class shard;

// What the shards of a target share. Outlives them.
struct target_state {
  target_limits limits;
  observer* watched_by = nullptr;
  target::callbacks calls;
  directory entries;
  std::vector<std::shared_ptr<shard>> shards;
  std::atomic<std::uint32_t> connections{0};
  std::atomic<std::uint64_t> last_session{0};
  std::atomic<bool> stopping{false};

  void notice(std::string_view text) const {
    if (calls.on_notice) calls.on_notice(text);
  }
};

// What a session knows of the listener it came from.
struct listener_view {
  bool discovery_only = false;
  std::uint8_t trtype = 0;
  std::uint32_t in_capsule_bytes = 0;  // I/O queues
};

class shard : public std::enable_shared_from_this<shard> {
 public:
  shard(executor& on, target_state& state);
  ~shard();

  executor& on() const { return on_; }
  target_state& state() const { return state_; }

  // Runs `use(session&)` here, if the session is still there then. Any thread.
  template <class Use>
  void with_session(std::uint64_t id, Use use) {
    on_.post([self = shared_from_this(), id, run = std::move(use)]() mutable {
      if (session* s = self->find(id)) run(*s);
    });
  }
  // As with_session, and `missing()` when it is gone; neither runs when the target is gone.
  template <class Use, class Missing>
  void with_session_or(std::uint64_t id, Use use, Missing missing) {
    on_.post([self = shared_from_this(), id, run = std::move(use),
              other = std::move(missing)]() mutable {
      if (self->closed_) return;
      if (session* s = self->find(id))
        run(*s);
      else
        other();
    });
  }
  // Runs `use(session&)` for every session here. Any thread.
  void for_each(std::function<void(session&)> use);

  // The rest: on this executor only.
  void accept(qpair q, std::shared_ptr<const listener_view> from);
  session* find(std::uint64_t id);
  // Closes the connection after the current callback and forgets the session.
  void remove_soon(std::uint64_t id);
  // Ends every session, for good: from then on this shard touches nothing outside of it, and
  // `done` says so.
  void end_all(std::string_view why, std::function<void()> done);
  // The target goes away with all its reactors stopped.
  void abandon();

 private:
  void remove(std::uint64_t id);
  void note_gone();
  // With all connections taken: ends one that has not become a queue. False: there is none here.
  bool make_room();

  executor& on_;
  target_state& state_;
  std::unordered_map<std::uint64_t, std::unique_ptr<session>> sessions_;
  std::size_t gone_ = 0;  // sessions that have left since spare memory was given back
  std::function<void()> when_empty_;
  bool closed_ = false;
};

}  // namespace nvmf
