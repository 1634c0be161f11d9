// SPDX-License-Identifier: BSD-2-Clause
// The executor of the real world: one Asio io_context run by one thread, optionally polling.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <nvmf/executor.hpp>
#include <unordered_map>
#include <vector>

namespace nvmf {

// Something that a polling reactor asks in every round instead of waiting for readiness.
class poller {
 public:
  virtual ~poller() = default;
  // True when there was work. Must not throw.
  virtual bool poll() noexcept = 0;
};

// Not final: tests have one whose clock stands still.
class reactor : public executor {
 public:
  // polling: never sleep; ask every poller in turn. Costs a core.
  explicit reactor(bool polling = false);
  ~reactor() override;

  time_point now() const noexcept override { return clock::now(); }
  void post(task t) override;
  timer_id start_timer(time_point when, task t) override;
  void cancel_timer(timer_id id) noexcept override;

  // Runs until stop(). The calling thread is this executor's thread.
  void run();
  // Any thread.
  void stop();
  // For who waits in the middle of something: one thing that is due, or becomes so before `when`.
  // False: nothing did. This executor's thread, when it is not in run().
  bool run_one_until(time_point when);
  // Everything that is due.
  void run_due();
  // After run: lets what sockets have begun come to its end, for `most` at the longest. Timers are
  // forgotten, pollers are not asked. This executor's thread.
  void drain(duration most);

  bool polling() const { return polling_; }
  // This executor's thread only. A poller may be removed from within poll().
  void add_poller(poller* p);
  void remove_poller(poller* p);

  // For transports: sockets are watched through it.
  boost::asio::io_context& context() { return context_; }

 private:
  void run_polling();

  std::unordered_map<timer_id, std::unique_ptr<boost::asio::steady_timer>> timers_;
  boost::asio::io_context context_;
  timer_id last_timer_ = 0;
  std::vector<poller*> pollers_;
  bool polling_;
};

}  // namespace nvmf
