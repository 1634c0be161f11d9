// SPDX-License-Identifier: BSD-2-Clause
// A table gives names to numbers. Each opcode, status code, PDU type, feature, log page ... is one
// row of one table; enums, renderers, `describe`, completion and docs/generated read that row.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace nvmf::wire {

struct row {
  std::uint32_t value;
  std::string_view name;     // kebab-case, what a user types: "read", "get-log-page"
  std::string_view title;    // the specification's words: "Get Log Page"
  std::string_view section;  // where it is defined: "Base 5.16"
};

// A short form of a row's name: "dsm" for "dataset-management".
struct short_form {
  std::string_view name;
  std::string_view of;
};

struct table {
  std::string_view name;   // "admin-opcode"
  std::string_view title;  // "Admin command opcodes"
  std::span<const row> rows;
  std::span<const short_form> short_forms = {};
  bool flags = false;  // the values are bits, a field holds any number of them

  // The row of `value`, or nullptr. Linear: tables are small and lookups are for people.
  constexpr const row* find(std::uint32_t value) const {
    for (const row& r : rows)
      if (r.value == value) return &r;
    return nullptr;
  }
  constexpr const row* find(std::string_view wanted) const {
    for (const row& r : rows)
      if (r.name == wanted) return &r;
    return nullptr;
  }
};

}  // namespace nvmf::wire
