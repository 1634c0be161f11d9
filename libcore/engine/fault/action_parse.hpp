// SPDX-License-Identifier: BSD-2-Clause
// One action of a rule, with its argument.
#pragma once

#include <expected>

#include "plan.hpp"

namespace nvmf::engine {

std::expected<fault_step, wire::text_error> read_action(wire::lexer& from,
                                                        const fault_plan_options& options);

}  // namespace nvmf::engine
