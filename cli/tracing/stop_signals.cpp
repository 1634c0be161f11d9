// SPDX-License-Identifier: BSD-2-Clause
#include "stop_signals.hpp"

#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

namespace nvmf::cli {

stop_signals::stop_signals() {
  sigset_t ours;
  sigemptyset(&ours);
  sigaddset(&ours, SIGINT);
  sigaddset(&ours, SIGTERM);
  signals_ = ::signalfd(-1, &ours, SFD_CLOEXEC | SFD_NONBLOCK);
  if (signals_ < 0) throw std::system_error(errno, std::generic_category(), "signalfd");
  ::pthread_sigmask(SIG_BLOCK, &ours, &before_);
}

stop_signals::~stop_signals() { restore(); }

void stop_signals::restore() {
  if (signals_ < 0) return;
  ::close(signals_);
  signals_ = -1;
  ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

bool stop_signals::take() {
  signalfd_siginfo which;
  if (::read(signals_, &which, sizeof which) != sizeof which) return false;
  stopped_ = true;
  restore();
  return true;
}

stop_signals::woken stop_signals::wait(int descriptor, std::optional<clock::time_point> until) {
  while (!stopped_) {
    std::array<pollfd, 2> on{{{signals_, POLLIN, 0}, {descriptor, POLLIN, 0}}};
    int most_ms = -1;
    if (until) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(*until - clock::now());
      most_ms = static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 3'600'000));
    }
    const int n = ::poll(on.data(), on.size(), most_ms);
    if (n < 0 && errno != EINTR) throw std::system_error(errno, std::generic_category(), "poll");
    if (n <= 0) {
      if (until && clock::now() >= *until) return woken::time;
      continue;
    }
    if (on[0].revents != 0 && take()) break;
    // Who is busy reading must not miss the time.
    if (until && clock::now() >= *until) return woken::time;
    if (on[1].revents != 0) return woken::readable;
  }
  return woken::stopped;
}

}  // namespace nvmf::cli
