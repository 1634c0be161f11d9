// SPDX-License-Identifier: BSD-2-Clause
// A text that a reader of ours does not take: at which byte, and the whole message.
#pragma once

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <string_view>

#include "wire/text_error.hpp"

namespace nvmf::test {

// `read`: what came of it, a std::expected with a text_error. `part`: what the message begins with.
template <class Read>
void check_refused(std::string_view text, const Read& read, std::string_view part,
                   std::size_t position, std::string_view why) {
  CAPTURE(text);
  REQUIRE_FALSE(read.has_value());
  CHECK(read.error().position == position);
  CHECK(to_text(read.error()) == fmt::format("{}: {}", part, why));
}
// In a text of one line. Columns count from 1.
template <class Read>
void check_refused(std::string_view text, const Read& read, std::size_t column,
                   std::string_view why) {
  check_refused(text, read, fmt::format("column {}", column), column - 1, why);
}

}  // namespace nvmf::test
