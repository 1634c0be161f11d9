// SPDX-License-Identifier: BSD-2-Clause
#include "tables.hpp"

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

#define TABLE(id, type, variable, title) constexpr row id##_rows[] = {
#define X(id, value, title, section, ...) row{value, kebab<#id>::name, title, section},
#define END_TABLE(id) \
  }                   \
  ;
#include "tables/all.def"
#undef TABLE
#undef X
#undef END_TABLE

}  // namespace

#define TABLE(id, type, variable, title) \
  constinit const table variable{kebab<#id>::name, title, id##_rows};
#define X(...)
#define END_TABLE(id)
#include "tables/all.def"
#undef TABLE
#undef X
#undef END_TABLE

std::span<const table* const> all_tables() {
  static constexpr const table* list[] = {
#define TABLE(id, type, variable, title) &variable,
#define X(...)
#define END_TABLE(id)
#include "tables/all.def"
#undef TABLE
#undef X
#undef END_TABLE
  };
  return list;
}

}  // namespace nvmf::wire
