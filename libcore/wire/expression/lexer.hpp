// SPDX-License-Identifier: BSD-2-Clause
// Words, quoted text and signs of the little languages: expressions, fault plans. A position is
// a byte of the text that the reader was made with.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "../text_error.hpp"

namespace nvmf::wire {

enum class token_kind : std::uint8_t {
  end,
  line_end,
  word,    // letters, digits and _ . - + / %, and colons between them
  quoted,  // "..." or '...'
  open,
  close,
  comma,
  colon,
  semicolon,
  logical_and,
  logical_or,
  logical_not,
  equal,
  not_equal,
  less,
  less_equal,
  greater,
  greater_equal,
  contains,
  bad_character,
  open_quote,  // no quote ends it
  half_sign,   // one of = & |
};

struct token {
  token_kind kind = token_kind::end;
  std::size_t position = 0;
  std::string_view text;  // as it stands there, with its quotes
};

// Does a line end mean anything? Where it does, # begins a comment that lasts to it.
enum class line_ends : std::uint8_t { are_blanks, are_tokens };

class lexer {
 public:
  lexer(std::string_view text, line_ends lines);

  const token& peek() const { return next_; }
  token take();
  // The end of the token that was taken last.
  std::size_t taken_to() const { return taken_to_; }
  std::string_view text() const { return text_; }

 private:
  token read();
  token sign(std::size_t at) const;
  void skip_blanks();

  std::string_view text_;
  line_ends lines_;
  std::size_t at_ = 0;
  std::size_t taken_to_ = 0;
  token next_;
};

// "column 12". Columns are bytes and count from 1.
std::string column_text(std::size_t position);

// An error at a byte of the text, which is named by its column.
std::unexpected<text_error> wrong_at(std::size_t position, std::string reason,
                                     std::string_view example = {});
// The error of a value that a token holds, behind `skipped` bytes of it: its place in the text.
std::unexpected<text_error> placed_in(const token& value, text_error e, std::size_t skipped = 0);

// What stands there, for a message: "'foo'", "the end".
std::string token_text(const token& t);

// "'foo' where ==, != or in is wanted after cmd", where cmd is `behind`; for what no reader takes,
// what is wrong with it.
text_error misplaced(const token& t, std::string_view wanted, std::string_view example = {},
                     std::string_view behind = {});

// The text of a word or of what stands in quotes. A backslash may stand before a quote and before
// a backslash, and \xNN is a byte.
std::expected<std::string, text_error> text_of(const token& t);

// In quotes, for text_of.
std::string in_quotes(std::string_view text);

}  // namespace nvmf::wire
