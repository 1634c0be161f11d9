// SPDX-License-Identifier: BSD-2-Clause
#include "guide.hpp"

#include <fmt/format.h>

namespace nvmf::wire {

topic_section conditions_section() {
  return {
      "Conditions",
      "! binds most tightly, then &&, then ||; parentheses group. A comparison with a field that "
      "has no value is false.",
      {
          {"A && B, A and B", "both"},
          {"A || B, A or B", "one of them or both"},
          {"!A, not A", "not"},
          {"FIELD == VALUE, FIELD != VALUE", "is, is not"},
          {"FIELD < VALUE, <=, >, >=", "numbers and times"},
          {"FIELD =~ TEXT, FIELD contains TEXT", "the text has TEXT in it"},
          {"FIELD in (VALUE, VALUE...)", "is one of them"},
          {"FLAG", "is set"},
          {"31, 0x1f, 1Fh, 64K", "numbers, sizes in powers of 1024"},
          {"50ms, 10us, 2s, 0.5h", "times"},
          {"10%, 0.1", "parts of 1, where a part is wanted"},
          {"\"a b\", 'a b'", "text with blanks; \\\" and \\xNN in it stand for bytes"},
      }};
}

topic_section fields_section(std::span<const expression_field> fields) {
  topic_section out{"Fields",
                    "A number or a time takes every operator but =~, a name ==, != and in, a text "
                    "==, !=, =~ and in.",
                    {}};
  for (const expression_field& f : fields) {
    std::string text(f.title);
    std::string term(f.name);
    for (std::string_view also : f.also) term.append(", ").append(also);
    if (!f.example.empty()) text += fmt::format(" ({} == {})", f.name, f.example);
    out.rows.push_back({std::move(term), std::move(text)});
  }
  return out;
}

}  // namespace nvmf::wire
