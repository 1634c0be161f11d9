// SPDX-License-Identifier: BSD-2-Clause
// Names of commands, queues and statuses for expression fields: `lookup` and `spell` of a field.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "../commands.hpp"
#include "../text_error.hpp"

namespace nvmf::wire {

// A command as one number: the set, and in the low byte the opcode or FCTYPE.
constexpr std::uint64_t command_number(const command_info& c) {
  const auto set = static_cast<std::uint64_t>(c.set);
  return (set << 8) | (c.set == command_set::fabrics ? c.fctype : c.opcode);
}
// The same from the bytes of an SQE, without a look at the tables.
constexpr std::uint64_t command_number(bool admin_queue, std::uint8_t opcode, std::uint8_t fctype) {
  if (opcode == fabrics_opcode)
    return (static_cast<std::uint64_t>(command_set::fabrics) << 8) | fctype;
  const auto set = admin_queue ? command_set::admin : command_set::nvm;
  return (static_cast<std::uint64_t>(set) << 8) | opcode;
}
std::expected<std::uint64_t, text_error> lookup_command(std::string_view typed);
std::string spell_command(std::uint64_t number);

// A QID, or `admin`.
std::expected<std::uint64_t, text_error> lookup_queue(std::string_view typed);

// (SCT << 8) | SC, as parse_status takes it.
std::expected<std::uint64_t, text_error> lookup_status(std::string_view typed);
std::string spell_status(std::uint64_t code);

}  // namespace nvmf::wire
