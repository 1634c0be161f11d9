// SPDX-License-Identifier: BSD-2-Clause
// The keep alive timer of a controller (Base 2.0, 3.9). With traffic based keep alive any command
// on any queue counts: each period of KATO is looked at as a whole, so a host that falls silent is
// given up between one and two KATO later, and a command costs no timer.
#pragma once

#include <cstdint>
#include <nvmf/executor.hpp>
#include <optional>

namespace nvmf::engine {

class keep_alive_watch {
 public:
  // `kato_ms` 0: never expires.
  void restart(std::uint32_t kato_ms, time_point now) {
    period_ = std::chrono::milliseconds(kato_ms);
    traffic_ = false;
    if (kato_ms == 0)
      next_.reset();
    else
      next_ = now + period_;
  }
  void stop() { next_.reset(); }
  void traffic() { traffic_ = true; }
  // When to ask expired(); nothing when the timer is off.
  std::optional<time_point> deadline() const { return next_; }
  // `elsewhere`: there were commands on the I/O queues since the last call that was due.
  bool expired(time_point now, bool elsewhere) {
    if (!next_ || now < *next_) return false;
    // When we are late ourselves (stopped, overloaded), what the host sent may wait unread.
    const bool late = now - *next_ > period_ / 2;
    if (!traffic_ && !elsewhere && !late) return true;
    traffic_ = false;
    next_ = now + period_;
    return false;
  }

 private:
  duration period_{};
  std::optional<time_point> next_;
  bool traffic_ = false;
};

}  // namespace nvmf::engine
