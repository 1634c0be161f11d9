// SPDX-License-Identifier: BSD-2-Clause
// Reads the events of the queues of one connection for the workbench.
#pragma once

#include <map>
#include <nvmf/event.hpp>
#include <string>

namespace nvmf::cli::repl {

class workbench;

class watcher final : public observer {
 public:
  // `association`: queues are called NAME:QID, else all of it is the queue NAME.
  watcher(workbench& bench, std::string name, bool association)
      : bench_(bench), name_(std::move(name)), association_(association) {}
  void on_event(const event& e) noexcept override;
  // Callbacks are kept, but do not print: those of a bring-up are not the person's.
  void be_quiet(bool quiet) { quiet_ = quiet; }

 private:
  workbench& bench_;
  std::string name_;
  bool association_;
  bool quiet_ = false;
};

// The same for all queues that one listener has accepted.
class listener_watcher final : public observer {
 public:
  listener_watcher(workbench& bench, std::string name) : bench_(bench), name_(std::move(name)) {}
  void on_event(const event& e) noexcept override;
  // Until it has a name a queue goes by the listener's.
  // Quiet: the built-in target's are not the person's.
  void call(std::uint32_t qpair, std::string queue, bool quiet = false) {
    queues_[qpair] = {std::move(queue), quiet};
  }
  std::string name_of(std::uint32_t qpair) const {
    const auto it = queues_.find(qpair);
    return it == queues_.end() ? std::string{} : it->second.queue;
  }
  void forget(std::uint32_t qpair) { queues_.erase(qpair); }
  // The same for those without a name.
  void be_quiet(bool quiet) { quiet_ = quiet; }

 private:
  workbench& bench_;
  std::string name_;
  struct named {
    std::string queue;
    bool quiet = false;
  };
  std::map<std::uint32_t, named> queues_;
  bool quiet_ = false;
};

}  // namespace nvmf::cli::repl
