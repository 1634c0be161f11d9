// SPDX-License-Identifier: BSD-2-Clause
#include "trace/stream/flow_table.hpp"

#include <doctest/doctest.h>

#include <map>

using namespace nvmf;

namespace {

trace::flow_key key_of(std::uint32_t n) {
  trace::flow_key k;
  k.ports = {static_cast<std::uint16_t>(n), 4420};
  k.addresses[3] = static_cast<std::byte>(n >> 16);
  return k;
}

}  // namespace

TEST_CASE("flows are found again, and the oldest is the one that was quiet longest") {
  trace::flow_table<int> t;
  for (int i = 0; i < 1000; ++i) t.find_or_add(key_of(static_cast<std::uint32_t>(i))).first = i;
  for (int i = 0; i < 1000; ++i) {
    const auto [value, fresh] = t.find_or_add(key_of(static_cast<std::uint32_t>(i)));
    CHECK_FALSE(fresh);
    CHECK(value == i);
  }
  static_cast<void>(t.find_or_add(key_of(0)));
  CHECK(t.oldest() == 1);
}

TEST_CASE("ten thousand come and go in a table of a hundred: none is lost, none stays") {
  trace::flow_table<std::uint32_t> t;
  std::map<std::uint32_t, bool> there;
  for (std::uint32_t i = 0; i < 10'000; ++i) {
    const auto [value, fresh] = t.find_or_add(key_of(i * 7919 % 65'521));
    CHECK(fresh);
    value = i * 7919 % 65'521;
    there[value] = true;
    if (t.size() > 100) {
      there.erase(t.oldest());
      t.erase_oldest();
    }
    // One from the middle is as good as new again.
    if (i % 3 == 0) {
      const std::uint32_t some = there.begin()->first;
      CHECK_FALSE(t.find_or_add(key_of(some)).second);
    }
  }
  CHECK(t.size() == there.size());
  for (const auto& [n, is] : there) CHECK_FALSE(t.find_or_add(key_of(n)).second);
  while (t.size() > 0) t.erase_oldest();
  CHECK(t.find_or_add(key_of(1)).second);
}
