// SPDX-License-Identifier: BSD-2-Clause
// UUIDs (RFC 4122), as host identifiers and namespace UUIDs use them. The 16 bytes stand on the
// wire in the order of the text: NVMe takes the big-endian form (Base 2.0, 4.5.3).
#pragma once

#include <array>
#include <cstddef>
#include <expected>
#include <string>
#include <string_view>

#include "bytes.hpp"
#include "text_error.hpp"

namespace nvmf::wire {

struct uuid {
  std::array<std::byte, 16> bytes{};

  constexpr bool is_zero() const { return bytes == std::array<std::byte, 16>{}; }
  friend bool operator==(const uuid&, const uuid&) = default;
};

inline constexpr std::size_t uuid_text_length = 36;

// "01234567-89ab-cdef-0123-456789abcdef", 8-4-4-4-12 digits of any case.
std::expected<uuid, text_error> parse_uuid(std::string_view text);

// A host identifier as nvme-cli takes it: a UUID, or 32 hexadecimal digits without dashes. Zero is
// refused: it means "no host identifier" (Base 2.0, 5.27.1, feature 81h).
std::expected<uuid, text_error> parse_host_id(std::string_view text);

std::string to_text(const uuid& u);  // lower case

// Version 4, from 16 random bytes of the caller: this room has no source of randomness.
uuid make_uuid_v4(std::array<std::byte, 16> random);

}  // namespace nvmf::wire
