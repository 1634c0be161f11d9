// SPDX-License-Identifier: BSD-2-Clause
// Commands on their way, for the verbs that send.
#pragma once

#include "workbench.hpp"

namespace nvmf::cli::repl {

// Sends; `at`: the word of the line that complaints point at.
done dispatch(workbench& bench, const std::shared_ptr<queue_object>& q,
              const std::shared_ptr<capsule_object>& c, const word& at);

// Waits for what a line is about. A person has the prompt back when a break point makes a queue
// stand still meanwhile; a script goes on only when there is something to go on with.
enum class waited : std::uint8_t { there, late, stopped };
std::expected<waited, complaint> wait_in_line(workbench& bench, const std::function<bool()>& there,
                                              std::chrono::nanoseconds limit, const line& of);

// How a command ended, in a line.
std::string ending(const capsule_object& c);

}  // namespace nvmf::cli::repl
