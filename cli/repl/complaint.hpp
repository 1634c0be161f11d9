// SPDX-License-Identifier: BSD-2-Clause
// What is wrong with a line of the debugger, for the person who typed it.
#pragma once

#include <cstddef>
#include <expected>
#include <optional>
#include <string>

#include "exit_status.hpp"

namespace nvmf::cli::repl {

struct complaint {
  std::string text;                         // one sentence: the field, the value, the next step
  std::optional<std::size_t> column{};      // byte of the line, from 0
  exit_status status = exit_status::usage;  // what a script that stops here ends with
};

// Of a verb that ran, or of a line that was read.
using done = std::expected<void, complaint>;

inline std::unexpected<complaint> wrong(std::string text, std::optional<std::size_t> column = {},
                                        exit_status status = exit_status::usage) {
  return std::unexpected(complaint{std::move(text), column, status});
}

}  // namespace nvmf::cli::repl
