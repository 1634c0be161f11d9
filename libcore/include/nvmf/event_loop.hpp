// SPDX-License-Identifier: BSD-2-Clause
// The executor of the real world, for a program that has no other: one thread, the one that calls
// run, waits for sockets and timers and does all that is posted.
#pragma once

#include <memory>

#include "executor.hpp"

namespace nvmf {

class reactor;

class event_loop {
 public:
  event_loop();
  ~event_loop();
  event_loop(const event_loop&) = delete;
  event_loop& operator=(const event_loop&) = delete;

  // What connections are made on. It lives as long as this does: close them first.
  executor& on();
  // Returns after stop().
  void run();
  // From any thread, also from within run.
  void stop();

 private:
  std::unique_ptr<reactor> reactor_;
};

}  // namespace nvmf
