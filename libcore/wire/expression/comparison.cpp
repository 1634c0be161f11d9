// SPDX-License-Identifier: BSD-2-Clause
#include "comparison.hpp"

#include "lexer.hpp"

namespace nvmf::wire {

std::optional<comparison> comparison_of(const token& t) {
  switch (t.kind) {
    case token_kind::equal:
      return comparison::equal;
    case token_kind::not_equal:
      return comparison::not_equal;
    case token_kind::less:
      return comparison::less;
    case token_kind::less_equal:
      return comparison::less_equal;
    case token_kind::greater:
      return comparison::greater;
    case token_kind::greater_equal:
      return comparison::greater_equal;
    case token_kind::contains:
      return comparison::contains;
    case token_kind::word:
      if (t.text == "contains") return comparison::contains;
      return std::nullopt;
    default:
      return std::nullopt;
  }
}

bool holds(comparison how, std::strong_ordering order) {
  switch (how) {
    case comparison::equal:
      return order == 0;
    case comparison::not_equal:
      return order != 0;
    case comparison::less:
      return order < 0;
    case comparison::less_equal:
      return order <= 0;
    case comparison::greater:
      return order > 0;
    case comparison::greater_equal:
      return order >= 0;
    case comparison::contains:
      break;
  }
  return false;
}

}  // namespace nvmf::wire
