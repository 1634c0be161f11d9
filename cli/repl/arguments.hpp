// SPDX-License-Identifier: BSD-2-Clause
// The words after a verb, taken one by one. What nobody takes is a mistake.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>

#include "words.hpp"

namespace nvmf::cli::repl {

class arguments {
 public:
  explicit arguments(const line& of);

  bool empty() const { return words_.empty(); }
  const word* peek() const { return words_.empty() ? nullptr : &words_.front(); }
  const repl::line& line() const { return line_; }

  // The next word; `what` it is, for the message when there is none: "a name for the buffer".
  std::expected<word, complaint> take(std::string_view what);
  // The next word if it is this one.
  bool take_keyword(std::string_view keyword);
  // The value of `name=value`, wherever it stands, and takes it. A bare `name` is "on".
  std::optional<word> take_option(std::string_view name);
  std::expected<std::optional<std::uint64_t>, complaint> take_number(
      std::string_view name, std::uint64_t max = ~std::uint64_t{0});
  // on, off, 1, 0, or the bare name.
  std::expected<std::optional<bool>, complaint> take_flag(std::string_view name);
  std::expected<std::optional<std::chrono::nanoseconds>, complaint> take_time(
      std::string_view name);
  // `keyword WORD`, wherever it stands; `what` the word is, as for take().
  std::expected<std::optional<word>, complaint> take_pair(std::string_view keyword,
                                                          std::string_view what);
  // All that are left.
  std::vector<word> take_all() { return std::exchange(words_, {}); }
  // The text of the line from the next word on, as it was typed, and takes it.
  std::string_view take_rest();
  // Column of the next word, or of the end.
  std::size_t column() const;
  // A complaint if a word is left.
  done end() const;

 private:
  const repl::line& line_;
  std::vector<word> words_;
};

std::expected<std::uint64_t, complaint> number_of(const word& w, std::string_view what,
                                                  std::uint64_t max = ~std::uint64_t{0});
std::expected<std::uint64_t, complaint> size_of(const word& w, std::string_view what,
                                                std::uint64_t max);
std::expected<std::chrono::nanoseconds, complaint> time_of(const word& w, std::string_view what);

}  // namespace nvmf::cli::repl
