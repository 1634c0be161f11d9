// SPDX-License-Identifier: BSD-2-Clause
// Every table of the product. A table is one file tables/<name>.def of rows
//   X(id, value, "Title", "Section")
// and one line here; the line makes the enum, the name table and its place in all_tables().
// The name a user types is the id with dashes: get_log_page -> "get-log-page". A trailing
// underscore (for ids that are C++ keywords) is dropped.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "layout.hpp"
#include "table.hpp"

namespace nvmf::wire {

template <fixed_name Id>
struct kebab {
  static constexpr auto text = [] {
    std::array<char, sizeof(Id.text)> out{};
    for (std::size_t i = 0; i < sizeof(Id.text); ++i) out[i] = Id.text[i] == '_' ? '-' : Id.text[i];
    return out;
  }();
  static constexpr std::size_t length =
      Id.view().size() - (Id.view().ends_with('_') ? 1u : 0u);
  static constexpr std::string_view name{text.data(), length};
};

#define NVMF_ENUM_ROW(id, value, title, section) id = value,
#define NVMF_TABLE_ROW(id, value, title, section) \
  row{value, kebab<#id>::name, title, section},

#define X NVMF_ENUM_ROW
enum class pdu_type : std::uint8_t {
#include "tables/pdu_type.def"
};
enum class pdu_flag : std::uint8_t {
#include "tables/pdu_flag.def"
};
enum class fes : std::uint16_t {
#include "tables/fes.def"
};
enum class admin_opcode : std::uint8_t {
#include "tables/admin_opcode.def"
};
enum class nvm_opcode : std::uint8_t {
#include "tables/nvm_opcode.def"
};
enum class fabrics_type : std::uint8_t {
#include "tables/fabrics_type.def"
};
#undef X

#define X NVMF_TABLE_ROW
namespace rows {
inline constexpr row pdu_type_rows[] = {
#include "tables/pdu_type.def"
};
inline constexpr row pdu_flag_rows[] = {
#include "tables/pdu_flag.def"
};
inline constexpr row fes_rows[] = {
#include "tables/fes.def"
};
inline constexpr row admin_opcode_rows[] = {
#include "tables/admin_opcode.def"
};
inline constexpr row nvm_opcode_rows[] = {
#include "tables/nvm_opcode.def"
};
inline constexpr row fabrics_type_rows[] = {
#include "tables/fabrics_type.def"
};
}  // namespace rows
#undef X

inline constexpr table pdu_types{"pdu-type", "NVMe/TCP PDU types", rows::pdu_type_rows};
inline constexpr table pdu_flags{"pdu-flag", "NVMe/TCP PDU flags", rows::pdu_flag_rows};
inline constexpr table fes_codes{"fes", "Fatal Error Status of TermReq PDUs", rows::fes_rows};
inline constexpr table admin_opcodes{"admin-opcode", "Admin commands", rows::admin_opcode_rows};
inline constexpr table nvm_opcodes{"nvm-opcode", "NVM commands", rows::nvm_opcode_rows};
inline constexpr table fabrics_types{"fabrics-type", "Fabrics commands", rows::fabrics_type_rows};

// The fabrics opcode stands outside both sets (Base 2.0, 6): opcode 7Fh, told apart by FCTYPE.
inline constexpr std::uint8_t fabrics_opcode = 0x7f;

}  // namespace nvmf::wire
