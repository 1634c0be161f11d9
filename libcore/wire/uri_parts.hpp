// SPDX-License-Identifier: BSD-2-Clause
// What the URI and SPDK's spelling of an address have in common. Positions are those in the part.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "uri.hpp"

namespace nvmf::wire {

std::string to_lower(std::string_view text);

// The name of an in-process target: letters, digits, dot, dash, underscore.
std::optional<uri_error> check_loop_name(std::string_view name);

// 1 to FFFFFFFEh: FFFFFFFFh is every namespace and cannot be meant.
std::expected<std::uint32_t, uri_error> parse_nsid(std::string_view text);

// hdgst or ddgst, on or off. An error with part "option" is about the key.
std::optional<uri_error> set_option(uri& u, std::string_view key, std::string_view value);

bool is_trid_key(std::string_view key);

}  // namespace nvmf::wire
