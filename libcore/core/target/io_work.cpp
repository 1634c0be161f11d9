// SPDX-License-Identifier: BSD-2-Clause
#include "io_work.hpp"

#include <algorithm>
#include <cassert>

#include "io_queue.hpp"

namespace nvmf {

void io_command::clear() {
  handle.reset();
  block.reset();
  in_hand = {};
  ns = nullptr;
  request = {};
  index = 0;
  moved = piece = 0;
  done = again = false;
}

io_store::io_store(io_queue& queue, std::size_t commands_max)
    : queue_(&queue), commands_max_(commands_max) {}

io_command* io_store::take() {
  if (free_ == nullptr) {
    free_ = std::exchange(resting_, nullptr);
    if (free_ == nullptr && !grow()) return nullptr;
  }
  ++in_use_;
  io_command* c = free_;
  free_ = std::exchange(c->next, nullptr);
  return c;
}

bool io_store::grow() {
  if (chunks_.size() * chunk >= commands_max_) return false;
  const std::size_t n = std::min(chunk, commands_max_ - chunks_.size() * chunk);
  auto& more = chunks_.emplace_back(std::make_unique<io_command[]>(n));
  for (std::size_t i = 0; i < n; ++i) {
    more[i].store = this;
    more[i].next = std::exchange(free_, &more[i]);
  }
  if (grown()) queue_->on_grown();
  return true;
}

std::size_t io_store::rest() {
  if (in_use_ > 0 || chunks_.empty()) return 0;
  if (resting_ == nullptr) {
    resting_ = std::exchange(free_, nullptr);
    return 0;
  }
  resting_ = nullptr;
  return std::exchange(chunks_, {}).size() * chunk * sizeof(io_command);
}

void io_store::give_back(io_command& c) {
  assert(!c.out_held && c.charged == 0 && c.table == nullptr);
  c.clear();
  c.next = std::exchange(free_, &c);
  --in_use_;
}

void io_store::set_table(table_ptr table) {
  std::erase_if(tables_, [](const auto& t) { return t->users == 0; });
  tables_.push_back(std::make_unique<held_table>(held_table{std::move(table), 0}));
}

void io_store::unuse_table(held_table& t) {
  if (--t.users > 0 || &t == tables_.back().get()) return;
  std::erase_if(tables_, [&](const auto& held) { return held.get() == &t; });
}

backend_ticket::backend_ticket(io_command& c) : command_(&c) {
  c.store->hold();
  if (io_queue* q = c.store->queue()) q->backend_begins();
}

backend_ticket::~backend_ticket() {
  if (command_ == nullptr) return;
  io_store* store = command_->store;
  if (io_queue* q = store->queue()) q->backend_ends();
  store->let_go();
}

}  // namespace nvmf
