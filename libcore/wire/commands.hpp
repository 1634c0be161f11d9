// SPDX-License-Identifier: BSD-2-Clause
// Every command by name, from the opcode tables: what `send-capsule`, completion and traces need to
// know of an opcode before they know its fields.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "tables.hpp"
#include "text_error.hpp"

namespace nvmf::wire {

// Which opcode table a command belongs to. Fabrics commands share opcode 7Fh on every queue.
enum class command_set : std::uint8_t { admin, nvm, fabrics };

struct command_info {
  command_set set = command_set::admin;
  std::uint8_t opcode = 0;
  std::uint8_t fctype = 0;  // fabrics only
  std::string_view name;    // "get-log-page"; empty for an opcode that no table has
  std::string_view title;   // "Get Log Page", "Reserved", "Vendor Specific"
  std::string_view section;
  data_transfer direction = data_transfer::none;  // bits 1:0 of the opcode, or of FCTYPE
};

// All commands of the tables: admin, NVM, fabrics, each in ascending order.
std::span<const command_info> all_commands();

std::string_view set_name(command_set set);  // "admin", "nvm", "fabrics"

// What is known of an opcode (FCTYPE for fabrics), also of a reserved or vendor specific one.
command_info command_of(command_set set, std::uint8_t opcode_or_fctype);

// The command in a submission queue entry: opcode 7Fh is Fabrics on any queue.
command_info command_of_sqe(bool admin_queue, std::uint8_t opcode, std::uint8_t fctype);

// A name or short form of any set ("identify", "dsm", "Get_Log_Page"), or set and number for any
// opcode there is: "admin:0xc1", "nvm:0x05" (or "io:"), "fabrics:0x01". A bare number means two
// commands: it is one of `numbers` when the queue has settled that, and refused otherwise.
std::expected<command_info, text_error> parse_command(
    std::string_view typed, std::optional<command_set> numbers = std::nullopt);

// "identify (06h)", "connect (7Fh/01h)", "nvm:0x90 (Vendor Specific)".
std::string to_text(const command_info& c);

// As parse_command takes it: "get-log-page", "admin:0xc1".
std::string spelled(const command_info& c);

}  // namespace nvmf::wire
