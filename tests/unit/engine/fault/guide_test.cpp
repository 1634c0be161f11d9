// SPDX-License-Identifier: BSD-2-Clause
#include "engine/fault/guide.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "engine/fault/plan.hpp"

using namespace nvmf;
using namespace nvmf::engine;

namespace {

const wire::topic_section& section(std::string_view title) {
  for (const auto& s : fault_plan_topic().sections)
    if (s.title == title) return s;
  FAIL("no such section");
  return fault_plan_topic().sections.front();
}
bool has_term(const wire::topic_section& s, std::string_view word) {
  return std::ranges::any_of(s.rows, [&](const wire::topic_row& r) {
    return r.term == word || r.term.starts_with(std::string(word) + " ") ||
           r.term.starts_with(std::string(word) + ",");
  });
}

}  // namespace

TEST_CASE("every example is a plan that a controller can have") {
  for (const auto& row : section("Examples").rows)
    CHECK_MESSAGE(fault_plan::parse(row.term, {.role = fault_role::controller}), row.term);
}

TEST_CASE("every field, trigger and action is explained") {
  for (const auto& f : fault_fields()) CHECK(has_term(section("Fields"), f.name));
  for (const auto& t : fault_triggers()) CHECK(has_term(section("Triggers"), t.name));
  for (const auto& a : fault_actions()) CHECK(has_term(section("Actions"), a.name));
  CHECK_FALSE(section("Conditions").rows.empty());
  CHECK(section("Actions").rows.size() == fault_actions().size());
}

TEST_CASE("an action that not every end or transport can do says so") {
  for (const auto& row : section("Actions").rows) {
    CAPTURE(row.term);
    CHECK(row.text.contains("controllers only") ==
          (row.term.starts_with("early-success") || row.term.starts_with("status")));
    CHECK(row.text.contains("NVMe/TCP") ==
          (row.term.starts_with("wrong-length") || row.term.starts_with("early-success") ||
           row.term.starts_with("flip-digest") || row.term.starts_with("termreq")));
  }
}
