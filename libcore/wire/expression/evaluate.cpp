// SPDX-License-Identifier: BSD-2-Clause
// One pass over a flat program with one result: `a && b` is "a, skip to the end if false, b".
#include <algorithm>
#include <cassert>

#include "../expression.hpp"

namespace nvmf::wire {

bool expression::compare(comparison how, const field_value& v, const operand& with) const {
  if (v.what == field_value::holds::text) {
    const auto text = std::string_view(pool_).substr(with.text_at, with.text_bytes);
    switch (how) {
      case comparison::equal:
      case comparison::one_of:
        return v.text == text;
      case comparison::not_equal:
        return v.text != text;
      case comparison::contains:
        return v.text.find(text) != std::string_view::npos;
      default:
        return false;  // the parser lets no order of texts through
    }
  }
  switch (how) {
    case comparison::equal:
    case comparison::one_of:
      return v.number == with.number;
    case comparison::not_equal:
      return v.number != with.number;
    case comparison::less:
      return v.number < with.number;
    case comparison::less_equal:
      return v.number <= with.number;
    case comparison::greater:
      return v.number > with.number;
    case comparison::greater_equal:
      return v.number >= with.number;
    case comparison::contains:
      return false;
  }
  return false;
}

bool expression::test(const instruction& i, const field_value& v) const {
  if (v.what == field_value::holds::nothing) return false;
  const auto with = std::span(operands_).subspan(i.first, i.count);
  return std::ranges::any_of(with, [&](const operand& o) { return compare(i.how, v, o); });
}

bool expression::run(void* context, field_value (*fetch)(void*, std::size_t)) const {
  bool result = true;
  for (std::size_t at = 0; at < code_.size();) {
    const instruction& i = code_[at];
    ++at;
    switch (i.what) {
      case operation::test:
        result = test(i, fetch(context, i.field));
        break;
      case operation::invert:
        result = !result;
        break;
      case operation::skip_if_true:
        if (result) at = i.first;
        break;
      case operation::skip_if_false:
        if (!result) at = i.first;
        break;
    }
  }
  return result;
}

bool expression::uses(std::size_t field) const {
  return std::ranges::any_of(code_, [field](const instruction& i) {
    return i.what == operation::test && i.field == field;
  });
}

}  // namespace nvmf::wire
