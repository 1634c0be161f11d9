// SPDX-License-Identifier: BSD-2-Clause
// Makes the bytes of PDUs. Every PDU we send gets its common header, digests and padding here.
#pragma once

#include <cstdint>
#include <span>

#include "memory.hpp"
#include "wire/layouts/pdu.hpp"

namespace nvmf::tcp {

// What the peer is to be sent, settled by the IC exchange.
struct send_rules {
  bool header_digest = false;
  bool data_digest = false;
  std::uint32_t alignment = 4;  // bytes: the peer's HPDA or CPDA
};

// CRC32C over [offset, offset + length) of `mem`, continued from `crc`.
std::uint32_t crc32c(std::uint32_t crc, const memdesc& mem, std::size_t offset, std::size_t length);

// Completes a PDU whose header from byte 8 on and whose data are set: common header, header digest,
// padding, data digest. `flags` without the digest bits.
void seal(tx_pdu& pdu, const wire::layout& form, wire::pdu_type type, std::uint8_t flags,
          const send_rules& rules);

// A header to be filled in by wire::set.
template <const wire::layout& Form>
wire::mutable_byte_span blank(tx_pdu& pdu) {
  const auto header = std::span{pdu.head}.first(Form.size);
  std::ranges::fill(header, std::byte{0});
  return header;
}

void encode_command(tx_pdu& pdu, std::span<const std::byte, 64> sqe, const send_rules& rules);
void encode_response(tx_pdu& pdu, std::span<const std::byte, 16> cqe, const send_rules& rules);

struct data_header {
  std::uint16_t cccid = 0;
  std::uint16_t ttag = 0;  // H2CData
  std::uint32_t datao = 0;
  bool last = false;
  bool success = false;  // C2HData
};
// DATAL is pdu.data's size.
void encode_h2c_data(tx_pdu& pdu, const data_header& h, const send_rules& rules);
void encode_c2h_data(tx_pdu& pdu, const data_header& h, const send_rules& rules);
void encode_r2t(tx_pdu& pdu, std::uint16_t cccid, std::uint16_t ttag, std::uint32_t offset,
                std::uint32_t length, const send_rules& rules);

}  // namespace nvmf::tcp
