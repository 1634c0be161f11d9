// SPDX-License-Identifier: BSD-2-Clause
// Addresses as text: RFC 5952 for IPv6.
#include <fmt/format.h>

#include "segment.hpp"

namespace nvmf::trace {

namespace {

std::string ipv6_text(const std::array<std::byte, 16>& a) {
  // The longest run of zero groups, the first of equals, and no run of one, becomes "::".
  std::size_t best = 8, best_length = 1;
  for (std::size_t i = 0; i < 8; ++i) {
    std::size_t end = i;
    while (end < 8 && wire::load_be(a, end * 2, 2) == 0) ++end;
    if (end - i > best_length) {
      best = i;
      best_length = end - i;
    }
  }
  std::string out;
  for (std::size_t i = 0; i < 8; ++i) {
    if (i == best) {
      out += "::";
      i += best_length - 1;
      continue;
    }
    if (!out.empty() && out.back() != ':') out += ':';
    out += fmt::format("{:x}", wire::load_be(a, i * 2, 2));
  }
  return out;
}

}  // namespace

std::string to_text(const endpoint& e) {
  if (e.family == ip_family::v6) return fmt::format("[{}]:{}", ipv6_text(e.address), e.port);
  const auto part = [&](std::size_t i) { return std::to_integer<unsigned>(e.address[i]); };
  return fmt::format("{}.{}.{}.{}:{}", part(0), part(1), part(2), part(3), e.port);
}

}  // namespace nvmf::trace
