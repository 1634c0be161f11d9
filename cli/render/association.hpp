// SPDX-License-Identifier: BSD-2-Clause
// The bring-up of an association, told as it goes, and what it came to.
#pragma once

#include <boost/json/object.hpp>
#include <nvmf/host.hpp>
#include <string>

#include "engine/host/explain.hpp"
#include "host_options.hpp"
#include "render/style.hpp"

namespace nvmf::cli {

// "nvme+tcp://... as HOSTNQN"
std::string heading_text(const host_plan& to, const style& look);
std::string stage_text(const stage_report& s, const style& look);
boost::json::object stage_json(const stage_report& s);

// The controller, its namespaces and every limit in force.
std::string association_text(const association& a, const style& look);
boost::json::object association_json(const host_plan& to, const association& a);

std::string async_event_text(std::uint32_t dw0, std::span<const std::byte> log, const style& look);
boost::json::object async_event_json(std::uint32_t dw0, std::span<const std::byte> log);

// What was refused and why, what is likely wrong, what to try.
std::string failure_text(const host_failure& f, const engine::explanation& why, const style& look);

}  // namespace nvmf::cli
