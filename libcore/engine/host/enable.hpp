// SPDX-License-Identifier: BSD-2-Clause
// Reads the properties of a controller, and enables it (Base 2.0, 3.5.1 and 3.1.3).
#pragma once

#include <cstdint>

#include "action.hpp"
#include "commands.hpp"

namespace nvmf::engine {

struct controller_properties {
  std::uint64_t cap = 0;
  std::uint32_t vs = 0;
  std::uint32_t cc = 0;    // as we set it
  std::uint32_t csts = 0;  // as last read
  std::chrono::milliseconds ready_timeout{};

  std::uint32_t max_queue_entries() const;  // CAP.MQES + 1
  // Bytes of the page that MDTS counts in: 2^(12 + CAP.MPSMIN).
  std::uint64_t page_size() const;
  std::string version() const;  // "1.4.0"
  // CAP names no I/O command set but "no I/O".
  bool admin_only() const;
  // CAP names nothing at all, as no controller with I/O queues may.
  bool no_command_set() const;
};

// CAP and VS, and CRTO where CAP says that it counts.
class read_properties {
 public:
  action start();
  action on_reply(const reply& got);
  const controller_properties& properties() const { return found_; }

 private:
  action ask(wire::property which);
  action check();

  wire::property asking_ = wire::property::cap;
  send_command sent_;
  controller_properties found_;
};

// CC.EN, then CSTS.RDY within the time that CAP.TO allows. A controller that is enabled already
// (static controllers keep their state) is disabled first.
class enable_machine {
 public:
  explicit enable_machine(const controller_properties& found) : found_(found) {}

  action start();
  action on_reply(const reply& got, time_point now);
  action on_time(time_point now);
  const controller_properties& properties() const { return found_; }
  // How often CSTS was read.
  unsigned polls() const { return polls_; }

 private:
  enum class step : std::uint8_t { read_cc, disable, wait_disabled, enable, wait_ready };
  action ask(step next, send_command c);
  action set_cc(step next, std::uint32_t value);
  action poll(time_point now);

  controller_properties found_;
  step step_ = step::read_cc;
  send_command sent_;
  time_point deadline_{};
  std::chrono::milliseconds pause_{};
  unsigned polls_ = 0;
};

// CC for normal work: enabled, the smallest page, entries of 64 and 16 bytes.
std::uint32_t enabled_cc(const controller_properties& p);

// Between two reads of CSTS, doubling from the first to the last.
inline constexpr std::chrono::milliseconds first_poll{2}, last_poll{100};

}  // namespace nvmf::engine
