// SPDX-License-Identifier: BSD-2-Clause
// nvme+loop:// reaches a target in this very process. So that a first try needs nothing else, the
// command that connects there starts one.
#pragma once

#include <expected>
#include <memory>
#include <nvmf/target.hpp>
#include <string>

#include "host_options.hpp"

namespace nvmf::cli {

// A target on `on` with the subsystem of `to` and 64 MiB of memory, listening at its name. It ends
// with the object.
std::expected<std::unique_ptr<target>, std::string> make_loop_target(
    const transport_registry& registry, executor& on, const host_plan& to);

}  // namespace nvmf::cli
