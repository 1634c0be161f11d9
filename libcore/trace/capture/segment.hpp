// SPDX-License-Identifier: BSD-2-Clause
// From a packet to the TCP segment in it, through whatever the link put around it: Ethernet, VLANs,
// Linux cooked (1 and 2), loopback, raw IP; IPv4, and IPv6 with its extension headers.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "packet.hpp"

namespace nvmf::trace {

inline constexpr std::uint8_t protocol_tcp = 6;  // of IP

enum class ip_family : std::uint8_t { v4, v6 };

struct endpoint {
  std::array<std::byte, 16> address{};  // of IPv4 the first four
  std::uint16_t port = 0;
  ip_family family = ip_family::v4;

  friend bool operator==(const endpoint&, const endpoint&) = default;
};
std::string to_text(const endpoint& e);  // "10.0.0.1:4420", "[fe80::1]:4420"

// Both directions of a connection have the same key: the lower end comes first.
struct flow_key {
  std::array<std::byte, 32> addresses{};
  std::array<std::uint16_t, 2> ports{};
  ip_family family = ip_family::v4;

  friend bool operator==(const flow_key& a, const flow_key& b) {
    // Word by word: for every packet of a capture, a call of memcmp() shows.
    std::uint64_t other = 0;
    for (std::size_t i = 0; i < a.addresses.size(); i += 8)
      other |= wire::load_le(a.addresses, i, 8) ^ wire::load_le(b.addresses, i, 8);
    return other == 0 && a.ports == b.ports && a.family == b.family;
  }
};
endpoint end_of(const flow_key& k, unsigned which);

namespace tcp_flag {
inline constexpr std::uint8_t fin = 0x01, syn = 0x02, rst = 0x04, ack = 0x10;
}

struct segment {
  flow_key flow;
  std::uint8_t from = 0;  // 0 or 1: which end of the key sent it
  std::uint8_t flags = 0;
  std::uint32_t sequence = 0;
  std::uint32_t acknowledged = 0;
  byte_span payload;                // as much as was captured
  std::uint32_t payload_bytes = 0;  // on the wire
};

enum class dissected : std::uint8_t {
  segment,
  other_link,       // a link type that is not read: link_name() has its name
  other_network,    // neither IPv4 nor IPv6
  other_transport,  // IP, but not TCP
  fragment,         // of an IP packet: not put together
  cut_short,        // a header is not all there
  malformed,        // a header that cannot be
};

// On other_transport `protocol` is its number, and the ports are those of UDP.
struct dissection {
  dissected what = dissected::malformed;
  std::uint8_t protocol = 0;
  std::uint16_t udp_to = 0;
};

dissection dissect(const packet& p, segment& out);

// Of a packet that dissect() found to be UDP (protocol 17).
struct datagram {
  endpoint from, to;
  byte_span payload;                // as much as was captured
  std::uint32_t payload_bytes = 0;  // on the wire
};
// False when a header is not all there, or cannot be.
bool dissect_udp(const packet& p, datagram& out);

// "IEEE 802.11", or "link type 147".
std::string link_name(std::uint16_t link);

}  // namespace nvmf::trace
