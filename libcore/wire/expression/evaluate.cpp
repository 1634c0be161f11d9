// SPDX-License-Identifier: BSD-2-Clause
// One pass over a flat program with one result: `a && b` is "a, skip to the end if false, b".
#include <algorithm>
#include <cassert>

#include "../expression.hpp"

namespace nvmf::wire {

bool expression::compare(comparison how, const field_value& v, const operand& with) const {
  if (v.what != field_value::holds::text) return holds(how, v.number <=> with.number);
  const auto text = std::string_view(pool_).substr(with.text_at, with.text_bytes);
  if (how == comparison::contains) return v.text.find(text) != std::string_view::npos;
  return holds(how, v.text <=> text);  // the parser lets no order of texts through
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
