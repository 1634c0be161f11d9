// SPDX-License-Identifier: BSD-2-Clause
// The program around the commands: global options, dispatch, how a result is told.
#pragma once

#include <iosfwd>
#include <span>
#include <string>
#include <vector>

#include "context.hpp"

namespace nvmf::cli {

// What main knows of the process.
struct surroundings {
  std::istream& in;
  std::ostream& out;
  std::ostream& err;
  bool out_is_terminal = false;
  bool err_is_terminal = false;
  bool no_color = false;                // NO_COLOR is set and not empty
  std::string default_uri = {};         // NVMF_URI: where to, when the command line does not say
  std::optional<terminal> person = {};  // stdin and stdout are one
  int in_descriptor = -1;               // behind `in`, for who reads gigabytes; -1: none
  std::string state_home = {};          // XDG_STATE_HOME, or what stands for it
  std::optional<int> slow_in = {};      // descriptor of `in` when its bytes may be long in coming
  bool unicode = false;                 // LC_ALL, LC_CTYPE or LANG name UTF-8
  int out_terminal = -1;  // descriptor of `out`, when that is a terminal that moves its cursor
  std::string sudo_uid = {}, sudo_gid = {};  // SUDO_UID, SUDO_GID
};

// Runs one command line (without the program's name) and tells how it ended.
exit_status run_app(std::span<const std::string> argv, const surroundings& world,
                    const transport_registry& transports);

// The options of every command, bound to `into`.
void add_global_options(option_table& table, global_options& into);

}  // namespace nvmf::cli
