// SPDX-License-Identifier: BSD-2-Clause
#include "session_loop.hpp"

#include <csignal>

namespace nvmf::cli {

interrupts::interrupts(reactor& on, std::move_only_function<void(int)> first)
    : signals_(on.context(), SIGINT, SIGTERM), first_(std::move(first)) {
  signals_.async_wait([this](const boost::system::error_code& error, int number) {
    if (error) return;
    boost::system::error_code ignored;
    signals_.clear(ignored);
    first_(number);
  });
}

void interrupts::release() {
  boost::system::error_code ignored;
  signals_.cancel(ignored);
  signals_.clear(ignored);
}

session_loop::session_loop(bool polling)
    : reactor_(polling), interrupts_(reactor_, [this](int) {
        if (on_interrupt_)
          on_interrupt_();
        else
          stop();
      }) {}

}  // namespace nvmf::cli
