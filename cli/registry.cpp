// SPDX-License-Identifier: BSD-2-Clause
#include "registry.hpp"

#include <algorithm>
#include <array>

namespace nvmf::cli {

command_list all_commands() {
  // In the order of `nvmfctl help`.
  static constexpr std::array list{
      make_connect, make_discover, make_send_capsule, make_bench,   make_serve,
      make_repl,    make_run,      make_trace,        make_rdma,    make_describe,
      make_help,    make_manual,   make_completion,   make_version,
  };
  return list;
}

std::unique_ptr<command> make_command(command_list list, std::string_view name) {
  std::string wanted{name};
  std::ranges::replace(wanted, '_', '-');
  for (const command_factory make : list)
    if (auto made = make(); made->info().name == wanted) return made;
  return nullptr;
}

std::vector<std::string_view> command_names(command_list list) {
  std::vector<std::string_view> names;
  for (const command_factory make : list) names.push_back(make()->info().name);
  return names;
}

}  // namespace nvmf::cli
