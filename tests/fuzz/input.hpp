// SPDX-License-Identifier: BSD-2-Clause
// What every fuzz target that plays a script needs: the input as numbers, and a way to fail.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>

namespace nvmf::fuzz {

inline void require(bool good) {
  if (!good) std::abort();
}

// The input, read from the front; zeroes when it is used up.
class input {
 public:
  input(const std::uint8_t* data, std::size_t size)
      : rest_(reinterpret_cast<const std::byte*>(data), size) {}
  bool done() const { return rest_.empty(); }
  std::uint8_t byte() {
    if (rest_.empty()) return 0;
    const auto b = std::to_integer<std::uint8_t>(rest_.front());
    rest_ = rest_.subspan(1);
    return b;
  }
  // Little-endian, as numbers are on the wire.
  std::uint64_t number(std::size_t size) {
    std::uint64_t v = 0;
    for (std::size_t i = 0; i < size; ++i) v |= std::uint64_t{byte()} << (8 * i);
    return v;
  }
  // At most `n` bytes as they are.
  std::span<const std::byte> take(std::size_t n) {
    const auto part = rest_.first(std::min(n, rest_.size()));
    rest_ = rest_.subspan(part.size());
    return part;
  }

 private:
  std::span<const std::byte> rest_;
};

}  // namespace nvmf::fuzz
