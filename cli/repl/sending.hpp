// SPDX-License-Identifier: BSD-2-Clause
// Commands on their way, for the verbs that send.
#pragma once

#include "workbench.hpp"

namespace nvmf::cli::repl {

// Sends; `at`: the word of the line that complaints point at.
done dispatch(workbench& bench, const std::shared_ptr<queue_object>& q,
              const std::shared_ptr<capsule_object>& c, const word& at);

// How a command ended, in a line.
std::string ending(const capsule_object& c);

}  // namespace nvmf::cli::repl
