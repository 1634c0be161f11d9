// SPDX-License-Identifier: BSD-2-Clause
#include <doctest/doctest.h>

#include <cstring>
#include <numeric>
#include <nvmf/buffer.hpp>
#include <nvmf/memdesc.hpp>
#include <string>
#include <vector>

using namespace nvmf;

namespace {

struct bytes {
  explicit bytes(std::size_t n) : v(n) {
    for (std::size_t i = 0; i < n; ++i) v[i] = static_cast<std::byte>(i * 7 + 1);
  }
  std::vector<std::byte> v;
};

// Every way of describing the same 64 bytes: one piece, many, empty ones between, a window of each.
std::vector<std::pair<std::string, std::vector<segment>>> lists(std::vector<std::byte>& v) {
  std::byte* p = v.data();
  return {{"one", {{p, 64}}},
          {"two", {{p, 10}, {p + 10, 54}}},
          {"empty pieces", {{p, 0}, {p, 32}, {p + 32, 0}, {p + 32, 32}, {p + 64, 0}}},
          {"bytes", [&] {
             std::vector<segment> s;
             for (std::size_t i = 0; i < 64; ++i) s.push_back({p + i, 1});
             return s;
           }()}};
}

}  // namespace

TEST_CASE("a memdesc of any shape copies the same bytes out and in, at every offset and length") {
  bytes source(64);
  for (auto& [name, list] : lists(source.v)) {
    CAPTURE(name);
    for (bool contiguous : {false, true}) {
      const memdesc m = contiguous ? memdesc::of(std::span(source.v)) : memdesc::of_list(list);
      REQUIRE(m.size() == 64);
      for (std::size_t offset = 0; offset <= 64; ++offset)
        for (std::size_t length = 0; length <= 64 - offset; ++length) {
          std::vector<std::byte> got(length), direct(length);
          m.window(offset, length).copy_out(0, got);
          m.copy_out(offset, direct);
          REQUIRE(got == direct);
          REQUIRE(std::equal(got.begin(), got.end(), source.v.begin() + long(offset)));
        }
      std::vector<std::byte> saved = source.v;
      std::vector<std::byte> fresh(20, std::byte{0xee});
      m.window(5, 40).copy_in(3, fresh);
      for (std::size_t i = 0; i < 64; ++i)
        REQUIRE(source.v[i] == (i >= 8 && i < 28 ? std::byte{0xee} : saved[i]));
      source.v = saved;
    }
  }
}

TEST_CASE("pieces covers a prefix when there is no room for all, and leaves empty ones out") {
  bytes source(64);
  auto all = lists(source.v);
  const memdesc m = memdesc::of_list(all[2].second);
  segment out[1];
  CHECK(m.pieces(0, 64, out) == 1);
  CHECK(out[0].size == 32);
  segment two[4];
  CHECK(m.pieces(30, 4, two) == 2);
  CHECK(two[0].size == 2);
  CHECK(two[1].data == source.v.data() + 32);
}

TEST_CASE("a buffer tells its maker exactly once, moved or not") {
  int released = 0;
  std::byte block[4]{};
  const auto hook = [](void* c, std::span<const std::byte> b) noexcept {
    CHECK(b.size() == 4);
    ++*static_cast<int*>(c);
  };
  {
    buffer a(block, hook, &released);
    buffer b = std::move(a);
    a.reset();
    CHECK(released == 0);
    buffer c;
    c = std::move(b);
    CHECK(c.size() == 4);
  }
  CHECK(released == 1);
}
