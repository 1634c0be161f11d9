// SPDX-License-Identifier: BSD-2-Clause
// Places taken from the figures of the specification, not from the layouts; the full check of every
// field is golden_test.cpp.
#include <doctest/doctest.h>

#include "wire/layouts/fabrics.hpp"
#include "wire/layouts/identify.hpp"

using namespace nvmf::wire;

TEST_CASE("a word with named bits is read whole and bit by bit") {
  std::array<std::byte, 64> sqe{};
  set<connect_command, "cattr">(sqe, 0x0c);
  CHECK(sqe[46] == std::byte{0x0c});
  const byte_span word = bytes_of<connect_command, "cattr">(byte_span{sqe});
  CHECK(get<cattr_layout, "nosqfc">(word) == 1);
  CHECK(get<cattr_layout, "indqd">(word) == 1);
  CHECK(get<cattr_layout, "prio">(word) == 0);
}

TEST_CASE("the SGL of an SQE is told by its type, also in an entry cut short") {
  std::array<std::byte, 64> sqe{};
  constexpr field sgl1 = field_of<connect_command, "sgl1">();
  sqe[39] = std::byte{0x40};
  CHECK(sgl1.pick(sqe) == &keyed_sgl_layout);
  sqe[39] = std::byte{0x5a};
  CHECK(sgl1.pick(sqe) == &transport_sgl_layout);
  sqe[39] = std::byte{0x01};
  CHECK(sgl1.pick(sqe) == &sgl_layout);
  CHECK(sgl1.pick(byte_span{sqe}.first(39)) == &sgl_layout);
}

TEST_CASE("an open field comes last") {
  static constexpr field rows[] = {{.name = "a", .offset = 0, .size = 4, .count = field::open},
                                   {.name = "b", .offset = 4, .size = 4}};
  CHECK_FALSE(well_formed(layout{"x", "", "", 8, rows}));
  CHECK(well_formed(layout{"x", "", "", 0, std::span{rows}.first(1)}));
}

TEST_CASE("a property is found by its offset, with its size") {
  CHECK(property_layout(0x00) == &cap_layout);
  CHECK(property_layout(0x14)->size == 4);
  CHECK(property_layout(0x1c) == &csts_layout);
  CHECK(property_layout(0x04) == nullptr);
}
