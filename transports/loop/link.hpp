// SPDX-License-Identifier: BSD-2-Clause
// What the two ends of a loop share, and the only thing that both of their threads touch.
#pragma once

#include <algorithm>
#include <deque>
#include <mutex>

#include "message.hpp"

namespace nvmf::loop {

class end;

class link {
 public:
  // Once per side, before anything is pushed.
  void attach(role side, std::shared_ptr<end> who);
  // Nothing is queued for this side any more; what was queued is the caller's to dispose of.
  std::vector<message> detach(role side);

  // Queues `m` for that side and sees to it that its end drains; when the side has been detached
  // the message is dropped here, what it returns there.
  void push(role to, message m);
  // Moves all that is queued for that side to the end of `into`.
  void take(role side, std::vector<message>& into);

  // What `read` makes of the first that is queued for that side and passes `wanted`.
  template <class Wanted, class Read>
  bool look(role side, Wanted wanted, Read read) {
    direction_queue& q = queue_to(side);
    const std::scoped_lock hold(q.lock);
    const auto first = std::ranges::find_if(q.queue, wanted);
    if (first == q.queue.end()) return false;
    read(*first);
    return true;
  }

  // Memory for in-capsule data, used again and again.
  std::vector<std::byte> take_block(std::size_t size);
  void give_block(std::vector<std::byte> block);

  // The controller's side of a fetch: memory that the host's thread may write until the controller
  // says otherwise. Tags are the controller's to choose, small and dense.
  void open_target(std::uint32_t tag, std::uint32_t generation, const memdesc& mem);
  void close_target(std::uint32_t tag);
  void close_targets();
  // Host: copies if the target is still open.
  void copy_to_target(std::uint32_t tag, std::uint32_t generation, std::size_t at,
                      const memdesc& from, std::size_t offset, std::size_t length);

 private:
  struct direction_queue {
    std::mutex lock;
    std::shared_ptr<end> to;
    executor* on = nullptr;  // of that end, also when it is gone
    std::vector<message> queue;
    bool drain_posted = false;
  };
  struct target {
    memdesc mem;
    std::uint32_t generation = 0;
    bool open = false;
  };
  direction_queue& queue_to(role side) { return side == role::host ? to_host_ : to_controller_; }

  direction_queue to_host_, to_controller_;
  std::mutex blocks_lock_;
  std::vector<std::vector<std::byte>> blocks_;
  std::mutex targets_lock_;
  std::vector<target> targets_;
};

}  // namespace nvmf::loop
