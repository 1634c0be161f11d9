// SPDX-License-Identifier: BSD-2-Clause
// Waiting for bytes that may never come: SIGINT and SIGTERM end the wait, and so does the clock.
#pragma once

#include <chrono>
#include <csignal>
#include <optional>

namespace nvmf::cli {

// While one lives, the first SIGINT or SIGTERM is told by wait(). After it they have the effect
// that they had before, so a second one ends the process.
class stop_signals {
 public:
  using clock = std::chrono::steady_clock;
  enum class woken : std::uint8_t {
    readable,  // the descriptor has something: bytes, its end or an error
    time,      // `until` has come
    stopped,   // by a signal, also by one that came earlier
  };

  stop_signals();
  ~stop_signals();
  stop_signals(const stop_signals&) = delete;
  stop_signals& operator=(const stop_signals&) = delete;

  woken wait(int descriptor, std::optional<clock::time_point> until = {});
  bool stopped() const { return stopped_; }

 private:
  bool take();
  void restore();

  sigset_t before_{};
  int signals_ = -1;
  bool stopped_ = false;
};

}  // namespace nvmf::cli
