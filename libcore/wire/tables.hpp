// SPDX-License-Identifier: BSD-2-Clause
// Every table of the product. A table is one file tables/<id>.def
//   TABLE(id, underlying type, variable, "Title")   or FLAG_TABLE(...): the values are bits
//   X(id, value, "Title", "Section")                one per row; a table may add columns after
//   these ALIAS(short_id, id)                             another name for a row: dsm, aer, kato
//   END_TABLE(id)
// and one line in tables/all.def. That makes the enum `id`, the table `variable` and its place in
// all_tables(), in docs/generated and in `describe`. The name a user types is the id with dashes:
// get_log_page -> "get-log-page". A trailing underscore (ids that are C++ keywords) is dropped.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "table.hpp"

namespace nvmf::wire {

// clang-format off
#define TABLE(id, type, variable, title) enum class id : type {
#define FLAG_TABLE TABLE
#define X(id, value, ...) id = value,
#define ALIAS(short_id, id)
#define END_TABLE(id) };
#include "tables/all.def"
#include "tables/undef.def"

// Declared here, defined once in tables.cpp: rows are text for people and cost compile time.
#define TABLE(id, type, variable, title) extern const table variable;
#define FLAG_TABLE TABLE
#define X(...)
#define ALIAS(short_id, id)
#define END_TABLE(id)
#include "tables/all.def"
#include "tables/undef.def"
// clang-format on

std::span<const table* const> all_tables();

// The table of that name ("admin-opcode"), or nullptr.
const table* find_table(std::string_view name);

// The table that names the information of an asynchronous event of that type (Base 2.0, 5.2.1), or
// nullptr for vendor specific and reserved types.
const table* aer_info_table(std::uint8_t type);

// What a Property Get or Set may touch. `fabrics`: a controller behind a message-based transport
// has it; the others answer Invalid Field there.
struct property_info {
  property offset;
  std::uint8_t size;  // 4 or 8 bytes
  bool fabrics;
};
// The property that starts at `offset`, or nullptr.
const property_info* find_property(std::uint32_t offset);

// The fabrics opcode stands outside both sets (Base 2.0, 6): opcode 7Fh, told apart by FCTYPE.
inline constexpr std::uint8_t fabrics_opcode = 0x7f;

}  // namespace nvmf::wire
