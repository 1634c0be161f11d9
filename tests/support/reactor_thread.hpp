// SPDX-License-Identifier: BSD-2-Clause
// A reactor with a thread of its own, for tests that need real threads.
#pragma once

#include <future>
#include <thread>
#include <type_traits>

#include "core/reactor.hpp"

namespace nvmf::test {

class reactor_thread {
 public:
  explicit reactor_thread(bool polling = false)
      : reactor_(polling), thread_([this] { reactor_.run(); }) {}
  ~reactor_thread() { stop(); }
  // What is left belongs to the caller's thread from now on.
  void stop() {
    reactor_.stop();
    if (thread_.joinable()) thread_.join();
  }
  reactor_thread(const reactor_thread&) = delete;
  reactor_thread& operator=(const reactor_thread&) = delete;

  reactor& on() { return reactor_; }
  bool is_this_thread() const { return std::this_thread::get_id() == thread_.get_id(); }

  // Runs `f` on the reactor and waits for what it returns. Not from that thread.
  template <class F>
  std::invoke_result_t<F> call(F f) {
    std::packaged_task<std::invoke_result_t<F>()> work(std::move(f));
    auto result = work.get_future();
    reactor_.post([&work] { work(); });
    return result.get();
  }

 private:
  reactor reactor_;
  std::thread thread_;
};

}  // namespace nvmf::test
