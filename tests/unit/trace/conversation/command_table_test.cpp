// SPDX-License-Identifier: BSD-2-Clause
#include "trace/conversation/command_table.hpp"

#include <doctest/doctest.h>

using namespace nvmf;

TEST_CASE("every CID there is may be outstanding at once, and each is found") {
  trace::command_table t;
  for (unsigned i = 0; i < 65'536; ++i) t.add(static_cast<std::uint16_t>(i * 4099)).number = i + 1;
  CHECK(t.size() == 65'536);
  bool all = true;
  for (unsigned i = 0; i < 65'536; ++i) {
    const auto* c = t.find(static_cast<std::uint16_t>(i * 4099));
    all = all && c != nullptr && c->number == i + 1;
  }
  CHECK(all);
  for (unsigned i = 0; i < 65'536; i += 2) t.erase(*t.find(static_cast<std::uint16_t>(i * 4099)));
  bool halves = true;
  for (unsigned i = 0; i < 65'536; ++i)
    halves = halves && (t.find(static_cast<std::uint16_t>(i * 4099)) != nullptr) == (i % 2 == 1);
  CHECK(halves);
  CHECK(t.cids().size() == 32'768);
  CHECK(t.cids().front() == 4099);
}

TEST_CASE("slots are used again: the table grows with the depth only") {
  trace::command_table t;
  for (unsigned i = 0; i < 100'000; ++i) {
    t.add(static_cast<std::uint16_t>(i));
    if (i >= 32) t.erase(*t.find(static_cast<std::uint16_t>(i - 32)));
  }
  CHECK(t.size() == 32);
  CHECK(t.most() == 33);
}
