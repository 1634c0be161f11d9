// SPDX-License-Identifier: BSD-2-Clause
#include "wire/tables.hpp"

#include <doctest/doctest.h>

#include <bit>
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
      if (t->flags) CHECK(std::has_single_bit(r.value));
    }
    for (const short_form& a : t->short_forms) {
      CAPTURE(std::string(a.name));
      CHECK(is_kebab(a.name));
      CHECK(names.insert(a.name).second);
      CHECK(t->find(a.of) != nullptr);
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

TEST_CASE("a table is found by its name") {
  CHECK(find_table("admin-opcode") == &admin_opcodes);
  CHECK(find_table("exit-status") == &exit_statuses);
  CHECK(find_table("admin_opcode") == nullptr);
}

TEST_CASE("the information of an asynchronous event is named by the table of its type") {
  REQUIRE(aer_info_table(2) == &aer_notices);
  CHECK(aer_notices.find(0xf0)->name == "discovery-log-change");
  CHECK(aer_info_table(0) == &aer_errors);
  CHECK(aer_info_table(1) == &aer_smart_values);
  CHECK(aer_info_table(3) == &aer_immediates);
  CHECK(aer_info_table(6) == &aer_io_values);
  CHECK(aer_info_table(7) == nullptr);
  CHECK(aer_info_table(0xff) == nullptr);
}

TEST_CASE("a property has the size of the specification, and fabrics have but a few") {
  CHECK(find_property(0x00)->size == 8);
  CHECK(find_property(0x14)->size == 4);
  CHECK(find_property(0x28)->size == 8);
  CHECK(find_property(0x04) == nullptr);  // the middle of CAP
  std::string fabrics;
  for (const row& r : properties.rows)
    if (find_property(r.value)->fabrics) fabrics += std::string(r.name) + " ";
  CHECK(fabrics == "cap vs cc csts nssr nssd crto ");
}

// By hand from the specifications: values that a slip of the pen would make interoperate with
// nothing but ourselves.
TEST_CASE("values that others rely on") {
  CHECK(static_cast<unsigned>(admin_opcode::keep_alive) == 0x18);
  CHECK(static_cast<unsigned>(nvm_opcode::dataset_management) == 0x09);
  CHECK(static_cast<unsigned>(feature::number_of_queues) == 0x07);
  CHECK(static_cast<unsigned>(log_page::discovery) == 0x70);
  CHECK(static_cast<unsigned>(sgl_type::transport_data_block) == 0x5);
  CHECK(static_cast<unsigned>(sgl_subtype::invalidate_key) == 0xf);
  CHECK(static_cast<unsigned>(trtype::tcp) == 3);
  CHECK(static_cast<unsigned>(exit_status::interrupted) == 130);
  CHECK(static_cast<unsigned>(exit_status::expectation) == 22);
}
