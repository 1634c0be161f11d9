// SPDX-License-Identifier: BSD-2-Clause
// What is to be said about a capture as a whole.
#pragma once

#include <boost/json/object.hpp>
#include <string>
#include <vector>

#include "trace/tracer.hpp"

namespace nvmf::cli {

// "120 packets: 100 of TCP (ports 80, 443), 20 of UDP": what was there, for who expected NVMe.
std::string inside_text(const trace::tracer& t);
// Sentences about what may be missing from what was shown: lost packets, a short snap length.
std::vector<std::string> trace_warnings(const trace::tracer& t);
// The last record of --json.
boost::json::object trace_summary_json(const trace::tracer& t);

}  // namespace nvmf::cli
