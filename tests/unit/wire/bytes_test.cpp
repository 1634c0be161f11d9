// SPDX-License-Identifier: BSD-2-Clause
#include "wire/bytes.hpp"

#include <doctest/doctest.h>

#include <array>

using namespace nvmf;

namespace {

constexpr std::array<std::byte, 9> some{std::byte{0xff}, std::byte{0x01}, std::byte{0x02},
                                        std::byte{0x03}, std::byte{0x04}, std::byte{0x05},
                                        std::byte{0x06}, std::byte{0x07}, std::byte{0x88}};

}  // namespace

TEST_CASE("both byte orders, every size, at compile time and at run time") {
  static_assert(wire::load_be(some, 1, 8) == 0x0102030405060788);
  static_assert(wire::load_be(some, 1, 3) == 0x010203);
  static_assert(wire::load_le(some, 1, 3) == 0x030201);
  constexpr std::uint64_t big[] = {
      0x01,         0x0102,         0x010203,         0x01020304,
      0x0102030405, 0x010203040506, 0x01020304050607, 0x0102030405060788};
  for (std::size_t size = 1; size <= 8; ++size) {
    CAPTURE(size);
    CHECK(wire::load_be(some, 1, size) == big[size - 1]);
  }
  CHECK(wire::load_le(some, 1, 8) == 0x8807060504030201);
}
