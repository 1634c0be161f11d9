// SPDX-License-Identifier: BSD-2-Clause
#include "driver.hpp"

#include <algorithm>
#include <new>

#include "core/memory_reserve.hpp"

namespace nvmf::tcp {
namespace {

// While payloads are this large, less is read beyond the one that is due: the next one's header and
// the first of its data, so that most of it can again be read straight into its place.
constexpr std::size_t bulk_payload = 160 * 1024;
constexpr std::size_t bulk_scratch = 16 * 1024;
// Reads without such a payload after which it is smaller ones that come.
constexpr std::uint8_t bulk_memory = 16;
// Reads of one visit, so that one busy connection does not keep the others of its reactor waiting.
constexpr int most_reads = 8;
// Writes of one visit; callbacks that run when bytes have left may queue more.
constexpr int most_writes = 8;
// Bytes written in one visit; the rest follows once the others had theirs. A socket takes up to
// 4 MiB for a peer that does not read, and a thousand such peers at once made a host at work wait
// for seconds. Less than this would part the answers to eight reads of 128 KiB, which costs a third
// of their rate.
constexpr std::size_t most_written = 1280 * 1024;

}  // namespace

driver::driver(reactor& on, tcp_stream stream, session& of, duration linger,
               counter::member counted)
    : on_(on),
      room_(room::of(on)),
      stream_(std::move(stream)),
      session_(&of),
      linger_(linger),
      counted_(std::move(counted)) {}

driver::~driver() { assert(!polled_); }

void driver::begin() {
  phase_ = phase::running;
  if (on_.polling()) {
    on_.add_poller(this);
    polled_ = true;
  } else {
    arm_read();
    // What was queued before start has found nobody to wake.
    if (session_->has_output()) wake();
  }
}

void driver::wake() noexcept {
  if (in_turn_ || wake_posted_ || polled_) return;
  if (phase_ != phase::running && phase_ != phase::ending) return;
  if (blocked_) {
    // It may be that bytes are welcome again.
    if (phase_ == phase::running && session_->wants_input()) arm_read();
    return;
  }
  wake_posted_ = true;
  on_.post([self = shared_from_this()] {
    self->wake_posted_ = false;
    if (self->phase_ == phase::running || self->phase_ == phase::ending) self->turn(false);
  });
}

bool driver::poll() noexcept {
  blocked_ = false;  // asked anew in each round
  return turn(true);
}

bool driver::turn(bool readable) {
  // Callbacks may let go of the qpair, and of this with it.
  const auto self = shared_from_this();
  const auto hold = session_->shared_from_this();
  try {
    // One connection that grows while memory is short must not take what all of them end on.
    const reserve_scope bounded(reserve_share::half);
    return visit(readable);
  } catch (const std::bad_alloc&) {
    out_of_memory();
    return true;
  }
}

void driver::out_of_memory() noexcept {
  in_turn_ = false;
  session_->abandon_turn();
  session_->enter_turn();
  session_->broken(std::make_error_code(std::errc::not_enough_memory));
  session_->leave_turn();
  settle();
}

bool driver::visit(bool readable) {
  in_turn_ = true;
  allowance_ = most_written;
  bool worked = false;
  for (int i = 0; i < most_reads; ++i) {
    session_->enter_turn();
    bool more = false;
    if (readable && phase_ == phase::running && session_->wants_input()) more = read_once();
    worked = worked || session_->turn_has_work();
    session_->leave_turn();
    flush();
    if (!more) break;
  }
  in_turn_ = false;
  settle();
  return worked;
}

bool driver::read_once() {
  const auto pieces = room_.pieces();
  std::size_t count = session_->direct(pieces.first(pieces.size() - 1));
  std::size_t due = 0;
  for (const segment& piece : pieces.first(count)) due += piece.size;
  if (due >= bulk_payload)
    bulk_ = bulk_memory;
  else if (bulk_ > 0)
    --bulk_;
  const std::size_t beyond = session_->input_room() - due;
  const auto scratch =
      room_.scratch().first(std::min(bulk_ > 0 ? bulk_scratch : room::scratch_size, beyond));
  pieces[count++] = {scratch.data(), scratch.size()};
  const io_result got = stream_.read(pieces.first(count));
  if (got.blocked) {
    if (write_error_) session_->broken(write_error_);
    return false;
  }
  if (got.error) {
    session_->broken(got.error);
    return false;
  }
  if (got.bytes == 0) {
    peer_closed_ = true;
    session_->end_of_input();
    return false;
  }
  session_->took_direct(std::min(got.bytes, due));
  if (got.bytes > due) session_->consume(scratch.first(got.bytes - due));
  // Less than there was room for: the socket has been emptied.
  return got.bytes == due + scratch.size();
}

void driver::flush() {
  for (int i = 0; i < most_writes; ++i) {
    if (phase_ == phase::done || blocked_ || write_error_ || !session_->has_output()) return;
    if (allowance_ == 0) return;  // settle sees to the rest
    const auto pieces = room_.pieces();
    const std::size_t count = session_->gather(pieces, allowance_);
    if (count == 0) return;
    std::size_t total = 0;
    for (const segment& piece : pieces.first(count)) total += piece.size;
    const io_result put = stream_.write(pieces.first(count));
    if (put.error) {
      // The peer may have said why before it closed: what has arrived is read first.
      write_error_ = put.error;
      return;
    }
    blocked_ = put.blocked || put.bytes < total;
    allowance_ -= std::min(allowance_, put.bytes);
    if (put.bytes == 0) return;
    session_->enter_turn();
    session_->sent(put.bytes);
    session_->leave_turn();
  }
}

wire_link::arrival driver::peek(std::span<std::byte> into) {
  if (!stream_.is_open() || phase_ == phase::ending || phase_ == phase::lingering) return {};
  const io_result got = stream_.peek(into);
  return {.bytes = got.bytes, .ended = got.bytes == 0 && !got.blocked};
}

void driver::finish(bool clean) {
  finishing_ = true;
  counted_.leave();
  if (phase_ == phase::done) return;
  if (!clean) return close();
  if (phase_ == phase::lingering) return;
  keep_ = session_->shared_from_this();
  if (!in_turn_) turn(false);
}

void driver::reset() {
  stream_.reset_on_close();
  // Not at once: it may be a callback that asks, in the middle of a turn.
  on_.post([self = shared_from_this()] { self->close(); });
}

void driver::settle() {
  if (phase_ == phase::done || phase_ == phase::lingering) return;
  if (phase_ != phase::ending && (finishing_ || session_->over())) begin_ending();
  if (phase_ == phase::ending) return settle_ending();
  if (phase_ != phase::running) return;
  if (write_error_) session_->cannot_send();
  if (write_error_ && !session_->wants_input() && !session_->paused()) {
    session_->enter_turn();
    session_->broken(write_error_);
    session_->leave_turn();
    return settle();
  }
  if (polled_) return;
  if (session_->wants_input()) arm_read();
  if (!session_->has_output() || write_error_) return;
  if (blocked_)
    arm_write();
  else
    wake();
}

void driver::begin_ending() {
  phase_ = phase::ending;
  if (polled_) {
    // The peer's close is waited for, not polled.
    on_.remove_poller(this);
    polled_ = false;
  }
  // The timer holds no claim: the socket's waits keep this alive while anything can happen.
  timer_ = on_.start_timer(on_.now() + linger_, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) {
      self->timer_ = 0;
      self->stream_.reset_on_close();
      self->close();
    }
  });
  if (!peer_closed_) arm_read();
}

void driver::settle_ending() {
  if (write_error_ || session_->after() == session::aftermath::drop) return close();
  if (session_->has_queued()) {
    if (blocked_)
      arm_write();
    else if (session_->has_output())  // else it is paused, and wakes this up
      wake();
    return;
  }
  const bool await = session_->after() == session::aftermath::await_peer;
  if (!await && !finishing_) return;  // the owner of the qpair has yet to close it
  if (peer_closed_) return close();
  // After a TermReq the peer is to close; otherwise it is told that nothing more comes.
  if (!await) stream_.shutdown_send();
  phase_ = phase::lingering;
  keep_.reset();
}

void driver::discard() {
  const auto scratch = room_.scratch();
  const segment all{scratch.data(), scratch.size()};
  for (int i = 0; i < most_reads; ++i) {
    const io_result got = stream_.read({&all, 1});
    if (got.blocked) break;
    if (got.error) return close();
    if (got.bytes == 0) {
      peer_closed_ = true;
      if (phase_ == phase::lingering) close();
      return;
    }
  }
  arm_read();
}

void driver::close() {
  if (phase_ == phase::done) return;
  phase_ = phase::done;
  if (polled_) on_.remove_poller(this);
  polled_ = false;
  if (timer_ != 0) on_.cancel_timer(std::exchange(timer_, 0));
  stream_.close();
  keep_.reset();
}

void driver::arm_read() {
  if (read_armed_) return;
  read_armed_ = true;
  stream_.wait_readable([self = shared_from_this()](boost::system::error_code) {
    self->read_armed_ = false;
    if (self->phase_ == phase::running)
      self->turn(true);
    else if (self->phase_ != phase::done)
      self->discard();
  });
}

void driver::arm_write() {
  if (write_armed_) return;
  write_armed_ = true;
  stream_.wait_writable([self = shared_from_this()](boost::system::error_code) {
    self->write_armed_ = false;
    self->blocked_ = false;
    if (self->phase_ == phase::running || self->phase_ == phase::ending) self->turn(false);
  });
}

}  // namespace nvmf::tcp
