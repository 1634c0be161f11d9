// SPDX-License-Identifier: BSD-2-Clause
// The way out of one end: asks the hook what becomes of a message, holds back what is delayed, and
// keeps the order that is promised. Lives on the executor of its end.
#pragma once

#include <map>

#include "lots.hpp"
#include "message.hpp"

namespace nvmf::loop {

// Where messages go when their time has come.
class outlet {
 public:
  virtual void leave(message m) = 0;
  // The hook has cut the connection instead.
  virtual void cut(bool clean) = 0;

 protected:
  ~outlet() = default;
};

class outbox {
 public:
  outbox(executor& on, const loop_options& options, std::uint64_t seed, outlet& out)
      : on_(on), options_(options), lots_(seed), out_(out) {}
  outbox(const outbox&) = delete;
  outbox& operator=(const outbox&) = delete;
  ~outbox() { drop(); }

  // `seen`: m as the hook may see and change it; its number is filled in. Consumes m.
  void send(message& m, loop_message seen);
  // Lets everything that is held back leave now, in its order.
  void flush();
  // Forgets everything that is held back.
  void drop();

 private:
  void hold(message m, duration delay);
  void arm();
  void release_due();

  executor& on_;
  const loop_options& options_;
  lots lots_;
  outlet& out_;
  std::uint64_t sent_ = 0;
  std::multimap<time_point, message> held_;  // equal times keep the order of insertion
  time_point last_leaves_{};                 // nothing may leave before what was sent before it
  std::map<std::uint16_t, time_point> last_of_command_;  // reorder: nothing of the same command may
  timer_id timer_ = 0;
  time_point timer_at_{};
};

}  // namespace nvmf::loop
