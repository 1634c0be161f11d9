// SPDX-License-Identifier: BSD-2-Clause
// When to send Keep Alive, and when to give the controller up (Base 2.0, 3.9).
//
// The controller's timer is KATO, rounded up to its granularity (KAS). Without Traffic Based Keep
// Alive (CTRATT.TBKAS) only Keep Alive restarts it: one is sent every KATO/2. With it any command
// does: then we look every KATO/4 and send one unless the quarter before saw traffic both ways, so
// that the controller hears something at least every KATO/2. Either way an answer that is
// missing for a whole KATO means that the controller is gone.
#pragma once

#include <chrono>

#include "action.hpp"

namespace nvmf::engine {

class keep_alive {
 public:
  enum class act : std::uint8_t { none, send, lost };

  // kato 0: never sends. The granularity and TBKAS are known only after Identify: see refine.
  keep_alive(std::chrono::milliseconds kato, time_point now);
  void refine(std::chrono::milliseconds granularity, bool traffic_counts, time_point now);

  bool active() const { return kato_.count() > 0; }
  // At this time on_time wants to be called.
  time_point next() const;
  // `traffic`: since the last call commands were sent and others answered.
  act on_time(time_point now, bool traffic);
  void on_answer(time_point now);
  // The controller does not know Keep Alive: no more are sent.
  void stop() { kato_ = {}; }

  std::chrono::milliseconds kato() const { return kato_; }        // as asked
  std::chrono::milliseconds rounded() const { return rounded_; }  // as the controller counts
  duration period() const;

 private:
  std::chrono::milliseconds kato_;
  std::chrono::milliseconds rounded_;
  bool traffic_counts_ = false;
  bool waiting_ = false;     // an answer is outstanding
  time_point look_at_{};     // next time to look
  time_point give_up_at_{};  // while waiting_
};

}  // namespace nvmf::engine
