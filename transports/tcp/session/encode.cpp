// SPDX-License-Identifier: BSD-2-Clause
#include "encode.hpp"

#include <algorithm>

#include "wire/crc32c.hpp"

namespace nvmf::tcp {
namespace {

using wire::pdu_common;
using wire::pdu_flag;
using wire::pdu_type;
using wire::set;

constexpr std::uint8_t bit(pdu_flag f, bool on = true) {
  return on ? static_cast<std::uint8_t>(f) : std::uint8_t{0};
}

}  // namespace

std::uint32_t crc32c(std::uint32_t crc, const memdesc& mem, std::size_t offset,
                     std::size_t length) {
  std::array<segment, 32> pieces;
  while (length > 0) {
    const std::size_t count = mem.pieces(offset, length, pieces);
    for (const segment& piece : std::span{pieces}.first(count)) {
      crc = wire::crc32c(crc, {piece.data, piece.size});
      offset += piece.size;
      length -= piece.size;
    }
  }
  return crc;
}

void seal(tx_pdu& pdu, const wire::layout& form, pdu_type type, std::uint8_t flags,
          const send_rules& rules) {
  const bool termreq = type == pdu_type::h2c_termreq || type == pdu_type::c2h_termreq;
  const std::size_t size = pdu.data.size();
  const bool hdgst = rules.header_digest && !termreq;
  const bool ddgst = rules.data_digest && size > 0;
  const std::uint32_t header_end = form.size + (hdgst ? 4 : 0);
  std::uint32_t pdo = 0;
  pdu.head_size = header_end;
  if (size > 0) {
    pdo = (header_end + rules.alignment - 1) / rules.alignment * rules.alignment;
    std::fill(pdu.head.begin() + header_end, pdu.head.begin() + pdo, std::byte{0});
    pdu.head_size = pdo;
  }
  pdu.tail_size = ddgst ? 4 : 0;
  const auto head = std::span{pdu.head};
  set<pdu_common, "type">(head, static_cast<std::uint8_t>(type));
  set<pdu_common, "flags">(head, static_cast<std::uint64_t>(flags | bit(pdu_flag::hdgst, hdgst) |
                                                            bit(pdu_flag::ddgst, ddgst)));
  set<pdu_common, "hlen">(head, form.size);
  set<pdu_common, "pdo">(head, pdo);
  set<pdu_common, "plen">(head, pdu.head_size + size + pdu.tail_size);
  if (hdgst) wire::store_le(head, form.size, 4, wire::crc32c(0, head.first(form.size)));
  if (ddgst) wire::store_le(pdu.tail, 0, 4, crc32c(0, pdu.data, 0, size));
}

void encode_command(tx_pdu& pdu, std::span<const std::byte, 64> sqe, const send_rules& rules) {
  const auto header = wire::mutable_byte_span{pdu.head};
  std::ranges::copy(sqe, wire::bytes_of<wire::pdu_capsule_cmd, "ccsqe">(header).begin());
  pdu.kind = tx_kind::command;
  seal(pdu, wire::pdu_capsule_cmd, pdu_type::capsule_cmd, 0, rules);
}

void encode_response(tx_pdu& pdu, std::span<const std::byte, 16> cqe, const send_rules& rules) {
  const auto header = wire::mutable_byte_span{pdu.head};
  std::ranges::copy(cqe, wire::bytes_of<wire::pdu_capsule_resp, "rccqe">(header).begin());
  pdu.kind = tx_kind::response;
  seal(pdu, wire::pdu_capsule_resp, pdu_type::capsule_resp, 0, rules);
}

void encode_h2c_data(tx_pdu& pdu, const data_header& h, const send_rules& rules) {
  const auto header = blank<wire::pdu_h2c_data>(pdu);
  set<wire::pdu_h2c_data, "cccid">(header, h.cccid);
  set<wire::pdu_h2c_data, "ttag">(header, h.ttag);
  set<wire::pdu_h2c_data, "datao">(header, h.datao);
  set<wire::pdu_h2c_data, "datal">(header, pdu.data.size());
  pdu.kind = tx_kind::h2c_data;
  seal(pdu, wire::pdu_h2c_data, pdu_type::h2c_data, bit(pdu_flag::last_pdu, h.last), rules);
}

void encode_c2h_data(tx_pdu& pdu, const data_header& h, const send_rules& rules) {
  const auto header = blank<wire::pdu_c2h_data>(pdu);
  set<wire::pdu_c2h_data, "cccid">(header, h.cccid);
  set<wire::pdu_c2h_data, "datao">(header, h.datao);
  set<wire::pdu_c2h_data, "datal">(header, pdu.data.size());
  pdu.kind = tx_kind::c2h_data;
  seal(pdu, wire::pdu_c2h_data, pdu_type::c2h_data,
       static_cast<std::uint8_t>(bit(pdu_flag::last_pdu, h.last) |
                                 bit(pdu_flag::success, h.success)),
       rules);
}

void encode_r2t(tx_pdu& pdu, std::uint16_t cccid, std::uint16_t ttag, std::uint32_t offset,
                std::uint32_t length, const send_rules& rules) {
  const auto header = blank<wire::pdu_r2t>(pdu);
  set<wire::pdu_r2t, "cccid">(header, cccid);
  set<wire::pdu_r2t, "ttag">(header, ttag);
  set<wire::pdu_r2t, "r2to">(header, offset);
  set<wire::pdu_r2t, "r2tl">(header, length);
  seal(pdu, wire::pdu_r2t, pdu_type::r2t, 0, rules);
}

}  // namespace nvmf::tcp
