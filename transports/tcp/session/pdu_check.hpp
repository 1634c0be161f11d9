// SPDX-License-Identifier: BSD-2-Clause
// Judges the first eight bytes of a PDU, in wire order: type, flags, HLEN, PDO, PLEN. After it the
// length of every part of the PDU is known and bounded, so nothing is allocated or waited for on a
// peer's word alone.
#pragma once

#include <cstdint>
#include <expected>
#include <nvmf/error.hpp>
#include <nvmf/qpair.hpp>
#include <span>

#include "wire/tables.hpp"

namespace nvmf::tcp {

// What this side may be sent.
struct receive_rules {
  role side = role::host;  // of the receiver
  bool header_digest = false;
  bool data_digest = false;
  std::uint32_t alignment = 4;       // bytes: what the PDO of data must be a multiple of
  std::uint64_t max_in_capsule = 0;  // controller: data of a command capsule
  std::uint64_t max_data = 0;        // controller: MAXH2CDATA; host: the largest read so far
};

// The parts of one PDU, in order: header, header digest, padding, data, data digest.
struct pdu_shape {
  wire::pdu_type type{};
  std::uint8_t flags = 0;
  std::uint8_t header = 0;         // bytes, without digest
  std::uint8_t header_digest = 0;  // bytes: 0 or 4
  std::uint8_t data_digest = 0;    // bytes: 0 or 4
  std::uint32_t padding = 0;
  std::uint32_t data = 0;  // of a TermReq: its error data

  bool last() const { return (flags & static_cast<std::uint8_t>(wire::pdu_flag::last_pdu)) != 0; }
  bool success() const { return (flags & static_cast<std::uint8_t>(wire::pdu_flag::success)) != 0; }
};

std::expected<pdu_shape, protocol_error> check_common(std::span<const std::byte, 8> common,
                                                      const receive_rules& rules);

// Builders of protocol errors (NVMe/TCP 3.6.2.4: what FEI means for each FES).
protocol_error bad_field(std::string_view structure, std::uint32_t offset, std::string_view reason,
                         std::uint64_t value = 0, std::uint64_t limit = 0);
protocol_error broken_rule(wire::fes why, std::string_view structure, std::uint32_t offset,
                           std::string_view reason, std::uint64_t value = 0,
                           std::uint64_t limit = 0);
// FES 0: no TermReq may be sent, the connection is dropped.
protocol_error silent_close(std::string_view structure, std::uint32_t offset,
                            std::string_view reason, std::uint64_t value, std::uint64_t limit);

}  // namespace nvmf::tcp
