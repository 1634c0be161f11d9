// SPDX-License-Identifier: BSD-2-Clause
// What the tests of both sessions start from: connections without and with digests, and memory.
#pragma once

#include "script.hpp"

namespace nvmf::test::session_cases {

inline constexpr tcp::negotiated plain{.max_h2c_data = 4096};
inline constexpr tcp::negotiated digests{
    .header_digest = true, .data_digest = true, .max_h2c_data = 4096};
inline constexpr dress dressed{.header_digest = true, .data_digest = true};

inline memdesc of(octets& b) { return memdesc::of(std::span{b}); }
inline octets part(const octets& b, std::size_t from, std::size_t n) {
  return {b.begin() + static_cast<std::ptrdiff_t>(from),
          b.begin() + static_cast<std::ptrdiff_t>(from + n)};
}
inline buffer owned(const octets& b) { return buffer::copy_of(b); }

struct released {
  int times = 0;
  buffer of(const octets& b) {
    return buffer(
        b,
        [](void* self, std::span<const std::byte>) noexcept {
          ++static_cast<released*>(self)->times;
        },
        this);
  }
};

}  // namespace nvmf::test::session_cases
