// SPDX-License-Identifier: BSD-2-Clause
// Conditions and values of a script: `c1.status == success && c1.time < 1s`, `x + 1`.
// A position is a column of the line that the expression is from.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "../complaint.hpp"
#include "value.hpp"

namespace nvmf::cli::repl {

struct expression_node {
  enum class kind : std::uint8_t {
    word,      // a number, a time, a path, a variable, a name
    quoted,    // text, as a line has it: "in$n" holds a value, 'in$n' does not
    buffer,    // `buf PATH`
    variable,  // $NAME; with a tail, what has the name that it holds: $c.status
    any_of,
    all_of,
    invert,
    compare,  // two operands
    one_of,   // the first operand in the others
    sum,      // operands with + before them, or - where `minus` says so
    product,  // numbers
  };
  kind is = kind::word;
  comparison how = comparison::equal;
  std::vector<bool> minus{};     // sum: of each operand
  std::string text{};            // of a word; with its quotes; the name of a variable
  std::string tail{};            // of a variable: ".status", "[0,4]"
  std::size_t from = 0, to = 0;  // columns
  std::vector<expression_node> parts{};
};

inline constexpr std::size_t expression_depth_max = 64;

// `line` from column `from` on; a comment may follow. An error has a column and says what would
// fit.
std::expected<expression_node, complaint> parse_expression(std::string_view line, std::size_t from);

// What words mean.
struct names_of_words {
  // The value of a variable, without its $. nullptr: there is none.
  std::function<const value*(std::string_view)> variable;
  // The value of a path; nothing when no object has its name.
  std::function<std::optional<std::expected<value, std::string>>(std::string_view)> path;
  // For near names.
  std::function<std::vector<std::string>()> all;
};

// A comparison that was made, for the one who is told that an expectation is not met.
struct compared {
  std::size_t left_from = 0, left_to = 0, right_from = 0, right_to = 0;  // columns
  value left, right;
  bool result = false;
};

// `made`, if not null: the comparisons, in order; at most the first 16.
std::expected<value, complaint> evaluate(const expression_node& e, const names_of_words& names,
                                         std::vector<compared>* made = nullptr);

// What stands in a line for $NAME ("NAME") or ${EXPRESSION} ("EXPRESSION"), which begins at
// `column`.
std::expected<std::string, complaint> expand(std::string_view what, std::size_t column,
                                             const names_of_words& names);

}  // namespace nvmf::cli::repl
