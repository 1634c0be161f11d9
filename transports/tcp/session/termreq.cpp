// SPDX-License-Identifier: BSD-2-Clause
#include "termreq.hpp"

#include <algorithm>

#include "limits.hpp"

namespace nvmf::tcp {

using wire::fes;
using wire::get;
using wire::pdu_h2c_termreq;
using wire::pdu_type;
using wire::set;

void encode_termreq(tx_pdu& pdu, role sender, const protocol_error& why,
                    std::span<const std::byte> offending) {
  const auto header = blank<pdu_h2c_termreq>(pdu);  // both directions have the same fields
  set<pdu_h2c_termreq, "fes">(header, why.fes);
  set<pdu_h2c_termreq, "fei">(header, why.fei);
  const auto data = offending.first(std::min(offending.size(), max_error_data));
  pdu.kind = tx_kind::termreq;
  seal(pdu, wire::pdu_h2c_termreq,
       sender == role::host ? pdu_type::h2c_termreq : pdu_type::c2h_termreq, 0, {});
  // The error data follows the header at once and counts in PLEN alone: PDO is 0.
  std::ranges::copy(data, pdu.head.begin() + pdu.head_size);
  pdu.head_size += static_cast<std::uint32_t>(data.size());
  set<wire::pdu_common, "plen">(std::span{pdu.head}, pdu.head_size);
}

protocol_error read_termreq(std::span<const std::byte> header, std::span<const std::byte> data) {
  protocol_error e;
  e.fes = static_cast<std::uint16_t>(get<pdu_h2c_termreq, "fes">(header));
  e.fei = static_cast<std::uint32_t>(get<pdu_h2c_termreq, "fei">(header));
  e.reason = "the peer ended the connection with a TermReq";
  if (e.fes == static_cast<std::uint16_t>(fes::invalid_header_field) ||
      e.fes == static_cast<std::uint16_t>(fes::unsupported_parameter))
    e.offset = e.fei;
  if (!data.empty()) {
    const wire::layout* form = wire::pdu_layout(std::to_integer<std::uint8_t>(data[0]));
    if (form != nullptr) e.structure = form->name;
  }
  return e;
}

}  // namespace nvmf::tcp
