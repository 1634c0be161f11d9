// SPDX-License-Identifier: BSD-2-Clause
// One NVMe/TCP PDU as it was seen, told after its last byte.
#pragma once

#include <cstdint>

#include "trace/capture/packet.hpp"

namespace nvmf::wire {
struct layout;
}

namespace nvmf::trace {

enum class way : std::uint8_t { to_controller, to_host };
constexpr way opposite(way w) { return w == way::to_host ? way::to_controller : way::to_host; }

enum class digest_state : std::uint8_t {
  none,  // there is none
  good,
  bad,
  unknown,  // not all bytes were captured
};

namespace pdu_flag_bit {
inline constexpr std::uint8_t hdgst = 0x01, ddgst = 0x02, last = 0x04, success = 0x08;
}

struct rdma_facts;

struct pdu {
  way going = way::to_controller;
  std::uint8_t type = 0;
  std::uint8_t flags = 0;
  std::uint8_t hlen = 0;
  std::uint8_t pdo = 0;
  std::uint32_t plen = 0;
  byte_span header;                 // HLEN bytes; fewer when they were not captured
  byte_span data;                   // the first bytes of its data, as many as were asked for
  std::uint32_t data_bytes = 0;     // by its header
  std::uint32_t data_at = 0;        // where in the PDU they begin
  std::uint64_t bytes_missing = 0;  // of all its bytes: not captured
  digest_state header_digest = digest_state::none;
  digest_state data_digest = digest_state::none;
  stamp begun, ended;        // its first and last byte; never ended before it was begun
  std::uint64_t offset = 0;  // of its first byte in its direction, from the first byte seen
  // Of NVMe/RDMA: this stands for what does the same there, and its header was made up.
  const rdma_facts* rdma = nullptr;
};

// The layout of its header; null when no table has its type.
const wire::layout* form_of(const pdu& p);

}  // namespace nvmf::trace
