// SPDX-License-Identifier: BSD-2-Clause
// What Identify returns, built from what is really there (Base 2.0, 5.17; NVM 1.0, 4.1.5).
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "connect.hpp"
#include "namespaces.hpp"

namespace nvmf::engine {

inline constexpr std::uint8_t async_event_limit = 7;   // AERL, 0's based: eight may be outstanding
inline constexpr std::uint8_t abort_limit = 3;         // ACL, 0's based
inline constexpr std::uint8_t error_log_entries = 64;  // ELPE + 1
inline constexpr std::uint16_t kas_unit_ms = 100;
inline constexpr std::uint16_t kas = 1;  // KATO granularity, 100 ms units
inline constexpr std::size_t identify_size = 4096;

enum class controller_kind : std::uint8_t { io, discovery };

// What is fixed for the life of a controller.
struct controller_config {
  controller_kind kind = controller_kind::io;
  std::uint16_t cntlid = 0;
  std::string subsystem_nqn, host_nqn;
  host_id host{};
  std::string serial, model, firmware;
  bool static_model = false;
  std::uint32_t io_queues_max = 0;
  std::uint32_t io_queue_entries_max = 0;
  std::uint8_t mdts = 0;               // 2^n pages; 0: no limit
  std::uint32_t in_capsule_bytes = 0;  // of a command capsule on an I/O queue
  bool keyed_sgl = false;
  bool offset_sgl = false;
  std::uint32_t kato_ms = 0;
  std::uint32_t kato_max_ms = 0;
  std::uint8_t trtype = 0;  // of the admin queue's transport, for the error log
};

using identify_data = std::array<std::byte, identify_size>;

identify_data identify_controller(const controller_config& config);
identify_data identify_namespace(const namespace_view& ns, std::string_view subsystem_nqn);
// CNS 08h (Base 2.0, 5.17.2.8).
identify_data identify_independent(const namespace_view& ns);
// CNS 02h and 07h: NSIDs above `after`, ascending.
identify_data active_list(std::span<const namespace_view> all, std::uint32_t after);
// CNS 03h.
identify_data id_descriptors(std::uint32_t nsid, std::string_view subsystem_nqn);
// CNS 1Ch: one combination, the NVM command set alone.
identify_data io_command_sets();

}  // namespace nvmf::engine
