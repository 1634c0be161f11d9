// SPDX-License-Identifier: BSD-2-Clause
// Values that only options take; numbers, sizes and bytes are read by wire/numbers.hpp. Errors name
// no option: that is put in front by whoever knows it.
#pragma once

#include <chrono>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "wire/text_error.hpp"

namespace nvmf::cli {

// "500ms", "1.5s", "2m", "1h"; a number without a unit counts in `plain`.
std::expected<std::chrono::milliseconds, wire::text_error> parse_duration(
    std::string_view text, std::chrono::milliseconds plain);
std::string duration_text(std::chrono::milliseconds time);  // "10 s", "250 ms"

// "0-3,6": numbers and ranges of at most `max`, in the order given.
std::expected<std::vector<unsigned>, wire::text_error> parse_list(std::string_view text,
                                                                  unsigned max);

}  // namespace nvmf::cli
