// SPDX-License-Identifier: BSD-2-Clause
// What Identify Controller tells a host, judged: values that nothing sensible can be done with are
// refused by name, others are clamped as the specification allows and remarked upon.
#pragma once

#include <cstdint>
#include <expected>
#include <string>

#include "action.hpp"
#include "enable.hpp"

namespace nvmf::engine {

enum class controller_type : std::uint8_t { io, discovery, administrative };

// A field of Identify Controller, decoded for use.
struct controller_facts {
  controller_type kind = controller_type::io;
  std::uint64_t max_transfer = 0;    // bytes, from MDTS; 0: no limit
  std::uint32_t max_in_capsule = 0;  // bytes of data in a command capsule of an I/O queue
  std::uint32_t max_commands = 0;    // MAXCMD; 0: as many as the queue takes
  std::uint32_t namespaces = 0;      // NN, the highest NSID
  std::uint32_t async_events = 1;    // AERL + 1
  std::uint32_t aborts = 1;          // ACL + 1
  std::chrono::milliseconds keep_alive_granularity{};  // KAS; 0: not told
  bool traffic_keeps_alive = false;                    // CTRATT.TBKAS
  std::uint32_t optional_events = 0;                   // OAES
  std::uint32_t error_log_entries = 1;                 // ELPE + 1
  std::string serial, model, firmware, subsystem_nqn;
};

// What the answer is held against.
struct identify_context {
  std::uint16_t cntlid = 0;   // of the Connect response
  std::string subsystem_nqn;  // that was connected to
  controller_properties properties;
  capabilities caps;  // of the admin qpair
};

// `data` has 4096 bytes.
std::expected<controller_facts, host_failure> judge_controller(std::span<const std::byte> data,
                                                               const identify_context& context,
                                                               remarks& notes);

}  // namespace nvmf::engine
