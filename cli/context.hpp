// SPDX-License-Identifier: BSD-2-Clause
// What a running command may use of the world. main makes it; nothing else touches the process's
// standard streams.
#pragma once

#include <iosfwd>
#include <memory>
#include <nvmf/transport.hpp>
#include <optional>
#include <span>
#include <string>

#include "registry.hpp"
#include "render/style.hpp"

namespace spdlog {
class logger;
}

namespace nvmf::cli {

struct global_options {
  bool json = false;
  int verbosity = 0;
  color_when color = color_when::automatic;
  std::string log_level;  // empty: from the verbosity
  std::string log_file;   // empty: stderr
  bool help = false;
  bool version = false;
};

// The terminal that a person sits at. Its descriptors are main's.
struct terminal {
  int in = -1, out = -1;
  bool dumb = false;  // it cannot move its cursor
};

struct context {
  std::istream& in;
  std::ostream& out;  // data, and only data
  std::ostream& err;  // talk: warnings, progress
  global_options options;
  style out_style;  // colours of out and err; plain when they are not terminals
  style err_style;
  std::shared_ptr<spdlog::logger> log;
  const transport_registry& transports;
  command_list commands;
  std::string default_uri;              // of NVMF_URI
  std::optional<terminal> person = {};  // stdin and stdout are a terminal
  bool err_is_terminal = false;
  int in_descriptor = -1;       // behind `in`, for who reads gigabytes; -1: none
  std::string state_home = {};  // where the history is kept; empty: nowhere
  // The descriptor of `in` when that is a pipe, a socket or a terminal. Who waits for its bytes in
  // a reactor reads them there, and leaves `in` alone.
  std::optional<int> slow_in = {};
  bool unicode = false;   // the locale is one of UTF-8
  int out_terminal = -1;  // of `out`, when that is a terminal that can move its cursor
  std::string sudo_uid = {}, sudo_gid = {};  // of who called sudo; empty: nobody did

  bool json() const { return options.json; }
  // "nvmfctl: warning: TEXT" on err.
  void warn(std::string_view text);
};

}  // namespace nvmf::cli
