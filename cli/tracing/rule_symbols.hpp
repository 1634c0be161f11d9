// SPDX-License-Identifier: BSD-2-Clause
// Names of rules, their severity and who broke them, for fields of a filter.
#pragma once

#include "wire/expression.hpp"

namespace nvmf::cli {

std::expected<std::uint64_t, wire::text_error> lookup_rule(std::string_view typed);
std::string spell_rule(std::uint64_t number);

std::expected<std::uint64_t, wire::text_error> lookup_severity(std::string_view typed);
std::string spell_severity(std::uint64_t number);

std::expected<std::uint64_t, wire::text_error> lookup_side(std::string_view typed);
std::string spell_side(std::uint64_t number);

}  // namespace nvmf::cli
