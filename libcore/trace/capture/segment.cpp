// SPDX-License-Identifier: BSD-2-Clause
#include "segment.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace nvmf::trace {

namespace {

using wire::load_be;
using wire::load_le;

// LINKTYPE_ values (www.tcpdump.org/linktypes.html).
namespace link {
constexpr std::uint16_t null = 0, ethernet = 1, raw_bsd = 12, raw_openbsd = 14, raw = 101,
                        loop = 108, linux_cooked = 113, ipv4 = 228, ipv6 = 229,
                        linux_cooked_2 = 276;
}

struct link_row {
  std::uint16_t number;
  std::string_view name;
};
constexpr link_row link_names[] = {
    {6, "Token Ring"},
    {9, "PPP"},
    {50, "PPP in HDLC"},
    {105, "IEEE 802.11"},
    {119, "Prism and 802.11"},
    {127, "IEEE 802.11 with radiotap"},
    {147, "a private one (147)"},
    {187, "Bluetooth HCI"},
    {189, "USB of Linux"},
    {195, "IEEE 802.15.4"},
    {201, "Bluetooth HCI with direction"},
    {220, "USB of Linux, padded"},
    {227, "CAN bus"},
    {239, "netfilter log"},
    {247, "InfiniBand"},
    {249, "USB of Windows"},
    {252, "Wireshark upper PDU"},
    {253, "netlink of Linux"},
    {254, "Bluetooth monitor"},
    {272, "nRF sniffer"},
};

constexpr std::uint16_t ether_ipv4 = 0x0800, ether_ipv6 = 0x86dd;
constexpr bool is_vlan(std::uint64_t type) {
  return type == 0x8100 || type == 0x88a8 || type == 0x9100;
}
constexpr std::uint8_t protocol_udp = 17;

// What an EtherType at `at` leads to, past VLAN tags; nothing when it is cut short.
std::optional<std::pair<std::uint64_t, std::size_t>> network_of(byte_span b, std::size_t at) {
  if (b.size() < at + 2) return std::nullopt;
  std::uint64_t type = load_be(b, at, 2);
  at += 2;
  while (is_vlan(type)) {
    if (b.size() < at + 4) return std::nullopt;
    type = load_be(b, at + 2, 2);
    at += 4;
  }
  return std::pair{type, at};
}

std::uint64_t type_by_version(byte_span b) {
  const unsigned version = b.empty() ? 0 : std::to_integer<unsigned>(b[0]) >> 4;
  return version == 4 ? ether_ipv4 : version == 6 ? ether_ipv6 : 0;
}

// AF_INET is 2 everywhere; AF_INET6 is 10, 24, 28 or 30. The order of bytes is that of the machine
// that captured (NULL) or the network's (LOOP).
std::uint64_t type_by_family(byte_span b) {
  const std::uint64_t family = std::min(load_le(b, 0, 4), load_be(b, 0, 4));
  if (family == 2) return ether_ipv4;
  return family == 10 || family == 24 || family == 28 || family == 30 ? ether_ipv6 : 0;
}

struct tcp_at {
  byte_span bytes;           // the header of TCP, or UDP, and what was captured behind it
  std::uint64_t wire_bytes;  // of the segment with its header, on the wire
  const std::byte* source;
  const std::byte* destination;
  ip_family family;
};

dissection cut() { return {.what = dissected::cut_short}; }
dissection bad() { return {.what = dissected::malformed}; }

dissection other(std::uint8_t protocol, byte_span rest) {
  const bool udp = protocol == protocol_udp && rest.size() >= 4;
  return {.what = dissected::other_transport,
          .protocol = protocol,
          .udp_to = udp ? static_cast<std::uint16_t>(load_be(rest, 2, 2)) : std::uint16_t{0}};
}

// `wire`: bytes of the IP packet on the wire, with padding of the link.
dissection ipv4(byte_span b, std::uint64_t wire, tcp_at& out) {
  if (b.size() < 20) return cut();
  const std::size_t header = (std::to_integer<std::size_t>(b[0]) & 0xf) * 4;
  // Offloading hosts capture packets before their length is known; then it is that of the frame.
  std::uint64_t total = load_be(b, 2, 2);
  if (total == 0) total = wire;
  if (header < 20 || total < header || total > wire) return bad();
  if (b.size() < header) return cut();
  if ((load_be(b, 6, 2) & 0x3fff) != 0) return {.what = dissected::fragment};
  const auto protocol = std::to_integer<std::uint8_t>(b[9]);
  const auto there = static_cast<std::size_t>(std::min<std::uint64_t>(total, b.size()));
  out = {b.subspan(header, there - header), total - header, b.data() + 12, b.data() + 16,
         ip_family::v4};
  if (protocol != protocol_tcp) return other(protocol, out.bytes);
  return {.what = dissected::segment};
}

dissection ipv6(byte_span b, std::uint64_t wire, tcp_at& out) {
  constexpr std::size_t header = 40;
  if (b.size() < header) return cut();
  std::uint64_t length = load_be(b, 4, 2);
  if (length == 0) length = wire - std::min<std::uint64_t>(wire, header);  // jumbo, or offloaded
  if (header + length > wire) return bad();
  auto protocol = std::to_integer<std::uint8_t>(b[6]);
  const auto there = static_cast<std::size_t>(std::min<std::uint64_t>(header + length, b.size()));
  b = b.first(there);
  std::size_t at = header;
  while (protocol != protocol_tcp) {
    // Hop-by-hop, routing, destination options, mobility; authentication; fragment (RFC 8200, 4).
    const bool options = protocol == 0 || protocol == 43 || protocol == 60 || protocol == 135;
    if (protocol == 44) return {.what = dissected::fragment};
    if (!options && protocol != 51) {
      out = {b.subspan(at), header + length - at, b.data() + 8, b.data() + 24, ip_family::v6};
      return other(protocol, out.bytes);
    }
    if (b.size() < at + 2) return cut();
    const auto units = std::to_integer<std::size_t>(b[at + 1]);
    protocol = std::to_integer<std::uint8_t>(b[at]);
    at += options ? (units + 1) * 8 : (units + 2) * 4;
    if (at > header + length) return bad();
    if (at > b.size()) return cut();
  }
  out = {b.subspan(at), header + length - at, b.data() + 8, b.data() + 24, ip_family::v6};
  return {.what = dissected::segment};
}

// The lower address first, of addresses that are the same the lower port. True: it is not the
// source.
template <std::size_t Size>
bool put_ends(const tcp_at& t, bool source_port_is_higher, flow_key& out) {
  const int order = std::memcmp(t.source, t.destination, Size);
  const bool swapped = order > 0 || (order == 0 && source_port_is_higher);
  std::memcpy(out.addresses.data() + (swapped ? 16 : 0), t.source, Size);
  std::memcpy(out.addresses.data() + (swapped ? 0 : 16), t.destination, Size);
  return swapped;
}

dissection tcp(const tcp_at& t, segment& out) {
  if (t.wire_bytes < 20) return bad();
  if (t.bytes.size() < 20) return cut();
  const std::size_t header = (std::to_integer<std::size_t>(t.bytes[12]) >> 4) * 4;
  if (header < 20 || header > t.wire_bytes) return bad();
  const auto source_port = static_cast<std::uint16_t>(load_be(t.bytes, 0, 2));
  const auto destination_port = static_cast<std::uint16_t>(load_be(t.bytes, 2, 2));
  out.flow = {};
  out.flow.family = t.family;
  const bool swapped = t.family == ip_family::v4
                           ? put_ends<4>(t, source_port > destination_port, out.flow)
                           : put_ends<16>(t, source_port > destination_port, out.flow);
  out.flow.ports = {swapped ? destination_port : source_port,
                    swapped ? source_port : destination_port};
  out.from = swapped ? 1 : 0;
  out.sequence = static_cast<std::uint32_t>(load_be(t.bytes, 4, 4));
  out.acknowledged = static_cast<std::uint32_t>(load_be(t.bytes, 8, 4));
  out.flags = std::to_integer<std::uint8_t>(t.bytes[13]);
  out.payload = t.bytes.subspan(std::min(header, t.bytes.size()));
  out.payload_bytes = static_cast<std::uint32_t>(t.wire_bytes - header);
  return {.what = dissected::segment};
}

// What IP carries, whatever the link puts around it.
dissection find_ip(const packet& p, tcp_at& out) {
  std::uint64_t type = 0;
  std::size_t at = 0;
  const byte_span b = p.bytes;
  switch (p.link) {
    case link::ethernet:
    case link::linux_cooked: {
      const auto found = network_of(b, p.link == link::ethernet ? 12 : 14);
      if (!found) return cut();
      std::tie(type, at) = *found;
      break;
    }
    case link::linux_cooked_2: {
      if (b.size() < 20) return cut();
      type = load_be(b, 0, 2);
      at = 20;
      if (is_vlan(type)) {
        const auto found = network_of(b, 22);
        if (!found) return cut();
        std::tie(type, at) = *found;
      }
      break;
    }
    case link::null:
    case link::loop:
      if (b.size() < 4) return cut();
      type = type_by_family(b);
      at = 4;
      break;
    case link::raw_bsd:
    case link::raw_openbsd:
    case link::raw:
    case link::ipv4:
    case link::ipv6:
      type = type_by_version(b);
      break;
    default:
      return {.what = dissected::other_link};
  }
  if (type != ether_ipv4 && type != ether_ipv6) return {.what = dissected::other_network};
  if (at > b.size()) return cut();
  const std::uint64_t wire = p.wire_bytes - at;
  return type == ether_ipv4 ? ipv4(b.subspan(at), wire, out) : ipv6(b.subspan(at), wire, out);
}

endpoint end_at(const std::byte* address, ip_family family, std::uint64_t port) {
  endpoint e{.port = static_cast<std::uint16_t>(port), .family = family};
  std::memcpy(e.address.data(), address, family == ip_family::v4 ? 4 : 16);
  return e;
}

}  // namespace

dissection dissect(const packet& p, segment& out) {
  tcp_at found{};
  const dissection ip = find_ip(p, found);
  return ip.what == dissected::segment ? tcp(found, out) : ip;
}

bool dissect_udp(const packet& p, datagram& out) {
  constexpr std::size_t header = 8;
  tcp_at found{};
  const dissection ip = find_ip(p, found);
  const byte_span b = found.bytes;
  if (ip.what != dissected::other_transport || ip.protocol != protocol_udp || b.size() < header)
    return false;
  const std::uint64_t length = load_be(b, 4, 2);
  if (length < header || length > found.wire_bytes) return false;
  out.from = end_at(found.source, found.family, load_be(b, 0, 2));
  out.to = end_at(found.destination, found.family, load_be(b, 2, 2));
  const auto there = static_cast<std::size_t>(std::min<std::uint64_t>(length, b.size()));
  out.payload = b.subspan(header, there - header);
  out.payload_bytes = static_cast<std::uint32_t>(length - header);
  return true;
}

endpoint end_of(const flow_key& k, unsigned which) {
  endpoint e{.port = k.ports[which], .family = k.family};
  std::copy_n(k.addresses.begin() + which * 16, 16, e.address.begin());
  return e;
}

std::string link_name(std::uint16_t number) {
  for (const link_row& r : link_names)
    if (r.number == number) return std::string(r.name);
  return fmt::format("link type {}", number);
}

}  // namespace nvmf::trace
