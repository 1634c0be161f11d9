// SPDX-License-Identifier: BSD-2-Clause
// Every table of the product. A table is one file tables/<id>.def
//   TABLE(id, underlying type, variable, "Title")
//   X(id, value, "Title", "Section")          one per row; a table may add columns after these
//   END_TABLE(id)
// and one line in tables/all.def. That makes the enum `id`, the table `variable` and its place in
// all_tables(), in docs/generated and in `describe`. The name a user types is the id with dashes:
// get_log_page -> "get-log-page". A trailing underscore (ids that are C++ keywords) is dropped.
#pragma once

#include <cstdint>
#include <span>

#include "table.hpp"

namespace nvmf::wire {

#define TABLE(id, type, variable, title) enum class id : type {
#define X(id, value, title, ...) id = value,
#define END_TABLE(id) \
  }                   \
  ;
#include "tables/all.def"
#undef TABLE
#undef X
#undef END_TABLE

// Declared here, defined once in tables.cpp: rows are text for people and cost compile time.
#define TABLE(id, type, variable, title) extern const table variable;
#define X(...)
#define END_TABLE(id)
#include "tables/all.def"
#undef TABLE
#undef X
#undef END_TABLE

std::span<const table* const> all_tables();

// The fabrics opcode stands outside both sets (Base 2.0, 6): opcode 7Fh, told apart by FCTYPE.
inline constexpr std::uint8_t fabrics_opcode = 0x7f;

}  // namespace nvmf::wire
