// SPDX-License-Identifier: BSD-2-Clause
// An executor is one thread's worth of order: everything of a qpair, host or controller runs on the
// executor it was given, one thing at a time. The real one is a reactor around an Asio io_context
// (core/reactor.hpp); tests use one with virtual time. Protocol code never reads a clock: it is
// told.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>

namespace nvmf {

using clock = std::chrono::steady_clock;
using time_point = clock::time_point;
using duration = clock::duration;
using task = std::move_only_function<void()>;

using timer_id = std::uint64_t;  // 0 is never a timer

class executor {
 public:
  virtual ~executor() = default;

  // Time as this executor sees it; read once per turn, so it is cheap and the same throughout one.
  virtual time_point now() const noexcept = 0;
  // Runs `t` later on this executor, in the order of the calls. Any thread may call it.
  virtual void post(task t) = 0;
  // Runs `t` on this executor at `when` or soon after, unless cancelled. This executor's thread
  // only.
  virtual timer_id start_timer(time_point when, task t) = 0;
  // After this `t` will not run; unknown or finished timers are ignored. This executor's thread
  // only.
  virtual void cancel_timer(timer_id id) noexcept = 0;
};

}  // namespace nvmf
