// SPDX-License-Identifier: BSD-2-Clause
// Asynchronous events: keeps Asynchronous Event Requests with the controller, and when one
// completes reads the log page that it names, brings the list of namespaces up to date, tells the
// user and asks again. Events are worked off one after the other, so that a storm of them costs one
// buffer and one command at a time.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "engine/host/namespaces.hpp"
#include "ring.hpp"

namespace nvmf {

class host_core;
struct command_result;

class host_events {
 public:
  explicit host_events(host_core& core) : core_(core) {}

  // Posts `count` requests.
  void start(std::uint32_t count);
  std::uint32_t posted() const { return posted_; }

 private:
  void post();
  void on_event(const command_result& result);
  void work();
  void on_log(const engine::reply& got);
  void rescan(std::vector<std::uint32_t> changed, bool all);
  void drive(engine::action next);
  void rescanned();
  void tell();

  host_core& core_;
  std::uint32_t posted_ = 0;     // requests with the controller or being worked off
  ring<std::uint32_t> waiting_;  // dword 0 of events to work off
  bool working_ = false;
  std::uint32_t dw0_ = 0;  // the event at work, and its log page
  std::vector<std::byte> log_;
  std::optional<engine::namespace_scan> scan_;
  bool scan_all_ = false;
};

}  // namespace nvmf
