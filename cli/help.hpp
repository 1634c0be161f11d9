// SPDX-License-Identifier: BSD-2-Clause
// Views of commands and their option tables: --help, man pages, shell completion.
#pragma once

#include <boost/json/object.hpp>
#include <string>

#include "registry.hpp"
#include "render/style.hpp"
#include "wire/topic.hpp"

namespace nvmf::cli {

std::string overview_text(command_list list, const option_table& globals, const style& look);
std::string help_text(command& cmd, const style& look);

boost::json::object overview_json(command_list list, const option_table& globals);
boost::json::object help_json(command& cmd);

// roff for man(1). The global options are told once, in nvmfctl(1).
std::string overview_manual(command_list list, const option_table& globals);
std::string command_manual(command& cmd);
std::string topic_manual(const wire::topic& t);          // its sections, titles in capitals
std::string manual_file_name(std::string_view command);  // "nvmfctl-connect.1"; "": "nvmfctl.1"

std::string bash_completion(command_list list, const option_table& globals);

// "-q, --hostnqn NQN": how an option is written in both views.
std::string option_text(const option& row);
// Help, choices and default in one phrase.
std::string option_help(const option& row);
// Every exit status the command may end with, the common ones included, ascending.
std::vector<exit_status> statuses_of(const command_info& info);

}  // namespace nvmf::cli
