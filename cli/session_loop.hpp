// SPDX-License-Identifier: BSD-2-Clause
// The process's signals, as events of a reactor.
#pragma once

#include <boost/asio/signal_set.hpp>

#include "core/reactor.hpp"

namespace nvmf::cli {

// The first SIGINT or SIGTERM asks for a clean end. After it they have their default effect, so the
// second ends the process at once.
class interrupts {
 public:
  // `first` runs on `on`, at most once, with the number of the signal.
  interrupts(reactor& on, std::move_only_function<void(int)> first);
  // From now on signals have their default effect.
  void release();

 private:
  boost::asio::signal_set signals_;
  std::move_only_function<void(int)> first_;
};

// One reactor run by the calling thread, until stop() or an interrupt.
class session_loop {
 public:
  explicit session_loop(bool polling = false);

  reactor& executor() { return reactor_; }
  // Without it an interrupt stops the loop.
  void on_interrupt(task t) { on_interrupt_ = std::move(t); }
  void run() { reactor_.run(); }
  void stop() { reactor_.stop(); }
  // After run: connections that are being closed are given so much time to hear the peer's goodbye.
  void drain(duration most) {
    interrupts_.release();
    reactor_.drain(most);
  }

 private:
  reactor reactor_;
  task on_interrupt_;
  interrupts interrupts_;
};

}  // namespace nvmf::cli
