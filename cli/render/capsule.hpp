// SPDX-License-Identifier: BSD-2-Clause
// A command as it will be sent, a completion and data as they came.
#pragma once

#include <boost/json/object.hpp>
#include <nvmf/host.hpp>
#include <string>

#include "capsule_plan.hpp"
#include "render/style.hpp"

namespace nvmf::cli {

// `all`: fields that are zero, too.
std::string capsule_text(const capsule_plan& p, const style& look, bool all);
boost::json::object capsule_json(const capsule_plan& p);

// The completion: its status first, then its fields.
std::string completion_text(const capsule_plan& p, const command_result& r, const style& look,
                            bool all);
boost::json::object completion_json(const capsule_plan& p, const command_result& r);

// The data received: by its layout where that is known, else as a hexdump of at most `dump_max`
// bytes.
std::string data_text(const capsule_plan& p, std::size_t received, std::size_t dump_max);
boost::json::object data_json(const capsule_plan& p, std::size_t received, std::size_t dump_max);

}  // namespace nvmf::cli
