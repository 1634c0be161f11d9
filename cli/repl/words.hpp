// SPDX-License-Identifier: BSD-2-Clause
// A line of the debugger taken apart:
//   words are apart at blanks and tabs; blanks within [ ] belong to the word: b1[0, 512]
//   'text' is taken as it stands; in "text" \" \\ \$ \n \t \xNN mean what they mean in C
//   $NAME and ${EXPRESSION} stand for a value, but not in ' '
//   # at the beginning of a word begins a comment
// A backslash at the end of a line joins the next one to it; whoever reads lines does that.
#pragma once

#include <expected>
#include <functional>
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
  bool expanded = false;   // some of it is the value of a $NAME: columns within it mean nothing

  // The part after `n` bytes, with its column.
  word from(std::size_t n) const {
    return {text.substr(n), expanded ? column : column + n, quoted, expanded};
  }
};

struct line {
  std::string text;
  std::string source;      // "script.nvmf", "-c 1"; empty for a person at a prompt
  std::size_t number = 1;  // in the source, from 1
  std::vector<word> words{};
};

// What stands for $NAME ("NAME") or ${EXPRESSION} ("EXPRESSION"); `column` is where that begins.
using expander =
    std::function<std::expected<std::string, complaint>(std::string_view what, std::size_t column)>;

// An empty line, or one with a comment only, has no words. Without `expand` a $ is a character as
// others are.
std::expected<std::vector<word>, complaint> split_words(std::string_view text,
                                                        const expander& expand = {});

}  // namespace nvmf::cli::repl
