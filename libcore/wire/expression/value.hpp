// SPDX-License-Identifier: BSD-2-Clause
// Values of fields: read, and written so that they read back.
#pragma once

#include <cstdint>
#include <expected>
#include <string>

#include "../expression.hpp"
#include "lexer.hpp"

namespace nvmf::wire {

// A value of any kind but text. The error points into the text that the token is from.
std::expected<std::uint64_t, text_error> read_value(const expression_field& f, const token& t);
std::string spell_value(const expression_field& f, std::uint64_t value);

}  // namespace nvmf::wire
