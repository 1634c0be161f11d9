// SPDX-License-Identifier: BSD-2-Clause
// The host part of an address: a name, an IPv4 or an IPv6 address, checked as text. Resolving is
// the business of whoever has a resolver.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "text_error.hpp"

namespace nvmf::wire {

enum class host_kind : std::uint8_t { name, ipv4, ipv6 };

// `host` without brackets; IPv6 may end in %scope. Digits and dots alone are an IPv4 address or
// wrong, never a name.
std::expected<host_kind, text_error> check_host(std::string_view host);

struct endpoint {
  std::string host;  // without brackets, the scope after a plain %
  std::optional<std::uint16_t> port;

  friend bool operator==(const endpoint&, const endpoint&) = default;
};

// "host", "host:port", "[ipv6]", "[ipv6%scope]:port"; the % may be written %25 as in URIs. Ports
// start at `min_port`: 0 is for listeners, who get a free one.
std::expected<endpoint, text_error> parse_endpoint(std::string_view text,
                                                   std::uint16_t min_port = 1);

// As parse_endpoint reads it, IPv6 in brackets, its % as %25.
std::string to_text(const endpoint& e);

}  // namespace nvmf::wire
