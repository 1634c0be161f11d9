// SPDX-License-Identifier: BSD-2-Clause
// Completions that must not run inside the call that causes them wait here until the current turn
// of the qpair ends. A turn is one visit of the reactor; calls from outside a turn get one by
// post().
#pragma once

#include <cstddef>
#include <nvmf/executor.hpp>
#include <utility>
#include <vector>

namespace nvmf {

class deferred {
 public:
  explicit deferred(executor& on) : on_(on) {}

  // `keep` is any owner (shared_ptr) of what the task touches; held by the posted drain only.
  template <class Owner>
  void add(task t, Owner&& keep) {
    waiting_.push_back(std::move(t));
    if (depth_ > 0 || posted_) return;
    posted_ = true;
    on_.post([this, owner = std::forward<Owner>(keep)] {
      posted_ = false;
      run();
    });
  }
  bool in_turn() const { return depth_ > 0; }
  bool empty() const { return waiting_.empty() && next_ == running_.size(); }

  // Brackets a turn; the outermost end runs what has gathered.
  void enter() { ++depth_; }
  // Should a task throw (there is no more memory), it is over, and those after it run next time.
  void leave() {
    const struct ends {
      int& depth;
      ~ends() { --depth; }
    } one{depth_};
    if (depth_ == 1) run_all();
  }
  // While held nothing runs, at no end of a turn; what gathers waits.
  void hold(bool on) { held_ = on; }
  // Runs the first, held or not.
  void run_one() {
    enter();
    if (next_ == running_.size()) next_batch();
    if (next_ < running_.size()) running_[next_++]();
    leave();
  }
  std::size_t size() const { return waiting_.size() + running_.size() - next_; }
  // Gives back the memory of what has run; returns how many bytes.
  std::size_t shrink() {
    if (depth_ > 0 || !empty()) return 0;
    next_ = 0;
    return (std::exchange(waiting_, {}).capacity() + std::exchange(running_, {}).capacity()) *
           sizeof(task);
  }
  // What was entered and not left, after a throw.
  void abandon_turn() { depth_ = 0; }
  // Runs what has gathered, and what that adds, now.
  void run() {
    enter();
    leave();
  }

 private:
  void run_all() {
    while (!held_) {
      if (next_ == running_.size()) {
        next_batch();
        if (running_.empty()) return;
      }
      running_[next_++]();
    }
  }
  void next_batch() {
    running_.clear();
    next_ = 0;
    running_.swap(waiting_);
  }

  executor& on_;
  std::vector<task> waiting_;
  std::vector<task> running_;
  std::size_t next_ = 0;  // of those that run
  int depth_ = 0;
  bool posted_ = false;
  bool held_ = false;
};

}  // namespace nvmf
