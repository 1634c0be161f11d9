// SPDX-License-Identifier: BSD-2-Clause
// Numbers, sizes and hexadecimal bytes as people type them. `what` names the value in errors
// ("slba"); positions count from the start of `text`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "text_error.hpp"

namespace nvmf::wire {

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }

struct number_range {
  std::uint64_t min = 0;
  std::uint64_t max = std::numeric_limits<std::uint64_t>::max();
};

// Decimal, or hexadecimal with 0x. Leading zeros do not mean octal. No sign, no blanks.
std::expected<std::uint64_t, text_error> parse_number(std::string_view text, std::string_view what,
                                                      number_range range = {});

// A number with an optional K, M, G or T (any case, also KiB or KB; all are powers of 1024).
std::expected<std::uint64_t, text_error> parse_size(std::string_view text, std::string_view what,
                                                    number_range range = {});

// "64 MiB", "4 KiB", "513 bytes": exact, the largest unit that divides.
std::string size_text(std::uint64_t bytes);

// Pairs of hexadecimal digits; blanks and newlines may stand between bytes, 0x may stand in front.
// More than max_bytes is an error, found before more than that is stored.
std::expected<std::vector<std::byte>, text_error> parse_hex(std::string_view text,
                                                            std::string_view what,
                                                            std::size_t max_bytes);

}  // namespace nvmf::wire
