// SPDX-License-Identifier: BSD-2-Clause
// The commands that the host sends by itself, as SQEs without CID and SGL.
#pragma once

#include <cstdint>

#include "action.hpp"
#include "wire/tables.hpp"

namespace nvmf::engine {

send_command property_get(wire::property which);
send_command property_set(wire::property which, std::uint64_t value);
send_command identify(wire::cns cns, std::uint32_t nsid);
send_command set_features(wire::feature fid, std::uint32_t dword11);
// `count` I/O queues of each kind.
send_command set_number_of_queues(std::uint32_t count);
// length in bytes, a multiple of 4; `retain` leaves the event of that page outstanding.
send_command get_log_page(wire::log_page lid, std::uint64_t offset, std::uint32_t length,
                          bool retain);
sqe_bytes async_event_request();
sqe_bytes keep_alive_request();
sqe_bytes abort_request(std::uint16_t qid, std::uint16_t cid);

// "CAP": the name of a property in the specification's spelling.
std::string_view property_abbreviation(wire::property which);
// Bytes of a property: 4 or 8.
std::uint32_t property_size(wire::property which);

// Data of Identify.
inline constexpr std::uint32_t identify_size = 4096;

}  // namespace nvmf::engine
