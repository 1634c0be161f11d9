// SPDX-License-Identifier: BSD-2-Clause
#include "wire/tables.hpp"

#include <doctest/doctest.h>

#include <set>
#include <string>

using namespace nvmf::wire;

namespace {
bool is_kebab(std::string_view s) {
  if (s.empty() || s.front() == '-' || s.back() == '-') return false;
  for (char c : s)
    if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-')) return false;
  return true;
}
}  // namespace

TEST_CASE("every table has rows that ascend, with unique names that can be typed") {
  std::set<std::string_view> tables;
  for (const table* t : all_tables()) {
    CAPTURE(std::string(t->name));
    CHECK(tables.insert(t->name).second);
    CHECK(is_kebab(t->name));
    CHECK_FALSE(t->title.empty());
    REQUIRE_FALSE(t->rows.empty());
    std::set<std::string_view> names;
    const row* before = nullptr;
    for (const row& r : t->rows) {
      CAPTURE(std::string(r.name));
      CHECK(is_kebab(r.name));
      CHECK(names.insert(r.name).second);
      CHECK_FALSE(r.title.empty());
      CHECK_FALSE(r.section.empty());
      if (before) CHECK(before->value < r.value);
      CHECK(t->find(r.value) == &r);
      CHECK(t->find(r.name) == &r);
      before = &r;
    }
  }
}

TEST_CASE("a table finds by number and by name, and says so when it has none") {
  REQUIRE(pdu_types.find(0x09) != nullptr);
  CHECK(pdu_types.find(0x09)->name == "r2t");
  CHECK(pdu_types.find("capsule-cmd")->value == 0x04);
  CHECK(pdu_types.find(0x08) == nullptr);
  CHECK(pdu_types.find("nothing") == nullptr);
}
