// SPDX-License-Identifier: BSD-2-Clause
// Lines of a script as they come from a file that may be anything.
#pragma once

#include <expected>
#include <fstream>
#include <optional>
#include <string>

#include "../complaint.hpp"

namespace nvmf::cli::repl {

// The error names the file and says why it cannot be read: it is not there, it is a directory.
std::expected<std::ifstream, std::string> open_script(const std::string& path);

struct read_line {
  std::string text;   // without its end; at most one byte more than line_bytes_max of it
  bool ended = true;  // by a line end, and not by the end of the file
};
// Nothing at the end. A longer line is read over, but not kept.
std::optional<read_line> next_line(std::istream& in);

// Lines are UTF-8 of a size that a person may have typed, without control characters but tabs.
done check_line(std::string_view text);

}  // namespace nvmf::cli::repl
