// SPDX-License-Identifier: BSD-2-Clause
// Completions that must not run inside the call that causes them wait here until the current turn
// of the qpair ends. A turn is one visit of the reactor; calls from outside a turn get one by
// post().
#pragma once

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
  bool empty() const { return waiting_.empty(); }

  // Brackets a turn; the outermost end runs what has gathered.
  void enter() { ++depth_; }
  void leave() {
    if (depth_ == 1) run_all();
    --depth_;
  }
  // Runs what has gathered, and what that adds, now.
  void run() {
    enter();
    leave();
  }

 private:
  void run_all() {
    while (!waiting_.empty()) {
      running_.swap(waiting_);
      for (task& t : running_) t();
      running_.clear();
    }
  }

  executor& on_;
  std::vector<task> waiting_;
  std::vector<task> running_;
  int depth_ = 0;
  bool posted_ = false;
};

}  // namespace nvmf
