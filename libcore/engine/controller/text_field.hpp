// SPDX-License-Identifier: BSD-2-Clause
// ASCII in fields of fixed width, cut when it is too long.
#pragma once

#include <algorithm>
#include <string_view>

#include "wire/bytes.hpp"

namespace nvmf::engine {

// ASCII, padded with spaces on the right (Base 2.0, 1.5).
inline void put_padded(wire::mutable_byte_span field, std::string_view text) {
  std::ranges::fill(field, std::byte{' '});
  std::ranges::transform(text.substr(0, field.size()), field.begin(),
                         [](char c) { return static_cast<std::byte>(c); });
}

}  // namespace nvmf::engine
