// SPDX-License-Identifier: BSD-2-Clause
// A decoded structure as JSON, and in one line.
#pragma once

#include <boost/json/object.hpp>
#include <string>

#include "wire/layout.hpp"

namespace nvmf::cli {

// {"opc": 6, "opc_name": "identify", "cattr": {"value": 4, "nosqfc": 1, ...}, "psd": [{...}]}.
// Reserved bytes are there when they are not zero, as "rsvd@OFFSET" in hexadecimal. A structure
// that is cut short has "truncated_at"; bytes after its end are "rest" in hexadecimal.
boost::json::object fields_json(const wire::layout& l, wire::byte_span bytes);

// "nsid=0x1 slba=0 nlb=7": scalar fields at `from` bytes and later that are not zero, but for the
// one named `skip`.
std::string fields_line(const wire::layout& l, wire::byte_span bytes, std::uint64_t from = 0,
                        std::string_view skip = {});

}  // namespace nvmf::cli
