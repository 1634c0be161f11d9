// SPDX-License-Identifier: BSD-2-Clause
// Times and fractions as people type them, exact: no floating point, so that what is printed reads
// back as the same value. Numbers and sizes are in numbers.hpp.
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "text_error.hpp"

namespace nvmf::wire {

inline constexpr std::chrono::nanoseconds longest_time = std::chrono::hours(24 * 366);

struct time_range {
  std::chrono::nanoseconds min{0};
  std::chrono::nanoseconds max = longest_time;
};

// "50ms", "1.5s", "10us", "2m", "1h", "300ns": the unit is not optional, up to six decimals.
std::expected<std::chrono::nanoseconds, text_error> parse_time(std::string_view text,
                                                               std::string_view what,
                                                               time_range range = {});

// "50ms", "90s", "1500us": the largest unit that divides, for parse_time.
std::string time_text(std::chrono::nanoseconds time);

// A part of 1, in billionths: "10%", "0.1", "0.0000001%".
inline constexpr std::uint32_t whole_ppb = 1'000'000'000;
std::expected<std::uint32_t, text_error> parse_part(std::string_view text, std::string_view what);

// "10%", "0.5%", for parse_part.
std::string part_text(std::uint32_t ppb);

}  // namespace nvmf::wire
