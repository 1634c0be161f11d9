// SPDX-License-Identifier: BSD-2-Clause
// A reactor whose sockets are real and whose time moves only when a test says so.
#pragma once

#include <doctest/doctest.h>

#include "core/reactor.hpp"
#include "virtual_executor.hpp"

namespace nvmf::test {

class still_reactor final : public reactor {
 public:
  ~still_reactor() override { timers_.clear(); }

  time_point now() const noexcept override { return now_; }
  timer_id start_timer(time_point when, task t) override {
    timers_.emplace(std::pair{when, ++last_}, std::move(t));
    return last_;
  }
  void cancel_timer(timer_id id) noexcept override {
    for (auto t = timers_.begin(); t != timers_.end(); ++t)
      if (t->first.second == id) {
        const auto gone = timers_.extract(t);  // what it owns may come back here
        return;
      }
  }

  // Does what is to be done, until `done()`; a test that hangs fails.
  template <class Done>
  void until(Done done) {
    const auto give_up = clock::now() + std::chrono::seconds(60);
    settle();
    while (!done()) {
      REQUIRE(clock::now() < give_up);
      context().restart();
      context().run_one_for(std::chrono::milliseconds(10));
      settle();
    }
  }
  // Does all that can be done now.
  void settle() {
    context().restart();
    for (int quiet = 0; quiet < 3;) quiet = context().poll() == 0 ? quiet + 1 : 0;
  }
  // Moves time on by `d`: each timer on the way, and all that follows from it.
  void advance(duration d) {
    const time_point until = now_ + d;
    while (!timers_.empty() && timers_.begin()->first.first <= until) {
      auto due = timers_.extract(timers_.begin());
      now_ = std::max(now_, due.key().first);
      due.mapped()();
      settle();
    }
    now_ = until;
  }
  std::size_t timers() const { return timers_.size(); }

 private:
  time_point now_{std::chrono::hours(1)};
  std::map<std::pair<time_point, timer_id>, task> timers_;
  timer_id last_ = 0;
};

}  // namespace nvmf::test
