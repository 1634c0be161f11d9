// SPDX-License-Identifier: BSD-2-Clause
// The lines of earlier sessions, in a file that several sessions may share.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace nvmf::cli::repl {

// Is the line one that may be remembered? Not when it begins with a blank, nor with key material
// in it.
bool worth_remembering(std::string_view line);

class history_file {
 public:
  static constexpr std::size_t lines_max = 1000;

  // STATE_HOME/nvmfctl/history. An empty folder: nothing is kept, and that is no error.
  explicit history_file(const std::string& state_home);

  // The last lines_max lines, oldest first. A file that is much longer is cut to them.
  std::expected<std::vector<std::string>, std::string> load();
  // Adds a line behind what other sessions have added.
  std::expected<void, std::string> add(std::string_view line);

 private:
  std::string folder_, path_;
};

}  // namespace nvmf::cli::repl
