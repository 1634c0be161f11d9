// SPDX-License-Identifier: BSD-2-Clause
// What a session of the debugger ends with: its own status, or that of the first line
// that failed.
#pragma once

#include <array>

#include "command.hpp"
#include "interpreter.hpp"

namespace nvmf::cli::repl {

// What a session may end with, beside what every command may.
inline constexpr std::array outcome_statuses{
    exit_status::resolve,         exit_status::connect,    exit_status::initialize_connection,
    exit_status::fabrics_connect, exit_status::timeout,    exit_status::protocol_error,
    exit_status::peer_closed,     exit_status::expectation};
inline constexpr std::array<json_key, 4> outcome_keys{{
    {"lines", "how many were run"},
    {"expectations", "how many were met and unmet"},
    {"failures", "lines that failed, in order: source, line, column, what"},
    {"stopped", "the one of them that ended it"},
}};

// `command`: whose document it is, run or repl.
result outcome(std::string_view command, const workbench& bench, const interpreter& ran,
               const done& last);

}  // namespace nvmf::cli::repl
