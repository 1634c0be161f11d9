// SPDX-License-Identifier: BSD-2-Clause
// Private data of the connection manager, by which the two ends of an NVMe/RDMA queue settle its
// depth before a capsule is sent.
#pragma once

#include <array>
#include <expected>
#include <nvmf/error.hpp>
#include <span>
#include <string>

#include "wire/tables.hpp"

namespace nvmf::rdma {

inline constexpr std::size_t request_bytes = 32, accept_bytes = 32, reject_bytes = 4;

// What a host says of its queue.
struct cm_request {
  std::uint16_t qid = 0;
  std::uint32_t receives = 0;  // HRQSIZE: responses that it has room for
  std::uint32_t sends = 0;     // HSQSIZE + 1: commands that it may have outstanding
  std::uint16_t cntlid = 0;
};
// What a controller takes.
struct request_rules {
  std::uint32_t max_sends_admin = 0;  // commands that an Admin Queue may have outstanding
  std::uint32_t max_sends = 0;        // an I/O queue
  std::uint16_t max_qid = 0;
};

// receives 1..65535, sends 1..65536.
std::array<std::byte, request_bytes> encode(const cm_request& request);
// The first thing that is wrong with it, in the order of its bytes. What stands behind the 32 bytes
// is padding of the connection manager's.
std::expected<cm_request, wire::rdma_cm_status> parse_request(std::span<const std::byte> data,
                                                              const request_rules& rules);

// `receives`, CRQSIZE: commands that the controller has room for. 1..65535.
std::array<std::byte, accept_bytes> encode_accept(std::uint32_t receives);
std::expected<std::uint32_t, protocol_error> parse_accept(std::span<const std::byte> data);

std::array<std::byte, reject_bytes> encode_reject(wire::rdma_cm_status why);
// For a person: "Invalid HSQSIZE (status 4)"; what is wrong with it if it has no status.
std::expected<std::string, protocol_error> explain_reject(std::span<const std::byte> data);

}  // namespace nvmf::rdma
