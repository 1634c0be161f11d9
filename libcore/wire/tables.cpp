// SPDX-License-Identifier: BSD-2-Clause
#include "tables.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>

#include "layout.hpp"

namespace nvmf::wire {

namespace {

// What a user types for an id: dashes for underscores, no trailing one.
template <fixed_name Id>
struct kebab {
  static constexpr auto text = [] {
    std::array<char, sizeof(Id.text)> out{};
    for (std::size_t i = 0; i < sizeof(Id.text); ++i) out[i] = Id.text[i] == '_' ? '-' : Id.text[i];
    return out;
  }();
  static constexpr std::size_t length = Id.view().size() - (Id.view().ends_with('_') ? 1u : 0u);
  static constexpr std::string_view name{text.data(), length};
};

// clang-format off
#define TABLE(id, type, variable, title) constexpr row id##_rows[] = {
#define FLAG_TABLE TABLE
#define X(id, value, title, section, ...) row{value, kebab<#id>::name, title, section},
#define ALIAS(short_id, id)
#define END_TABLE(id) };
#include "tables/all.def"
#include "tables/undef.def"

// One empty entry in front, since an array of none is no array.
#define TABLE(id, type, variable, title) constexpr short_form id##_short_forms[] = { {},
#define FLAG_TABLE TABLE
#define X(...)
#define ALIAS(short_id, id) {kebab<#short_id>::name, kebab<#id>::name},
#define END_TABLE(id) };
#include "tables/all.def"
#include "tables/undef.def"

constexpr property_info property_list[] = {
#define TABLE(...)
#define FLAG_TABLE TABLE
#define X(id, value, title, section, size, fabrics) {property::id, size, fabrics},
#define ALIAS(short_id, id)
#define END_TABLE(id)
#include "tables/property.def"
#include "tables/undef.def"
};

}  // namespace

#define TABLE(id, type, variable, title) \
  constinit const table variable{kebab<#id>::name, title, id##_rows, \
                                 std::span(id##_short_forms).subspan(1), false};
#define FLAG_TABLE(id, type, variable, title) \
  constinit const table variable{kebab<#id>::name, title, id##_rows, \
                                 std::span(id##_short_forms).subspan(1), true};
#define X(...)
#define ALIAS(short_id, id)
#define END_TABLE(id)
#include "tables/all.def"
#include "tables/undef.def"

std::span<const table* const> all_tables() {
  static constexpr const table* list[] = {
#define TABLE(id, type, variable, title) &variable,
#define FLAG_TABLE TABLE
#define X(...)
#define ALIAS(short_id, id)
#define END_TABLE(id)
#include "tables/all.def"
#include "tables/undef.def"
  };
  return list;
}
// clang-format on

const table* find_table(std::string_view name) {
  for (const table* t : all_tables())
    if (t->name == name) return t;
  return nullptr;
}

const table* aer_info_table(std::uint8_t type) {
  switch (static_cast<aer_type>(type)) {
    case aer_type::error:
      return &aer_errors;
    case aer_type::smart_health:
      return &aer_smart_values;
    case aer_type::notice:
      return &aer_notices;
    case aer_type::immediate:
      return &aer_immediates;
    case aer_type::io_command_set:
      return &aer_io_values;
    case aer_type::vendor:
      return nullptr;
  }
  return nullptr;
}

const property_info* find_property(std::uint32_t offset) {
  const auto* found =
      std::ranges::find(property_list, static_cast<property>(offset), &property_info::offset);
  return found == std::end(property_list) ? nullptr : found;
}

}  // namespace nvmf::wire
