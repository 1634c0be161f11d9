// SPDX-License-Identifier: BSD-2-Clause
// JSON as it is printed: a document indented for people, JSON Lines for streams.
#pragma once

#include <boost/json/value.hpp>
#include <span>
#include <string>
#include <string_view>

namespace nvmf::cli {

// Two spaces a level; arrays of plain values stay on one line when they are short. Ends in "\n".
std::string pretty_json(const boost::json::value& v);
// One line, ends in "\n".
std::string json_line(const boost::json::value& v);

// "0x06": numbers that people know in hexadecimal are given both ways where it helps.
std::string hex_text(std::span<const std::byte> bytes);  // "06ff"

// A string that is valid JSON whatever the peer put into it: bytes that are not UTF-8 become "?".
boost::json::string json_text(std::string_view bytes);

}  // namespace nvmf::cli
