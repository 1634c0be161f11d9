// SPDX-License-Identifier: BSD-2-Clause
// A line of the debugger taken apart:
//   words are apart at blanks and tabs; blanks within [ ] belong to the word: b1[0, 512]
//   'text' is taken as it stands; in "text" \" \\ \n \t \xNN mean what they mean in C
//   # at the beginning of a word begins a comment
// A backslash at the end of a line joins the next one to it; whoever reads lines does that.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "complaint.hpp"

namespace nvmf::cli::repl {

inline constexpr std::size_t line_bytes_max = 64 * 1024;

struct word {
  std::string text;
  std::size_t column = 0;  // of its first byte in the line, from 0
  bool quoted = false;     // some of it stood in quotes

  // The part after `n` bytes, with its column.
  word from(std::size_t n) const { return {text.substr(n), column + n, quoted}; }
};

struct line {
  std::string text;
  std::string source;      // "script.nvmf", "-c 1"; empty for a person at a prompt
  std::size_t number = 1;  // in the source, from 1
  std::vector<word> words{};
};

// An empty line, or one with a comment only, has no words.
std::expected<std::vector<word>, complaint> split_words(std::string_view text);

}  // namespace nvmf::cli::repl
