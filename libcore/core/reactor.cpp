// SPDX-License-Identifier: BSD-2-Clause
#include "reactor.hpp"

#include <algorithm>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <utility>

namespace nvmf {

// Hint 1: one thread runs the context, others may still post to it.
reactor::reactor(bool polling) : context_(1), polling_(polling) {}
// Timers first, then the context, and the map of timers last: what the tasks of either own may
// cancel other timers as it goes.
reactor::~reactor() { std::exchange(timers_, {}).clear(); }

void reactor::post(task t) { boost::asio::post(context_, std::move(t)); }

timer_id reactor::start_timer(time_point when, task t) {
  const timer_id id = ++last_timer_;
  auto timer = std::make_unique<boost::asio::steady_timer>(context_, when);
  timer->async_wait([this, id, run = std::move(t)](boost::system::error_code) mutable {
    // Cancelling may lose the race against an expiry that is queued already; the map decides.
    if (timers_.erase(id) != 0) run();
  });
  timers_.emplace(id, std::move(timer));
  return id;
}

void reactor::cancel_timer(timer_id id) noexcept { timers_.erase(id); }

void reactor::run() {
  const auto guard = boost::asio::make_work_guard(context_);
  if (polling_) return run_polling();
  context_.run();
}

void reactor::run_polling() {
  // The context (accepts, timers, posts) is asked less often than the pollers: each time costs a
  // system call. 32 rounds of an idle poller are a few microseconds.
  constexpr unsigned rounds_between = 32;
  for (unsigned round = 0; !context_.stopped(); ++round) {
    bool worked = false;
    for (std::size_t i = 0; i < pollers_.size(); ++i)
      if (pollers_[i] != nullptr) worked |= pollers_[i]->poll();
    std::erase(pollers_, nullptr);
    if (pollers_.empty() || round % rounds_between == 0) context_.poll();
    (void)worked;
  }
}

bool reactor::run_one_until(time_point when) {
  const auto waiting = boost::asio::make_work_guard(context_);
  context_.restart();
  return context_.run_one_until(when) != 0;
}

void reactor::run_due() {
  context_.restart();
  while (context_.poll() != 0) {
  }
}

void reactor::stop() { context_.stop(); }

void reactor::drain(duration most) {
  // Out of the map first: what the tasks own may cancel other timers as it goes.
  std::exchange(timers_, {}).clear();
  context_.restart();
  context_.run_for(most);
}

void reactor::add_poller(poller* p) { pollers_.push_back(p); }

void reactor::remove_poller(poller* p) { std::ranges::replace(pollers_, p, nullptr); }

}  // namespace nvmf
