// SPDX-License-Identifier: BSD-2-Clause
// Carries one IC exchange over a socket, within a bounded time. A peer that is refused gets its
// TermReq and a moment to close; whoever waits for the result need not wait for that.
#pragma once

#include <expected>
#include <functional>
#include <memory>

#include "core/reactor.hpp"
#include "session/ic_exchange.hpp"
#include "socket.hpp"

namespace nvmf::tcp {

// A connection that is set up.
struct established {
  tcp_stream stream;
  ic_exchange exchange;
};

class handshake final : public std::enable_shared_from_this<handshake> {
 public:
  // Once, never within start or cancel. errc::timed_out when the peer was silent.
  using callback = std::move_only_function<void(std::expected<established, qpair_error>)>;

  handshake(reactor& on, tcp_stream stream, role side, const transport_options& options,
            emitter events);

  void start(callback done);
  // Goes when this goes.
  void keep(std::shared_ptr<void> guest) { guest_ = std::move(guest); }
  // Nobody waits for the result any more; the socket is closed and the callback does not run.
  void cancel();

 private:
  void arm_read();
  void arm_write();
  void read();
  void write();
  void progress();
  void timed_out();
  void finish_later(qpair_error why);
  void finish(qpair_error why);
  void begin_lingering();
  void discard();
  void close();

  reactor& on_;
  tcp_stream stream_;
  ic_exchange exchange_;
  duration timeout_, linger_;
  callback done_;
  timer_id timer_ = 0;
  bool lingering_ = false;
  std::shared_ptr<void> guest_;
};

}  // namespace nvmf::tcp
