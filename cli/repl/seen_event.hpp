// SPDX-License-Identifier: BSD-2-Clause
// An event as the workbench keeps it.
#pragma once

#include <string>

#include "render/timeline.hpp"

namespace nvmf::cli::repl {

struct seen_event {
  recorded_event what;
  std::string queue;
  duration since_sent{};  // of its command; 0 when that is not known
  bool timed = false;
  bool quiet = false;  // of a bring-up, a shutdown, or a command that is not the person's
};

}  // namespace nvmf::cli::repl
