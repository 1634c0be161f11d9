// SPDX-License-Identifier: BSD-2-Clause
// What is wrong with a text that a person typed: an address, a name, a number. One shape for all
// of them, so that every message says which part, why, and what a right one looks like.
#pragma once

#include <cstddef>
#include <expected>
#include <string>
#include <string_view>

namespace nvmf::wire {

struct text_error {
  std::string part;          // "port", "subnqn", "slba"
  std::size_t position = 0;  // byte of the text where that part goes wrong
  std::string reason;        // "70000 is more than 65535"
  std::string example;       // a right one; may be empty

  friend bool operator==(const text_error&, const text_error&) = default;
};

// That error, as a parser returns it.
std::unexpected<text_error> bad_text(std::string_view part, std::size_t position,
                                     std::string reason, std::string_view example = {});

// "port: 70000 is more than 65535 (for example nvme+tcp://...)". One line.
std::string to_text(const text_error& e);

// The text and a caret under the bad byte, as two lines without a newline at the end. What a
// terminal would obey or not show is shown as a dot; a long text is cut around the caret.
std::string caret_text(std::string_view text, const text_error& e);

// Where a byte of a text with several lines is; line and column count from 1, columns are bytes.
struct text_place {
  std::size_t line = 1;
  std::size_t column = 1;
  std::string_view text;  // that line, without its end: for caret_text with position column - 1
};
text_place place_in(std::string_view text, std::size_t position);

// The text in single quotes for a message: unprintable bytes as \xNN, cut after 60 bytes.
std::string quoted(std::string_view text);

}  // namespace nvmf::wire
