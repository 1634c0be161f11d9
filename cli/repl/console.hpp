// SPDX-License-Identifier: BSD-2-Clause
// The debugger at a terminal: lines are typed and run while callbacks print above them.
#pragma once

#include "history_file.hpp"
#include "interpreter.hpp"
#include "workbench.hpp"

namespace nvmf::cli::repl {

// Until the person leaves, or the terminal does. `first` are run as if they had been typed.
void run_console(workbench& bench, interpreter& runs, const std::vector<std::string>& first);

// "a1:1 lost 2> ": the queue in use, what is the matter with it, commands under way.
std::string prompt_text(const workbench& bench);

}  // namespace nvmf::cli::repl
