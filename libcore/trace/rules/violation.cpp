// SPDX-License-Identifier: BSD-2-Clause
#include "violation.hpp"

#include <fmt/format.h>

#include <array>

namespace nvmf::trace {

namespace {

constexpr std::array<std::string_view, 6> gap_names{"middle",     "lost",        "header-cut",
                                                    "bad-header", "not-tracked", "ambiguous"};
constexpr std::array<std::string_view, 6> gap_titles{
    "the capture begins within the connection", "packets are missing",
    "a header was not captured whole",          "a header cannot be believed",
    "more is outstanding than is kept",         "a CID stands for two commands",
};

}  // namespace

std::string_view name_of(gap g) { return gap_names[static_cast<std::size_t>(g)]; }

std::string to_text(const bound& b) {
  switch (b.kind) {
    case bound::how::is:
      return fmt::format("{}", b.low);
    case bound::how::at_most:
      return fmt::format("at most {}", b.low);
    case bound::how::at_least:
      return fmt::format("at least {}", b.low);
    case bound::how::multiple_of:
      return fmt::format("a multiple of {}", b.low);
    case bound::how::within:
      return fmt::format("{} to {}", b.low, b.high);
    case bound::how::words:
      break;
  }
  return std::string(b.text);
}

std::string to_text(const violation& v) {
  const rule_row& row = row_of(v.id);
  const std::string seen = v.shown.seen ? fmt::format(" is {}", *v.shown.seen) : std::string();
  return fmt::format("{} {} by the {}: {}{}, expected {} [{}]", name_of(row.weight), row.name,
                     name_of(v.by), v.shown.field, seen, to_text(v.shown.allowed), row.section);
}

std::string to_text(const suspension& s) {
  return fmt::format("rules that need all of the connection are not judged from here: {}",
                     gap_titles[static_cast<std::size_t>(s.why)]);
}

}  // namespace nvmf::trace
