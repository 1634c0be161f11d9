// SPDX-License-Identifier: BSD-2-Clause
// The simulation's own judgement of data and memory: what it must accept, and what it must not.
#include <doctest/doctest.h>

#include <algorithm>

#include "sim/memory.hpp"
#include "sim/model.hpp"

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

TEST_CASE("a compare may find what may be there, and only that") {
  block_model m(8);
  const auto compare = [&](std::uint64_t version, bool equal) {
    static std::uint64_t id = 5000;
    m.begin_read(3, 1, ++id);
    return m.end_compare(id, std::array{version}, equal);
  };
  m.begin_write(3, 1, 1);
  CHECK(compare(1, true).empty());
  CHECK(compare(1, false).empty());
  CHECK_FALSE(compare(2, true).empty());
  m.end_write(3, 1, 1, true);
  CHECK(compare(1, true).empty());
  CHECK_FALSE(compare(1, false).empty());
  CHECK_FALSE(compare(0, true).empty());
  CHECK(compare(0, false).empty());
  m.forget(3, 1);
  CHECK(compare(7, true).empty());
  CHECK(compare(7, false).empty());
}

TEST_CASE("zeroes that were written are a version like any other") {
  block_model m(8);
  m.begin_write(3, 1, 1);
  m.end_write(3, 1, 1, true);
  m.begin_write(3, 1, 0);
  CHECK(read(m, block_content(3, 1)).empty());
  m.end_write(3, 1, 0, true);
  CHECK(read(m, block_content(3, 0)).empty());
  CHECK_FALSE(read(m, block_content(3, 1)).empty());
}

TEST_CASE("memory: who writes beside it, or after its callback, is seen") {
  user_memory m(16, false);
  std::ranges::fill(m.data(), std::byte{1});
  CHECK(m.check().empty());
  m.retire();
  CHECK(m.check().empty());
  for (const std::ptrdiff_t at : {-64, -1, 0, 15, 16, 79}) {
    user_memory other(16, false);
    other.retire();
    other.scribble(at);
    CHECK_FALSE(other.check().empty());
  }
}
