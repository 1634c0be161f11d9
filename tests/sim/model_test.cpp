// SPDX-License-Identifier: BSD-2-Clause
// The simulation's own judgement: what it must accept, and what it must not.
#include <doctest/doctest.h>

#include "sim/model.hpp"
#include "sim/world.hpp"

using namespace nvmf::sim;

namespace {

std::string read(block_model& m, const octets& data) {
  static std::uint64_t id = 1000;
  m.begin_read(3, 1, ++id);
  return m.end_read(id, data, true);
}

}  // namespace

TEST_CASE("a block is what was last acknowledged") {
  block_model m(8);
  CHECK(read(m, block_content(3, 0)).empty());
  CHECK_FALSE(read(m, block_content(3, 1)).empty());
  m.begin_write(3, 1, 1);
  CHECK(m.busy(0, 4));
  CHECK_FALSE(m.busy(4, 4));
  CHECK(read(m, block_content(3, 0)).empty());
  CHECK(read(m, block_content(3, 1)).empty());
  m.end_write(3, 1, 1, true);
  CHECK(read(m, block_content(3, 1)).empty());
  CHECK_FALSE(read(m, block_content(3, 0)).empty());
}

TEST_CASE("a lost write may show for ever, an acknowledged one not after the next") {
  block_model m(8);
  m.begin_write(3, 1, 1);
  m.end_write(3, 1, 1, false);
  m.begin_write(3, 1, 2);
  m.end_write(3, 1, 2, true);
  CHECK(read(m, block_content(3, 1)).empty());
  CHECK(read(m, block_content(3, 2)).empty());
  CHECK_FALSE(read(m, block_content(3, 0)).empty());
}

TEST_CASE("a read may see what was written while it was under way") {
  block_model m(8);
  m.begin_read(3, 1, 1);
  m.begin_write(2, 2, 5);
  m.end_write(2, 2, 5, true);
  CHECK(m.end_read(1, block_content(3, 5), true).empty());
}

TEST_CASE("what was forgotten may be anything until it is written again") {
  block_model m(8);
  m.forget(3, 1);
  CHECK(read(m, block_content(5, 9)).empty());
  m.begin_write(3, 1, 2);
  m.end_write(3, 1, 2, true);
  CHECK(read(m, block_content(3, 2)).empty());
  CHECK_FALSE(read(m, block_content(5, 9)).empty());
}

TEST_CASE("torn blocks, other blocks and other bytes are seen") {
  block_model m(8);
  m.begin_write(3, 1, 1);
  m.end_write(3, 1, 1, true);
  CHECK_FALSE(read(m, block_content(2, 1)).empty());
  for (const std::size_t at : {8u, 255u, 511u}) {
    octets bad = block_content(3, 1);
    bad[at] ^= std::byte{1};
    CHECK_FALSE(read(m, bad).empty());
  }
}

TEST_CASE("a seed is a run: twice the same") {
  const auto once = run_seed(7, {}), again = run_seed(7, {});
  CHECK(once.wrong.empty());
  CHECK(once.commands == again.commands);
  CHECK(once.failed == again.failed);
  CHECK(once.associations == again.associations);
  CHECK(once.faults == again.faults);
}

TEST_CASE("faults happen, and do fail commands and associations") {
  std::size_t faults = 0;
  std::uint64_t failed = 0, associations = 0;
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    const auto r = run_seed(seed, {});
    faults += r.faults.size();
    failed += r.failed;
    associations += r.associations;
  }
  CHECK(faults > 0);
  CHECK(failed > 0);
  CHECK(associations > 12);
}
