// SPDX-License-Identifier: BSD-2-Clause
// Places for slots: their numbers, and when they give their memory back.
#include "tcp/session/pool.hpp"

#include <doctest/doctest.h>

#include <array>

using namespace nvmf::tcp;

namespace {

struct slot {
  slot* next = nullptr;
  std::uint16_t index = 0;
};
struct owner final : pool_owner {
  int grown = 0;
  void on_grown() override { ++grown; }
};

}  // namespace

TEST_CASE("pool: numbers from 0, up to the limit; a finished one comes again as late as possible") {
  owner of;
  slot_pool<slot> pool(20, of);
  CHECK(pool.at(0) == nullptr);
  std::array<slot*, 20> all{};
  for (std::uint16_t i = 0; i < 20; ++i) {
    all[i] = pool.take();
    REQUIRE(all[i] != nullptr);
    CHECK(all[i]->index == i);
    CHECK(pool.at(i) == all[i]);
  }
  CHECK(pool.take() == nullptr);
  CHECK(pool.at(20) == nullptr);
  CHECK(pool.taken() == 20);
  CHECK(of.grown == 1);  // the first 16 are what every pool has
  pool.give(all[7]);
  pool.give(all[3]);
  CHECK(pool.take()->index == 7);
  CHECK(pool.take()->index == 3);
}

TEST_CASE("pool: gives its memory back when nothing was taken between two calls of rest") {
  owner of;
  slot_pool<slot> pool(100, of);
  CHECK(pool.rest() == 0);  // there is nothing
  std::array<slot*, 40> some{};
  for (slot*& s : some) s = pool.take();
  CHECK(pool.grown());
  CHECK(of.grown == 2);
  for (slot* s : some) {
    CHECK(pool.rest() == 0);
    CHECK(pool.rest() == 0);  // some are taken
    pool.give(s);
  }
  CHECK(pool.rest() == 0);
  CHECK(pool.at(39) != nullptr);
  slot* one = pool.take();  // at work again, with what it had
  CHECK(one->index == 40);  // never taken so far
  pool.give(one);
  CHECK(of.grown == 2);
  CHECK(pool.rest() == 0);
  CHECK(pool.grown());
  CHECK(pool.rest() == 3 * 16 * sizeof(slot));
  CHECK_FALSE(pool.grown());
  CHECK(pool.at(0) == nullptr);
  CHECK(pool.rest() == 0);
  pool.for_each([](slot&) { FAIL("a slot that is not there"); });

  for (std::uint16_t i = 0; i < 100; ++i) CHECK(pool.take()->index == i);
  CHECK(pool.take() == nullptr);
  CHECK(of.grown == 2 + 6);
}
