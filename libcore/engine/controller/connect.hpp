// SPDX-License-Identifier: BSD-2-Clause
// The Connect command on the controller's side (Base 2.0, 6.3 and 3.1.1). What is wrong with the
// command itself is found here, in wire order: the submission queue entry first, then the data.
// What depends on the subsystem is in check_admin_connect; what depends on the controller of an I/O
// queue is in class controller.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <string_view>

#include "refusal.hpp"

namespace nvmf::engine {

inline constexpr std::size_t connect_data_size = 1024;  // bytes
inline constexpr std::uint16_t cntlid_any = 0xffff;     // dynamic controller model
inline constexpr std::uint16_t cntlid_any_static = 0xfffe;
inline constexpr std::uint16_t cntlid_max = 0xffef;
inline constexpr std::uint32_t admin_queue_entries_max = 4096;

using host_id = std::array<std::byte, 16>;

struct connect_request {
  std::uint16_t qid = 0;
  std::uint32_t queue_size = 0;  // entries
  bool sq_flow_control = true;
  std::uint32_t kato_ms = 0;  // admin queue only; the field is reserved on I/O queues
  host_id host{};
  std::uint16_t cntlid = 0;
  std::string subsystem_nqn;
  std::string host_nqn;
};

// Connect Invalid Parameters with the place of the parameter. `offset`: bytes from the start of the
// SQE, or of the data.
refusal invalid_in_sqe(std::uint16_t offset, std::string_view why);
refusal invalid_in_data(std::uint16_t offset, std::string_view why);
refusal bad_cntlid(std::string_view why);
refusal bad_subsystem_nqn(std::string_view why);

// Is this capsule the one that must come first on a queue? Otherwise: the status for it.
std::expected<void, refusal> expect_connect(std::span<const std::byte, 64> sqe);
// What can be judged before the data is here. `data_length`: SGL length, bytes.
std::expected<void, refusal> check_connect_sqe(std::span<const std::byte, 64> sqe,
                                               std::uint32_t data_length);
// `data`: the first connect_data_size bytes of the command's data. check_connect_sqe has passed.
std::expected<connect_request, refusal> read_connect(std::span<const std::byte, 64> sqe,
                                                     std::span<const std::byte> data);

// What a subsystem asks of a Connect.
struct connect_rules {
  bool discovery = false;  // no I/O queues
  bool static_model = false;
  std::uint16_t static_controllers = 0;  // CNTLIDs 1 to this exist; static model only
  std::uint32_t io_queue_entries_max = 0;
  std::uint32_t kato_max_ms = 0;
};
std::expected<void, refusal> check_against(const connect_request& request,
                                           const connect_rules& rules);

}  // namespace nvmf::engine
