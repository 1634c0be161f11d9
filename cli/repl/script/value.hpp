// SPDX-License-Identifier: BSD-2-Clause
// A value of the language. Numbers remember the names that a table has for them, so that
// `c1.sqe.cns == controller` can be asked.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "wire/expression/comparison.hpp"
#include "wire/table.hpp"

namespace nvmf::cli::repl {

struct value {
  enum class kind : std::uint8_t {
    absent,  // nothing is there: the status of a command that has not ended
    word,    // a bare word that names nothing: perhaps a name that the other operand knows
    boolean,
    number,
    duration,  // nanoseconds
    status,    // (SCT << 8) | SC
    text,
    bytes,
  };
  kind is = kind::absent;
  std::uint64_t number = 0;
  const wire::table* names = nullptr;  // of a number
  std::string text{};                  // of a text; of a word, and of what was read from one
  std::span<const std::byte> bytes{};  // of `keeps`
  std::shared_ptr<const void> keeps{};

  static value of(bool b) { return {.is = kind::boolean, .number = b ? 1u : 0u}; }
  static value of_number(std::uint64_t n, const wire::table* names = nullptr) {
    return {.is = kind::number, .number = n, .names = names};
  }
  static value of_time(std::chrono::nanoseconds t) {
    return {.is = kind::duration, .number = static_cast<std::uint64_t>(t.count())};
  }
  static value of_status(std::uint16_t code) { return {.is = kind::status, .number = code}; }
  static value of_text(std::string t) { return {.is = kind::text, .text = std::move(t)}; }
  static value of_bytes(std::span<const std::byte> b, std::shared_ptr<const void> keeps) {
    return {.is = kind::bytes, .bytes = b, .keeps = std::move(keeps)};
  }
  // The bytes are copied: what they are now, whatever happens to the buffer.
  value snapshot() const;
  bool has_names() const { return is == kind::status || names != nullptr; }
};

// "a number", "a status".
std::string_view kind_text(value::kind k);

// A word of a script as a value: a number (4K, 0x10), a time, true, false, hex:BYTES or, if it is
// nothing of these, a text.
value value_of_word(std::string_view typed);
// The same, but for text: nothing.
std::optional<value> literal_of(std::string_view typed);

// As a word, for $NAME: what value_of_word and the verbs read back.
std::string spelled(const value& v);
// For a person who is told what was found: "lba-out-of-range (0/80h)", "3 (0x3)", bytes by their
// beginning.
std::string shown(const value& v);

using wire::comparison;
std::string_view sign_text(comparison c);

// Is `word` a name that `of` could have: of its table, or of a status?
bool could_be(const value& of, std::string_view word);

// Words are looked up among the names of the other operand. A comparison with what is absent is
// false, but for == and != when `absent` itself was said. The error is a sentence.
std::expected<bool, std::string> compare(comparison how, const value& a, const value& b);
// False: absent, false, 0. Text and bytes are an error.
std::expected<bool, std::string> truth(const value& v);
std::expected<value, std::string> sum(const value& a, const value& b, bool minus);
std::expected<value, std::string> product(const value& a, const value& b);

}  // namespace nvmf::cli::repl
