// SPDX-License-Identifier: BSD-2-Clause
// Where a controller is, as text. The URIs of the NVMe Boot specification:
//   nvme+tcp://host[:port][/subnqn[/nsid]][?hdgst=on&ddgst=off]
//   nvme+rdma://...            as tcp
//   nvme+loop://name[/subnqn[/nsid]]
// and SPDK's spelling of the same: trtype:TCP adrfam:IPv4 traddr:127.0.0.1 trsvcid:4420 subnqn:...
// IPv6 stands in brackets, with %25scope if need be. What a URI cannot hold stands percent-encoded:
// a slash within the NQN is %2F.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "text_error.hpp"

namespace nvmf::wire {

enum class uri_transport : std::uint8_t { tcp, rdma, loop };

struct uri {
  uri_transport transport = uri_transport::tcp;
  std::string host;           // name or address without brackets; for loop the name of the target
  std::uint16_t port = 0;     // always set for tcp and rdma, 0 for loop
  std::string nqn;            // of the subsystem; empty when the text has none
  std::uint32_t nsid = 0;     // 0 when the text has none
  std::optional<bool> hdgst;  // digests, when the text says
  std::optional<bool> ddgst;

  friend bool operator==(const uri&, const uri&) = default;
};

using uri_error = text_error;

inline constexpr std::size_t uri_max_length = 2048;

std::expected<uri, uri_error> parse_uri(std::string_view text);
std::expected<uri, uri_error> parse_trid(std::string_view text);
// Either: a text with "://" is a URI, one that starts with a key and a colon is SPDK's.
std::expected<uri, uri_error> parse_address(std::string_view text);

// The URI, with its port; parse_uri() of it gives the same again.
std::string to_text(const uri& u);

std::string_view transport_name(uri_transport t);  // "tcp", "rdma", "loop"

// 4420, or 8009 for a discovery service over TCP: no NQN, or the well-known one. Over RDMA
// discovery has no port of its own (IANA registers 8009 for TCP only). 0 for loop.
std::uint16_t default_port(uri_transport t, std::string_view nqn);

// Percent-encoding of RFC 3986 for one path segment: what cannot stand there as it is becomes %XX.
std::string percent_encode(std::string_view text);
std::expected<std::string, text_error> percent_decode(std::string_view text, std::string_view what);

}  // namespace nvmf::wire
