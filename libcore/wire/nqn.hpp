// SPDX-License-Identifier: BSD-2-Clause
// NVMe Qualified Names (Base 2.0, 4.5): nqn.yyyy-mm.reverse-domain:name, or the UUID form
// nqn.2014-08.org.nvmexpress:uuid:UUID. At most 223 bytes of UTF-8, in fields of 256.
#pragma once

#include <cstddef>
#include <expected>
#include <string>
#include <string_view>

#include "bytes.hpp"
#include "text_error.hpp"
#include "uuid.hpp"

namespace nvmf::wire {

inline constexpr std::size_t nqn_max_length = 223;
inline constexpr std::size_t nqn_field_size = 256;
inline constexpr std::string_view discovery_nqn = "nqn.2014-08.org.nvmexpress.discovery";
inline constexpr std::string_view uuid_nqn_prefix = "nqn.2014-08.org.nvmexpress:uuid:";

// Nothing, or which part of the name is wrong and why. `what` names it: "subnqn", "hostnqn".
// The colon after the domain may be missing: the discovery NQN itself has none.
std::expected<void, text_error> check_nqn(std::string_view nqn, std::string_view what = "NQN");

// The name in a field of 256 bytes: all up to the first NUL. An error when there is no NUL or the
// name is empty or too long. What follows the NUL is not looked at, nor whether the name is well
// formed: a target compares names, it need not like them. The view is into `field`.
std::expected<std::string_view, text_error> nqn_in_field(byte_span field, std::string_view what);

// Fills the whole field: the name, then zeros. The name fits (checked by assert).
void put_nqn(mutable_byte_span field, std::string_view nqn);

std::string uuid_nqn(const uuid& u);

constexpr bool is_discovery_nqn(std::string_view nqn) { return nqn == discovery_nqn; }

}  // namespace nvmf::wire
