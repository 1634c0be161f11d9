// SPDX-License-Identifier: BSD-2-Clause
// What an I/O command does between its arrival and its response: memory, the host's data, the
// backend. Data moves in pieces; a command within MDTS is one.
#include <algorithm>
#include <cstring>

#include "io_queue.hpp"

namespace nvmf {

using engine::io_kind;
using wire::status_code;

void io_queue::advance(io_command& c) {
  c.again = true;
  if (c.stepping) return;  // the loop below goes on
  c.stepping = true;
  while (c.again && !c.done) {
    c.again = false;
    step(c);
  }
  c.stepping = false;
  settle(c);
}

void io_queue::step(io_command& c) {
  switch (c.request.kind) {
    case io_kind::read:
    case io_kind::verify:
      return read_piece(c);
    case io_kind::write:
    case io_kind::compare:
    case io_kind::deallocate:
    case io_kind::hint:
      return c.in_hand.empty() ? fetch_piece(c) : use_piece(c);
    case io_kind::write_zeroes:
      return write_zeroes(c);
    case io_kind::flush:
      return flush_next(c);
  }
}

bool io_queue::charge(io_command& c, std::uint64_t bytes) {
  const bool others_first = waiting_first_ != nullptr && !resuming_;
  if (others_first || (memory_ > 0 && memory_ + bytes > memory_max_)) {
    wait_for_memory(c, bytes);
    return false;
  }
  memory_ += bytes;
  c.charged += bytes;
  return true;
}

void io_queue::uncharge(io_command& c) {
  memory_ -= std::exchange(c.charged, 0);
  if (waiting_first_ != nullptr) resume_soon();
}

void io_queue::wait_for_memory(io_command& c, std::uint64_t bytes) {
  c.wanted = bytes;
  c.next = nullptr;
  (waiting_last_ == nullptr ? waiting_first_ : waiting_last_->next) = &c;
  waiting_last_ = &c;
}

void io_queue::resume_soon() {
  if (std::exchange(resume_posted_, true)) return;
  on().post([hold = store_hold(*store_)] {
    if (io_queue* q = hold.queue()) q->resume();
  });
}

void io_queue::resume() {
  resume_posted_ = false;
  if (session_.ending()) return;
  while (io_command* c = waiting_first_) {
    if (memory_ > 0 && memory_ + c->wanted > memory_max_) break;
    waiting_first_ = std::exchange(c->next, nullptr);
    if (waiting_first_ == nullptr) waiting_last_ = nullptr;
    resuming_ = true;
    advance(*c);
    resuming_ = false;
  }
  while (!backlog_.empty()) {
    io_command* c = store_->take();
    if (c == nullptr) break;
    c->handle = std::move(backlog_.front());
    backlog_.pop_front();
    c->cid = c->handle.cid();
    begin(*c);
  }
}

bool io_queue::durable(const io_command& c) const {
  return c.request.durable || link_->flags->write_through.load(std::memory_order_relaxed);
}

// Bytes of the blocks that a command is about, and how many of them come next.
std::uint32_t io_queue::next_piece(const io_command& c) const {
  const std::uint64_t all = c.request.kind == io_kind::verify
                                ? std::uint64_t{c.request.blocks} << c.ns->view.block_shift()
                                : c.request.bytes;
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(all - c.moved, piece_max_));
}

void io_queue::fetch_piece(io_command& c) {
  const auto here = queue_.in_capsule_data(c.handle);
  if (c.moved == 0 && here.size() >= c.request.bytes) {
    c.piece = c.request.bytes;
    c.in_hand = here.first(c.piece);
    return use_piece(c);
  }
  c.piece = next_piece(c);
  // All that the piece will need at once: commands that hold some and wait for more would wait for
  // each other.
  const std::uint64_t needs = std::uint64_t{c.piece} * (c.request.kind == io_kind::compare ? 2 : 1);
  if (!charge(c, needs)) return;
  c.block = pooled_block(c.piece);
  if (!c.block) return finish(c, no_memory);
  const auto error = queue_.receive_controller_data(
      c.handle, c.moved, memdesc::of(c.block.bytes()), c.piece,
      [&c](std::size_t, std::error_code failed) { c.store->queue()->on_fetched(c, failed); });
  if (error) finish(c, {status_code::data_sgl_length_invalid, true});
}

void io_queue::on_fetched(io_command& c, std::error_code error) {
  if (!error) {
    c.in_hand = c.block.bytes();
    return advance(c);
  }
  if (session_.ending() || error == errc::aborted) return drop(c);
  // The connection lives: only this command failed, and may be tried again.
  finish(c, error == errc::data_digest ? status_code::transient_transport_error
                                       : status_code::data_transfer_error);
}

void io_queue::use_piece(io_command& c) {
  switch (c.request.kind) {
    case io_kind::write:
      return write_piece(c);
    case io_kind::compare:
      return compare_piece(c);
    case io_kind::deallocate:
      return deallocate_next(c);
    default:
      return finish(c, {});  // a hint
  }
}

void io_queue::piece_done(io_command& c, status s) {
  if (!s.ok()) return finish(c, s);
  c.moved += c.piece;
  if (c.moved == c.request.bytes) return finish(c, {});
  c.in_hand = {};
  c.block.reset();
  uncharge(c);
  advance(c);
}

void io_queue::write_piece(io_command& c) {
  const std::uint64_t lba = c.request.lba + (c.moved >> c.ns->view.block_shift());
  c.ns->store->write(on(), lba, c.in_hand, durable(c), [t = backend_ticket(c)](status s) {
    if (io_queue* q = t.queue()) q->piece_done(t.command(), s);
  });
}

void io_queue::compare_piece(io_command& c) {
  if (c.charged == 0 && !charge(c, c.piece)) return;
  const unsigned shift = c.ns->view.block_shift();
  c.ns->store->read(on(), c.request.lba + (c.moved >> shift), c.piece >> shift,
                    [t = backend_ticket(c)](status s, buffer data) {
                      io_queue* q = t.queue();
                      if (q == nullptr) return;
                      io_command& command = t.command();
                      if (s.ok() && !std::ranges::equal(data.bytes(), command.in_hand))
                        s = {status_code::compare_failure, true};
                      data.reset();
                      q->piece_done(command, s);
                    });
}

void io_queue::deallocate_next(io_command& c) {
  // All ranges are checked before the first is touched.
  if (c.index == 0)
    for (std::size_t i = 0; i < c.request.ranges; ++i)
      if (const auto r = engine::read_range(c.in_hand, i, c.ns->view); !r)
        return finish(c, r.error().status);
  engine::block_range range;
  while (c.index < c.request.ranges && range.blocks == 0)
    range = *engine::read_range(c.in_hand, c.index++, c.ns->view);
  if (range.blocks == 0) return finish(c, {});
  c.ns->store->deallocate(on(), range.lba, range.blocks, [t = backend_ticket(c)](status s) {
    io_queue* q = t.queue();
    if (q == nullptr) return;
    s.ok() ? q->advance(t.command()) : q->finish(t.command(), s);
  });
}

void io_queue::read_piece(io_command& c) {
  c.piece = next_piece(c);
  if (!charge(c, c.piece)) return;
  const unsigned shift = c.ns->view.block_shift();
  c.ns->store->read(on(), c.request.lba + (c.moved >> shift), c.piece >> shift,
                    [t = backend_ticket(c)](status s, buffer data) {
                      if (io_queue* q = t.queue()) q->on_read(t.command(), s, std::move(data));
                    });
}

void io_queue::on_read(io_command& c, status s, buffer data) {
  if (!s.ok()) return finish(c, s);
  if (c.request.kind == io_kind::read) return send_piece(c, std::move(data));
  data.reset();
  uncharge(c);
  c.moved += c.piece;
  next_piece(c) == 0 ? finish(c, {}) : advance(c);
}

void io_queue::send_piece(io_command& c, buffer data) {
  const std::uint32_t offset = c.moved;
  c.moved += c.piece;
  const bool last = c.moved == c.request.bytes;
  c.out = std::move(data);
  c.out_held = true;
  c.store->hold();
  buffer travelling(
      c.out.bytes(),
      [](void* context, std::span<const std::byte>) noexcept {
        auto& command = *static_cast<io_command*>(context);
        io_store* store = command.store;
        command.out.reset();
        command.out_held = false;
        if (io_queue* q = store->queue()) q->on_sent(command);
        store->let_go();
      },
      &c);
  const send_answer answer =
      queue_.send_controller_data(c.handle, offset, std::move(travelling), last);
  switch (answer.result) {
    case send_result::success:
      return finish(c, {});
    case send_result::success_sent:
      return finish_silently(c);
    case send_result::more:
      return;  // the next piece follows when this one has left: on_sent
    case send_result::failed:
      return finish(c, answer.status);
  }
}

void io_queue::on_sent(io_command& c) {
  uncharge(c);
  if (c.done) return settle(c);
  if (c.moved == c.request.bytes) return;  // send_piece is about to finish it
  // Not from within the transport, which may be in the middle of sending.
  wait_for_memory(c, next_piece(c));
  resume_soon();
}

void io_queue::write_zeroes(io_command& c) {
  const engine::io_request& r = c.request;
  c.ns->store->write_zeroes(on(), r.lba, r.blocks, r.deallocate, durable(c),
                            [t = backend_ticket(c)](status s) {
                              if (io_queue* q = t.queue()) q->finish(t.command(), s);
                            });
}

void io_queue::flush_next(io_command& c) {
  const bool all = c.request.nsid == engine::broadcast_nsid;
  const auto entries = c.table->table->entries();
  if (c.index == (all ? entries.size() : 1)) return finish(c, {});
  backend& store = all ? *entries[c.index].store : *c.ns->store;
  ++c.index;
  store.flush(on(), [t = backend_ticket(c)](status s) {
    io_queue* q = t.queue();
    if (q == nullptr) return;
    s.ok() ? q->advance(t.command()) : q->finish(t.command(), s);
  });
}

}  // namespace nvmf
