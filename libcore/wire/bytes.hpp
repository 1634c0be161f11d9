// SPDX-License-Identifier: BSD-2-Clause
// Byte order lives here and nowhere else: every multi-byte value of NVMe is little-endian
// (NVM Express Base 2.0, 1.5), so these functions are the only loads and stores of the house.
#pragma once

#include <array>
#include <bit>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace nvmf::wire {

using byte_span = std::span<const std::byte>;
using mutable_byte_span = std::span<std::byte>;

// Reads `size` bytes (1..8) at `offset`. The caller has checked the bounds; a miss is our bug.
constexpr std::uint64_t load_le(byte_span b, std::size_t offset, std::size_t size) {
  assert(size >= 1 && size <= 8 && offset <= b.size() && size <= b.size() - offset);
  if (!std::is_constant_evaluated() && std::endian::native == std::endian::little) {
    std::uint64_t v = 0;
    std::memcpy(&v, b.data() + offset, size);
    return v;
  }
  std::uint64_t v = 0;
  for (std::size_t i = size; i > 0; --i)
    v = (v << 8) | std::to_integer<std::uint64_t>(b[offset + i - 1]);
  return v;
}

// The same in the order of the network: headers of IP and TCP in captures, never NVMe.
constexpr std::uint64_t load_be(byte_span b, std::size_t offset, std::size_t size) {
  const std::uint64_t reversed = load_le(b, offset, size);
  if (std::is_constant_evaluated()) {
    std::uint64_t v = 0;
    for (std::size_t i = 0; i < size; ++i) v = (v << 8) | ((reversed >> (8 * i)) & 0xff);
    return v;
  }
  return std::byteswap(reversed) >> (64 - 8 * size);
}

constexpr void store_le(mutable_byte_span b, std::size_t offset, std::size_t size,
                        std::uint64_t value) {
  assert(size >= 1 && size <= 8 && offset <= b.size() && size <= b.size() - offset);
  if (!std::is_constant_evaluated() && std::endian::native == std::endian::little) {
    std::memcpy(b.data() + offset, &value, size);
    return;
  }
  for (std::size_t i = 0; i < size; ++i) {
    b[offset + i] = static_cast<std::byte>(value & 0xff);
    value >>= 8;
  }
}

// The counterpart of load_be, for the headers of packets that a capture is given.
constexpr void store_be(mutable_byte_span b, std::size_t offset, std::size_t size,
                        std::uint64_t value) {
  store_le(b, offset, size, std::byteswap(value) >> (64 - 8 * size));
}

}  // namespace nvmf::wire
