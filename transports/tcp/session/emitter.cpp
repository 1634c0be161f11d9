// SPDX-License-Identifier: BSD-2-Clause
#include "emitter.hpp"

#include "wire/layouts/entries.hpp"
#include "wire/layouts/pdu.hpp"

namespace nvmf::tcp {
namespace {

constexpr std::size_t most_pieces = 64;

// The CID that a PDU is about, where it has one.
void fill_cid(event& e) {
  using wire::get;
  const auto type = static_cast<wire::pdu_type>(get<wire::pdu_common, "type">(e.header));
  e.has_cid = true;
  switch (type) {
    case wire::pdu_type::capsule_cmd:
      e.cid = static_cast<std::uint16_t>(
          get<wire::sqe_layout, "cid">(wire::bytes_of<wire::pdu_capsule_cmd, "ccsqe">(e.header)));
      return;
    case wire::pdu_type::capsule_resp:
      e.cid = static_cast<std::uint16_t>(
          get<wire::cqe_layout, "cid">(wire::bytes_of<wire::pdu_capsule_resp, "rccqe">(e.header)));
      return;
    case wire::pdu_type::h2c_data:
    case wire::pdu_type::c2h_data:
    case wire::pdu_type::r2t:
      e.cid = static_cast<std::uint16_t>(get<wire::pdu_r2t, "cccid">(e.header));
      return;
    default:
      e.has_cid = false;
  }
}

}  // namespace

void emitter::tell_header(event_type type, std::span<const std::byte> header, std::uint64_t data) {
  event e{.type = type, .header = header, .a = data};
  fill_cid(e);
  tell(e);
}

void emitter::tell_pdu_out(const tx_pdu& pdu) {
  const auto hlen = static_cast<std::size_t>(wire::get<wire::pdu_common, "hlen">(pdu.head));
  std::array<segment, most_pieces> pieces;
  const std::size_t count = pdu.data.pieces(0, pdu.data.size(), pieces);
  event e{.type = event_type::pdu_out,
          .header = std::span{pdu.head}.first(hlen),
          .data = std::span{pieces}.first(count),
          .a = pdu.data.size()};
  // The error data of a TermReq stands behind its header.
  const segment error_data{const_cast<std::byte*>(pdu.head.data()) + hlen, pdu.head_size - hlen};
  if (pdu.kind == tx_kind::termreq) {
    e.a = error_data.size;
    e.data = {&error_data, 1};
  }
  fill_cid(e);
  tell(e);
}

void emitter::tell_data_in(const pdu_shape& shape, std::span<const std::byte> header,
                           const memdesc& data, bool digest_good) {
  std::array<segment, most_pieces> pieces;
  const std::size_t count = data.pieces(0, data.size(), pieces);
  event e{.type = event_type::pdu_in_data,
          .header = header,
          .data = std::span{pieces}.first(count),
          .a = shape.data,
          .b = digest_good ? 0u : 1u};
  fill_cid(e);
  tell(e);
}

}  // namespace nvmf::tcp
