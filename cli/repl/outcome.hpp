// SPDX-License-Identifier: BSD-2-Clause
// What a session of the debugger ends with: its own status, or that of the line that stopped it.
#pragma once

#include <array>

#include "command.hpp"
#include "interpreter.hpp"

namespace nvmf::cli::repl {

inline constexpr std::array<json_key, 2> outcome_keys{{
    {"lines", "how many were run"},
    {"stopped", "where and why, when a line was wrong: source, line, column, what"},
}};

// `command`: whose document it is, run or repl.
result outcome(std::string_view command, const workbench& bench, const interpreter& ran,
               const done& last);

}  // namespace nvmf::cli::repl
