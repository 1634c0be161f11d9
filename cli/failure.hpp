// SPDX-License-Identifier: BSD-2-Clause
// From what went wrong to an exit status, a sentence and JSON. One place, so that every command
// ends the same way for the same cause.
#pragma once

#include <boost/json/object.hpp>
#include <nvmf/host.hpp>
#include <string>

#include "exit_status.hpp"
#include "render/status.hpp"

namespace nvmf::cli {

// A wait that ended is timeout, whatever the stage; up to the IC exchange the stage decides, after
// it what happened does: a refusal has the status of its stage, a close or reset is peer_closed,
// a broken rule is protocol_error.
exit_status status_of(const host_failure& f);

// Of a command that was sent on an association that is up. fctype counts for opcode 7Fh only.
exit_status status_of(const command_result& r, bool admin_queue, std::uint8_t opcode,
                      std::uint8_t fctype);

// "connect failed: Connect Invalid Host (1/84h, DNR)": one line.
std::string sentence(const host_failure& f);
std::string sentence(const command_result& r, std::uint8_t opcode);

// The same with the field that was refused, its value, what is likely wrong and what to try: one
// line, for who sees nothing else. `lost`: the association was up before.
enum class causes : std::uint8_t { told, untold };
std::string explained(const host_failure& f, const association_options& asked, bool lost,
                      causes likely = causes::told);

boost::json::object failure_json(const host_failure& f);
// "what", "field", "value", "cause", "advice".
boost::json::object explanation_json(const host_failure& f, const association_options& asked);

}  // namespace nvmf::cli
