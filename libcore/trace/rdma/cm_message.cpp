// SPDX-License-Identifier: BSD-2-Clause
#include "cm_message.hpp"

#include <algorithm>

#include "roce_packet.hpp"

namespace nvmf::trace {

namespace {

using wire::load_be;

constexpr std::size_t mad_bytes = 256, mad_header = 24;
constexpr std::uint64_t management_class = 0x07, class_version = 2, method_send = 0x03;
// IP CM Service (A11.4): what private data of a request begins with, and service IDs of TCP's
// ports.
constexpr std::size_t ip_header = 36;
constexpr std::uint64_t ip_service_tcp = 0x0000'0000'0106'0000;

void read_request(byte_span b, cm_message& m) {
  const std::uint64_t service = load_be(b, 8, 8);
  m.qp = field_at(b, 32, 3);
  m.peer_psn = field_at(b, 44, 3);
  const std::uint32_t mtu = field_at(b, 50, 1) >> 4;
  m.mtu = mtu >= 1 && mtu <= 5 ? 128u << mtu : 0;
  m.private_data = b.subspan(140, 92);
  if ((service & ~std::uint64_t{0xffff}) != ip_service_tcp) return;
  m.to_port = static_cast<std::uint16_t>(service & 0xffff);
  m.from_port = static_cast<std::uint16_t>(load_be(m.private_data, 2, 2));
  m.private_data = m.private_data.subspan(ip_header);
}

}  // namespace

std::optional<cm_message> read_cm(byte_span mad) {
  if (mad.size() < mad_bytes || load_be(mad, 1, 1) != management_class ||
      load_be(mad, 2, 1) != class_version || load_be(mad, 3, 1) != method_send)
    return std::nullopt;
  const byte_span b = mad.subspan(mad_header, mad_bytes - mad_header);
  cm_message m{.kind = static_cast<cm_kind>(load_be(mad, 16, 2))};
  m.local_id = field_at(b, 0, 4);
  m.remote_id = field_at(b, 4, 4);
  switch (m.kind) {
    case cm_kind::request:
      m.remote_id = 0;
      read_request(b, m);
      return m;
    case cm_kind::reply:
      m.qp = field_at(b, 12, 3);
      m.peer_psn = field_at(b, 20, 3);
      m.private_data = b.subspan(36);
      return m;
    case cm_kind::reject:
      m.reason = static_cast<std::uint16_t>(load_be(b, 10, 2));
      m.private_data = b.subspan(84);
      return m;
    case cm_kind::received:
    case cm_kind::ready:
    case cm_kind::disconnect_request:
    case cm_kind::disconnect_reply:
      return m;
  }
  return std::nullopt;
}

}  // namespace nvmf::trace
