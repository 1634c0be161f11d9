// SPDX-License-Identifier: BSD-2-Clause
#include "link.hpp"

#include <iterator>

#include "end.hpp"

namespace nvmf::loop {
namespace {

void copy(const memdesc& from, std::size_t offset, const memdesc& to, std::size_t at,
          std::size_t length) {
  segment some[16];
  while (length > 0) {
    const std::size_t n = from.pieces(offset, length, some);
    for (std::size_t i = 0; i < n; ++i) {
      to.copy_in(at, {some[i].data, some[i].size});
      at += some[i].size;
      offset += some[i].size;
      length -= some[i].size;
    }
  }
}

}  // namespace

void link::attach(role side, std::shared_ptr<end> who) {
  direction_queue& q = queue_to(side);
  const std::scoped_lock hold(q.lock);
  q.on = who->who().runs_on;
  q.to = std::move(who);
}

std::vector<message> link::detach(role side) {
  direction_queue& q = queue_to(side);
  std::shared_ptr<end> gone;  // goes after the lock
  const std::scoped_lock hold(q.lock);
  gone = std::exchange(q.to, nullptr);
  return std::exchange(q.queue, {});
}

void link::push(role to, message m) {
  direction_queue& q = queue_to(to);
  const std::scoped_lock hold(q.lock);
  if (q.to == nullptr) {
    // Nobody is there any more, but a buffer is released where it was made.
    if (m.kind == loop_kind::returned) q.on->post([gone = std::move(m)] {});
    return;
  }
  q.queue.push_back(std::move(m));
  if (q.drain_posted) return;
  q.drain_posted = true;
  q.to->who().runs_on->post([who = q.to] { who->drain(); });
}

void link::take(role side, std::vector<message>& into) {
  direction_queue& q = queue_to(side);
  const std::scoped_lock hold(q.lock);
  q.drain_posted = false;
  if (into.empty()) return into.swap(q.queue);
  std::ranges::move(q.queue, std::back_inserter(into));
  q.queue.clear();
}

std::vector<std::byte> link::take_block(std::size_t size) {
  std::vector<std::byte> block;
  {
    const std::scoped_lock hold(blocks_lock_);
    if (!blocks_.empty()) {
      block = std::move(blocks_.back());
      blocks_.pop_back();
    }
  }
  block.resize(size);
  return block;
}

void link::give_block(std::vector<std::byte> block) {
  if (block.capacity() == 0) return;
  const std::scoped_lock hold(blocks_lock_);
  blocks_.push_back(std::move(block));
}

void link::open_target(std::uint32_t tag, std::uint32_t generation, const memdesc& mem) {
  const std::scoped_lock hold(targets_lock_);
  if (tag >= targets_.size()) targets_.resize(tag + 1);
  targets_[tag] = {mem, generation, true};
}

void link::close_target(std::uint32_t tag) {
  const std::scoped_lock hold(targets_lock_);
  targets_[tag].open = false;
}

void link::close_targets() {
  const std::scoped_lock hold(targets_lock_);
  for (target& t : targets_) t.open = false;
}

void link::copy_to_target(std::uint32_t tag, std::uint32_t generation, std::size_t at,
                          const memdesc& from, std::size_t offset, std::size_t length) {
  // The copy is made under the lock: once close_target has returned nobody writes there.
  const std::scoped_lock hold(targets_lock_);
  if (tag >= targets_.size()) return;
  const target& t = targets_[tag];
  if (t.open && t.generation == generation) copy(from, offset, t.mem, at, length);
}

}  // namespace nvmf::loop
