// SPDX-License-Identifier: BSD-2-Clause
// The one list of commands. A command is added by its factory here and its line in registry.cpp.
#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "command.hpp"

namespace nvmf::cli {

// A fresh object for each invocation, since options are filled into it.
using command_factory = std::unique_ptr<command> (*)();
using command_list = std::span<const command_factory>;

command_list all_commands();

// By name, underscores for dashes accepted; nullptr when there is none.
std::unique_ptr<command> make_command(command_list list, std::string_view name);
std::vector<std::string_view> command_names(command_list list);

std::unique_ptr<command> make_connect();
std::unique_ptr<command> make_discover();
std::unique_ptr<command> make_send_capsule();
std::unique_ptr<command> make_bench();
std::unique_ptr<command> make_serve();
std::unique_ptr<command> make_repl();
std::unique_ptr<command> make_run();
std::unique_ptr<command> make_trace();
std::unique_ptr<command> make_rdma();
std::unique_ptr<command> make_describe();
std::unique_ptr<command> make_help();
std::unique_ptr<command> make_manual();
std::unique_ptr<command> make_completion();
std::unique_ptr<command> make_version();

}  // namespace nvmf::cli
