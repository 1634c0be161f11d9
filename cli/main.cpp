// SPDX-License-Identifier: BSD-2-Clause
// The process: its streams, its transports, its exit status. Nothing else touches them.
#include <unistd.h>

#include <cstdlib>
#include <iostream>

#include "app.hpp"
#include "transports.hpp"

int main(int argc, char** argv) {
  using namespace nvmf::cli;
  std::ios::sync_with_stdio(false);
  std::cin.tie(nullptr);
  const char* no_color = std::getenv("NO_COLOR");
  const char* uri = std::getenv("NVMF_URI");
  const surroundings world{
      .in = std::cin,
      .out = std::cout,
      .err = std::cerr,
      .out_is_terminal = ::isatty(STDOUT_FILENO) == 1,
      .err_is_terminal = ::isatty(STDERR_FILENO) == 1,
      .no_color = no_color != nullptr && *no_color != '\0',
      .default_uri = uri != nullptr ? uri : "",
  };
  nvmf::transport_registry transports;
  add_transports(transports);
  const std::vector<std::string> words(argv + 1, argv + argc);
  return static_cast<int>(run_app(words, world, transports));
}
