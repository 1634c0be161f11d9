// SPDX-License-Identifier: BSD-2-Clause
// Names of status codes. The value type is nvmf::nvme_status (nvmf/status.hpp).
#pragma once

#include <cstdint>
#include <expected>
#include <string_view>

#include "tables.hpp"
#include "text_error.hpp"

namespace nvmf::wire {

// Command specific codes from 80h on depend on the command that is answered: 1/80h is Conflicting
// Attributes after a Write and Connect Incompatible Format after a Connect.
enum class status_set : std::uint8_t { nvm, fabrics };

constexpr std::uint16_t status_value(std::uint8_t sct, std::uint8_t sc) {
  return static_cast<std::uint16_t>((sct << 8) | sc);
}

// The row of (SCT << 8) | SC, or nullptr when no table has it. For fabrics, 1/80h to 1/BFh are
// looked up in the Fabrics table only, all else in the common one.
const row* find_status(std::uint16_t code, status_set set);

// The title of the row; else "Vendor Specific" or "Reserved", as the ranges of the specification
// say. Never empty.
std::string_view status_name(std::uint16_t code, status_set set);

// What a person types for a status: a name of either table ("connect-invalid-host",
// "invalid_field"), SCT/SC as the specification and our own output write it ("1/82h", "1/0x82"), or
// the number of both ("0x182"). Fabrics names win, their numbers are the same.
std::expected<std::uint16_t, text_error> parse_status(std::string_view typed);

}  // namespace nvmf::wire
