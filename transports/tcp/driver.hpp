// SPDX-License-Identifier: BSD-2-Clause
// Moves the bytes of one session: waits for readiness, reads all that is there, lets the session
// run its callbacks, writes all that is due with one call. Nothing of the protocol is known here.
#pragma once

#include <memory>

#include "counter.hpp"
#include "room.hpp"
#include "session/session.hpp"
#include "socket.hpp"

namespace nvmf::tcp {

class driver final : public wire_link, public poller, public std::enable_shared_from_this<driver> {
 public:
  // `linger` bounds what comes after the end: sending what is queued, and the peer's close.
  driver(reactor& on, tcp_stream stream, session& of, duration linger, counter::member counted);
  ~driver() override;

  void begin() override;
  void wake() noexcept override;
  void finish(bool clean) override;
  void reset() override;
  void half_close() override { stream_.shutdown_send(); }
  arrival peek(std::span<std::byte> into) override;

  bool poll() noexcept override;

 private:
  // ending: the session is over, what it has queued leaves. lingering: only the peer's close is
  // awaited; the session may be gone. done: the socket is closed.
  enum class phase : std::uint8_t { idle, running, ending, lingering, done };

  // One visit; `readable` when there may be something to read. True when bytes were moved.
  bool turn(bool readable);
  bool visit(bool readable);
  // The visit could not be finished for want of memory: this connection gives its own back.
  void out_of_memory() noexcept;
  // True when there may be more to read.
  bool read_once();
  void flush();
  // After each turn: whether it is over, and what is to be waited for.
  void settle();
  void begin_ending();
  void settle_ending();
  // Reads over what the peer still sends.
  void discard();
  void close();

  void arm_read();
  void arm_write();

  reactor& on_;
  room& room_;
  tcp_stream stream_;
  session* session_;
  std::shared_ptr<session> keep_;  // once the qpair is closed, until everything has left
  duration linger_;
  counter::member counted_;  // until the qpair is closed
  timer_id timer_ = 0;
  std::size_t allowance_ = 0;      // bytes that this visit may still write
  std::error_code write_error_{};  // the socket takes no more bytes; what has arrived is read first
  phase phase_ = phase::idle;
  std::uint8_t bulk_ = 0;  // not 0: very large payloads have come lately
  bool polled_ = false;    // registered as a poller
  bool in_turn_ = false;
  bool read_armed_ = false;
  bool write_armed_ = false;
  bool wake_posted_ = false;
  bool blocked_ = false;    // the socket takes no more bytes now
  bool finishing_ = false;  // the qpair is closed
  bool peer_closed_ = false;
};

}  // namespace nvmf::tcp
