// SPDX-License-Identifier: BSD-2-Clause
#include "rule_symbols.hpp"

#include <fmt/format.h>

#include <array>
#include <vector>

#include "trace/rules/rule.hpp"
#include "wire/names.hpp"
#include "wire/text_error.hpp"

namespace nvmf::cli {
namespace {

using lookup_result = std::expected<std::uint64_t, wire::text_error>;

lookup_result no_such(std::string_view what, std::string_view typed,
                      std::span<const std::string_view> names) {
  return std::unexpected(wire::text_error{
      .part = std::string{what},
      .reason =
          fmt::format("{} is not one{}", wire::quoted(typed), wire::did_you_mean(typed, names)),
      .example = {},
  });
}

template <class T, std::size_t N>
lookup_result one_of(std::string_view what, std::string_view typed, const std::array<T, N>& all) {
  std::vector<std::string_view> names;
  for (const T one : all) {
    if (name_of(one) == typed) return static_cast<std::uint64_t>(one);
    names.push_back(name_of(one));
  }
  return no_such(what, typed, names);
}

constexpr std::array severities{trace::severity::note, trace::severity::warning,
                                trace::severity::error};
constexpr std::array sides{trace::side::host, trace::side::controller};

}  // namespace

lookup_result lookup_rule(std::string_view typed) {
  if (const trace::rule_row* row = trace::find_rule(typed))
    return static_cast<std::uint64_t>(row->id);
  std::vector<std::string_view> names;
  for (const trace::rule_row& row : trace::all_rules()) names.push_back(row.name);
  return no_such("rule", typed, names);
}

std::string spell_rule(std::uint64_t number) {
  return std::string{row_of(static_cast<trace::rule>(number)).name};
}

lookup_result lookup_severity(std::string_view typed) {
  return one_of("severity", typed, severities);
}

std::string spell_severity(std::uint64_t number) {
  return std::string{name_of(static_cast<trace::severity>(number))};
}

lookup_result lookup_side(std::string_view typed) { return one_of("by", typed, sides); }

std::string spell_side(std::uint64_t number) {
  return std::string{name_of(static_cast<trace::side>(number))};
}

}  // namespace nvmf::cli
