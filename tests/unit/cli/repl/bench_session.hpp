// SPDX-License-Identifier: BSD-2-Clause
// A workbench with its interpreter and every transport, whose output goes to strings.
#pragma once

#include <sstream>

#include "repl/interpreter.hpp"
#include "repl/workbench.hpp"
#include "transports.hpp"

namespace nvmf::cli::repl {

struct bench_session {
  std::istringstream in;
  std::ostringstream out, err;
  nvmf::transport_registry transports;
  context ctx{.in = in,
              .out = out,
              .err = err,
              .options = {},
              .out_style = {},
              .err_style = {},
              .log = nullptr,
              .transports = (add_transports(transports), transports),
              .commands = {},
              .default_uri = {}};
  workbench bench{ctx};
  interpreter runs{bench};
};

}  // namespace nvmf::cli::repl
