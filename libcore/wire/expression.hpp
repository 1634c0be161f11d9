// SPDX-License-Identifier: BSD-2-Clause
// Conditions as people type them: "cmd == read && latency > 1ms && conn in (2, 3)". One language
// for fault plans, trace filters, break points and expectations; each brings its table of fields.
//
//   or          and { ("||" | "or") and }
//   and         not { ("&&" | "and") not }
//   not         { "!" | "not" } ( "(" or ")" | comparison )
//   comparison  FIELD OPERATOR VALUE | FIELD "in" "(" VALUE { "," VALUE } ")" | FLAG
//   operator    == != < <= > >= and, for text, =~ ("contains"): the field contains the value
//
// A comparison with a field that has no value is false, whatever the operator.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "expression/comparison.hpp"
#include "table.hpp"
#include "text_error.hpp"

namespace nvmf::wire {

class lexer;
struct token;

// Limits for text that nobody vouches for.
inline constexpr std::size_t expression_bytes_max = 4096;
inline constexpr std::size_t expression_depth_max = 32;  // parentheses within parentheses

enum class value_kind : std::uint8_t {
  number,    // 31, 0x1f, 4K; with `symbols` or `lookup` also by name
  duration,  // 50ms; nanoseconds
  part,      // 10% or 0.1; billionths
  text,      // host =~ "storage"
  symbol,    // by name, and by number where `lookup` takes it; has no order
  flag,      // stands alone, or is compared with true and false
};

struct expression_field {
  std::string_view name;   // "cmd", kebab case; no word of the language
  std::string_view title;  // "command, by name"
  value_kind kind = value_kind::number;
  std::string_view example = {};  // a value that fits: "read"
  std::uint64_t max = ~std::uint64_t{0};
  std::span<const std::string_view> also = {};  // other names
  // Names for values: a table, or a function and what writes its values so that it reads them
  // again. The error's position counts from the start of `typed`.
  const table* symbols = nullptr;
  std::expected<std::uint64_t, text_error> (*lookup)(std::string_view typed) = nullptr;
  std::string (*spell)(std::uint64_t value) = nullptr;
};

// What a field holds at the moment. Text is borrowed for the evaluation.
struct field_value {
  enum class holds : std::uint8_t { nothing, number, text };
  holds what = holds::nothing;
  std::uint64_t number = 0;  // also of symbols, flags (0 or 1), durations (ns) and parts (ppb)
  std::string_view text = {};

  static constexpr field_value absent() { return {}; }
  static constexpr field_value of(std::uint64_t n) { return {holds::number, n, {}}; }
  static constexpr field_value of(std::string_view t) { return {holds::text, 0, t}; }
};

// A parsed condition. Copies are cheap enough for plans; evaluation allocates nothing and takes
// a time that the length of the text bounds.
class expression {
 public:
  // Always true.
  expression() = default;

  // The whole text. Errors name the column ("column 12"), say what stands there and what would
  // fit. The fields are used while parsing only; their order gives the numbers for fetch.
  static std::expected<expression, text_error> parse(std::string_view text,
                                                     std::span<const expression_field> fields);

  // `fetch(i)` gives the field_value of fields[i]. It is asked for what decides, left to right.
  template <class Fetch>
  bool matches(Fetch&& fetch) const {
    using function = std::remove_reference_t<Fetch>;
    return run(
        const_cast<void*>(static_cast<const void*>(std::addressof(fetch))),
        [](void* f, std::size_t i) -> field_value { return (*static_cast<function*>(f))(i); });
  }

  bool always() const { return code_.empty(); }
  bool uses(std::size_t field) const;
  // The canonical form: parses to the same expression again. Empty when it is always true.
  const std::string& text() const { return text_; }

  friend bool operator==(const expression& a, const expression& b) { return a.text_ == b.text_; }

 private:
  friend class expression_parser;
  enum class operation : std::uint8_t { test, invert, skip_if_true, skip_if_false };
  struct instruction {
    operation what = operation::test;
    comparison how = comparison::equal;  // also for `in`
    std::uint16_t field = 0;
    std::uint32_t first = 0;  // operand; of a skip: the instruction to go on with
    std::uint32_t count = 0;  // operands
  };
  struct operand {
    std::uint64_t number = 0;
    std::uint32_t text_at = 0;  // in pool_
    std::uint32_t text_bytes = 0;
  };
  bool run(void* context, field_value (*fetch)(void*, std::size_t)) const;
  bool test(const instruction& i, const field_value& v) const;
  bool compare(comparison how, const field_value& v, const operand& with) const;

  std::vector<instruction> code_;
  std::vector<operand> operands_;
  std::string pool_;
  std::string text_;
};

// Terms that belong to the language around an expression and stand beside its top-level &&:
// triggers of a fault plan. Anywhere else they are refused.
class outer_terms {
 public:
  virtual ~outer_terms() = default;
  virtual bool claims(std::string_view word) const = 0;
  // Takes the term, beginning with the claimed word.
  virtual std::expected<void, text_error> read(lexer& from) = 0;
  // For messages: "trigger", and what there is of them.
  virtual std::string_view called() const = 0;
  virtual std::span<const std::string_view> names() const = 0;
};

// As much of `from` as is an expression; what follows is the caller's. `outer` may be null.
std::expected<expression, text_error> parse_expression(lexer& from,
                                                       std::span<const expression_field> fields,
                                                       outer_terms* outer = nullptr);

// What may stand where a value of the field is wanted: "a command", "a time".
std::string_view value_text(value_kind kind);
// "==, != or in": the operators of a kind.
std::string_view operators_text(value_kind kind);

}  // namespace nvmf::wire
