// SPDX-License-Identifier: BSD-2-Clause
// An executor whose time moves only when a test says so. Nothing runs by itself: run() does what is
// due now, advance() moves time from timer to timer. Two executors that belong together (host and
// controller on "different threads") share one virtual_time and are run by it in turn.
//
//   virtual_executor on;
//   on.post(...); on.start_timer(on.now() + 10s, ...);
//   on.run();          // the post
//   on.advance(10s);   // the timer
#pragma once

#include <algorithm>
#include <cassert>
#include <deque>
#include <map>
#include <mutex>
#include <nvmf/executor.hpp>
#include <optional>
#include <utility>
#include <vector>

namespace nvmf::test {

class virtual_executor;

// The clock, and the executors that live by it.
class virtual_time {
 public:
  time_point now() const { return now_; }
  // Runs what is posted and due, on every executor in turn, until nothing is left to do now.
  // Returns how many tasks ran.
  std::size_t run();
  // Moves time on by `d`, running every timer on the way at its own time, and all that follows.
  void advance(duration d);
  // Moves time on to the next timer, if there is one.
  bool advance_to_next_timer();
  // The earliest timer of all executors.
  std::optional<time_point> next_timer() const;
  // Runs, moving from timer to timer, until `done()` or nothing is left that could change it.
  template <class Done>
  bool run_until(Done done, duration limit = std::chrono::hours(1));

 private:
  friend class virtual_executor;
  time_point now_{std::chrono::hours(1)};  // not 0: "never" and "at the start" must differ
  std::vector<virtual_executor*> members_;
};

class virtual_executor final : public executor {
 public:
  virtual_executor() : time_(own_) { time_.members_.push_back(this); }
  explicit virtual_executor(virtual_time& time) : time_(time) { time_.members_.push_back(this); }
  ~virtual_executor() override {
    std::erase(time_.members_, this);
    // What a dropped task owned may post or start timers in turn.
    while (!posted_.empty() || !timers_.empty()) {
      std::exchange(posted_, {}).clear();
      std::exchange(timers_, {}).clear();
    }
  }
  virtual_executor(const virtual_executor&) = delete;
  virtual_executor& operator=(const virtual_executor&) = delete;

  time_point now() const noexcept override { return time_.now(); }
  void post(task t) override {
    const std::scoped_lock hold(lock_);
    posted_.push_back(std::move(t));
  }
  timer_id start_timer(time_point when, task t) override {
    timers_.emplace(std::pair{when, ++last_timer_}, std::move(t));
    when_.emplace(last_timer_, when);
    return last_timer_;
  }
  void cancel_timer(timer_id id) noexcept override {
    const auto found = when_.find(id);
    if (found == when_.end()) return;
    // Taken out first: what the task owns may come back here when it goes.
    auto gone = timers_.extract({found->second, id});
    when_.erase(found);
  }

  // Runs one task: the oldest post, else a timer that is due (by time, then in order of start).
  bool step() {
    task t = take();
    if (!t) return false;
    t();
    return true;
  }
  // See virtual_time; these include every executor of the same time.
  std::size_t run() { return time_.run(); }
  void advance(duration d) { time_.advance(d); }
  template <class Done>
  bool run_until(Done done, duration limit = std::chrono::hours(1)) {
    return time_.run_until(std::move(done), limit);
  }

  std::size_t timers() const { return timers_.size(); }
  std::size_t posts() const {
    const std::scoped_lock hold(lock_);
    return posted_.size();
  }
  std::optional<time_point> next_timer() const {
    if (timers_.empty()) return std::nullopt;
    return timers_.begin()->first.first;
  }

 private:
  task take() {
    {
      const std::scoped_lock hold(lock_);
      if (!posted_.empty()) {
        task t = std::move(posted_.front());
        posted_.pop_front();
        return t;
      }
    }
    if (timers_.empty() || timers_.begin()->first.first > now()) return {};
    auto due = timers_.extract(timers_.begin());
    when_.erase(due.key().second);
    return std::move(due.mapped());
  }

  virtual_time own_;
  virtual_time& time_;
  mutable std::mutex lock_;  // post comes from any thread
  std::deque<task> posted_;
  std::map<std::pair<time_point, timer_id>, task> timers_;
  std::map<timer_id, time_point> when_;
  timer_id last_timer_ = 0;
};

inline std::size_t virtual_time::run() {
  std::size_t ran = 0;
  for (bool again = true; again;) {
    again = false;
    for (std::size_t i = 0; i < members_.size(); ++i)
      if (members_[i]->step()) {
        again = true;
        ++ran;
        assert(ran < 50'000'000 && "tasks keep posting tasks: time cannot move");
      }
  }
  return ran;
}

inline std::optional<time_point> virtual_time::next_timer() const {
  std::optional<time_point> first;
  for (const virtual_executor* e : members_)
    if (const auto t = e->next_timer(); t && (!first || *t < *first)) first = t;
  return first;
}

inline void virtual_time::advance(duration d) {
  const time_point until = now_ + d;
  run();
  for (auto next = next_timer(); next && *next <= until; next = next_timer()) {
    now_ = std::max(now_, *next);
    run();
  }
  now_ = until;
}

inline bool virtual_time::advance_to_next_timer() {
  const auto next = next_timer();
  if (!next) return false;
  now_ = std::max(now_, *next);
  run();
  return true;
}

template <class Done>
bool virtual_time::run_until(Done done, duration limit) {
  const time_point until = now_ + limit;
  run();
  while (!done()) {
    const auto next = next_timer();
    if (!next || *next > until) return false;
    now_ = std::max(now_, *next);
    run();
  }
  return true;
}

}  // namespace nvmf::test
