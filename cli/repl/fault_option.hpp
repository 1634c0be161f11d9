// SPDX-License-Identifier: BSD-2-Clause
// fault=PLAN of open, connect and listen: the plans of the command line's --fault.
#pragma once

#include <nvmf/fault.hpp>

#include "arguments.hpp"

namespace nvmf::cli::repl {

class workbench;

// Takes fault= and fault-seed=; nullptr without the former. `pdus`: as fault_options has it.
std::expected<std::shared_ptr<faults>, complaint> take_faults(workbench& bench, arguments& args,
                                                              role side, bool pdus);
// The program's transports, which obey the plan if there is one.
transport_registry obeying(workbench& bench, const std::shared_ptr<faults>& plan);
// Says what became of it, once, when what obeyed it is closed.
void tell_faults(workbench& bench, std::string_view who, std::shared_ptr<faults>& plan);

}  // namespace nvmf::cli::repl
