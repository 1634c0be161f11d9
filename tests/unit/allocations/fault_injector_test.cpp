// SPDX-License-Identifier: BSD-2-Clause
// A fault plan decides about each command of a queue: it allocates nothing.
#include <doctest/doctest.h>

#include <array>

#include "counter.hpp"
#include "engine/fault/injector.hpp"

using namespace nvmf;

TEST_CASE("a decision of a fault plan allocates nothing") {
  auto plan = engine::fault_plan::parse(
      "when (cmd == read || host =~ \"a name that is long enough for the heap\") && every 2: drop\n"
      "when nsid in (1, 2, 3) && probability 50% && count 100: delay 1ms, duplicate");
  REQUIRE(plan);
  engine::fault_injector injector(std::move(*plan), 1, time_point{});
  std::array<std::byte, 64> sqe{};
  sqe[0] = std::byte{0x02};
  sqe[4] = std::byte{0x01};
  const std::size_t before = test::allocations;
  std::size_t fired = 0;
  for (int i = 0; i < 1000; ++i)
    fired += injector.decide({.sqe = sqe, .qid = 1, .host = "nqn", .bytes = 512, .at = {}}).size();
  CHECK(test::allocations == before);
  CHECK(fired == 600);  // 500 of the first rule, 100 of the second
}
