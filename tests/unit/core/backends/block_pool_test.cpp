// SPDX-License-Identifier: BSD-2-Clause
#include "core/backends/block_pool.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <thread>
#include <vector>

using namespace nvmf;

TEST_CASE("a block comes back for the next of its size, page aligned") {
  const std::byte* first = nullptr;
  for (const std::size_t n :
       {1u, 512u, 4096u, 4097u, 131'072u, 1u << 20, (1u << 20) + 1, 5u << 20}) {
    pooled_block b(n);
    CHECK(b.bytes().size() == n);
    CHECK(reinterpret_cast<std::uintptr_t>(b.bytes().data()) % 4096 == 0);
    std::ranges::fill(b.bytes(), std::byte{1});
  }
  {
    const pooled_block b(100'000);
    first = b.bytes().data();
  }
  const std::size_t kept = pool_bytes_kept();
  const pooled_block again(131'072);  // the same class
  CHECK(again.bytes().data() == first);
  CHECK(pool_bytes_kept() == kept - 131'072);
}

TEST_CASE("a pool keeps no more than its limit") {
  std::vector<pooled_block> many;
  for (int i = 0; i < 40; ++i) many.emplace_back(1 << 20);
  many.clear();
  CHECK(pool_bytes_kept() <= pool_bytes_max);
  CHECK(pool_bytes_kept() >= pool_bytes_max - (1 << 20));
}

TEST_CASE("as a buffer a block returns when the buffer goes, on whatever thread") {
  pooled_block b(4096);
  b.bytes()[0] = std::byte{7};
  buffer out = std::move(b).into_buffer();
  CHECK_FALSE(static_cast<bool>(b));
  CHECK(out.bytes()[0] == std::byte{7});
  const std::size_t kept = pool_bytes_kept();
  std::size_t kept_there = 0;
  std::thread other([&] {
    out.reset();
    kept_there = pool_bytes_kept();
  });
  other.join();
  CHECK(kept_there == 4096);
  CHECK(pool_bytes_kept() == kept);
}
