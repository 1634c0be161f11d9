// SPDX-License-Identifier: BSD-2-Clause
#include "wire/layout.hpp"

#include <doctest/doctest.h>

#include "wire/layouts/entries.hpp"
#include "wire/layouts/pdu.hpp"

using namespace nvmf::wire;

TEST_CASE("a field is loaded and stored little-endian at its offset") {
  std::array<std::byte, 24> r2t{};
  set<pdu_r2t, "cccid">(r2t, 0x1234);
  set<pdu_r2t, "r2tl">(r2t, 0xa1b2c3d4);
  CHECK(r2t[8] == std::byte{0x34});
  CHECK(r2t[9] == std::byte{0x12});
  CHECK(r2t[16] == std::byte{0xd4});
  CHECK(r2t[19] == std::byte{0xa1});
  CHECK(get<pdu_r2t, "r2tl">(r2t) == 0xa1b2c3d4);
}

TEST_CASE("a bit field leaves its neighbours alone") {
  std::array<std::byte, 16> cqe{};
  set<cqe_layout, "sct">(cqe, 1);
  set<cqe_layout, "sc">(cqe, 0x82);
  set<cqe_layout, "dnr">(cqe, 1);
  CHECK(cqe[14] == std::byte{0x04});
  CHECK(cqe[15] == std::byte{0x83});
  CHECK(get<cqe_layout, "sc">(cqe) == 0x82);
  CHECK(get<cqe_layout, "p">(cqe) == 0);
}

TEST_CASE("an overlap, a disorder and an overrun are not well formed") {
  static constexpr field overlap[] = {{.name = "a", .offset = 0, .size = 4},
                                      {.name = "b", .offset = 2, .size = 2}};
  static constexpr field beyond[] = {{.name = "a", .offset = 0, .size = 4},
                                     {.name = "b", .offset = 6, .size = 4}};
  CHECK_FALSE(well_formed(layout{"x", "", "", 8, overlap}));
  CHECK_FALSE(well_formed(layout{"x", "", "", 8, beyond}));
  CHECK_FALSE(complete(layout{"x", "", "", 12, beyond}));
}
