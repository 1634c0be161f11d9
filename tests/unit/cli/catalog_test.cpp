// SPDX-License-Identifier: BSD-2-Clause
#include "catalog.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>

#include "render/describe.hpp"
#include "wire/layouts/forms.hpp"
#include "wire/tables.hpp"

using namespace nvmf;
using namespace nvmf::cli;

namespace {

std::vector<entry> found(std::vector<std::string> words) {
  auto entries = look_up(words);
  REQUIRE_MESSAGE(entries.has_value(), fmt::format("{}", fmt::join(words, " ")));
  return *entries;
}
std::string error(std::vector<std::string> words) {
  const auto entries = look_up(words);
  return entries ? "found" : entries.error();
}
bool has_row(const std::vector<entry>& in, const wire::table& t, std::uint32_t value) {
  return std::ranges::any_of(in, [&](const entry& e) {
    const auto* r = std::get_if<row_entry>(&e);
    return r != nullptr && r->in == &t && r->row.value == value;
  });
}
bool has_layout(const std::vector<entry>& in, std::string_view name) {
  return std::ranges::any_of(in, [&](const entry& e) {
    const auto* l = std::get_if<const wire::layout*>(&e);
    return l != nullptr && (*l)->name == name;
  });
}

}  // namespace

TEST_CASE("every row is found by its table and name, by its number, and by its name alone") {
  for (const wire::table* t : wire::all_tables())
    for (const wire::row& r : t->rows) {
      const std::string table{t->name}, name{r.name};
      CHECK_MESSAGE(has_row(found({table, name}), *t, r.value), table, name);
      CHECK_MESSAGE(has_row(found({table, fmt::format("{:#x}", r.value)}), *t, r.value), table,
                    name);
      CHECK_MESSAGE(has_row(found({name}), *t, r.value), table, name);
      for (const entry& e : found({table, name})) CHECK(!describe_text(e, style{}).empty());
    }
}

TEST_CASE("every layout and each of its fields is found") {
  for (const wire::layout* l : wire::all_layouts()) {
    CHECK_MESSAGE(has_layout(found({std::string{l->name}}), l->name), l->name);
    for (const wire::field& f : l->fields) {
      if (f.as == wire::kind::reserved) continue;
      const auto entries = found({std::string{l->name}, std::string{f.name}});
      CHECK(std::ranges::any_of(entries, [&](const entry& e) {
        const auto* hit = std::get_if<field_entry>(&e);
        return hit != nullptr && hit->in == l && hit->path == f.name;
      }));
    }
  }
}

TEST_CASE("every name offered to completion is found") {
  for (const std::string& name : catalog_names()) CHECK_MESSAGE(look_up(std::vector{name}), name);
}

TEST_CASE("a status by number, by SCT/SC and by name is the same in both tables") {
  const std::vector<std::vector<std::string>> spellings{
      {"status", "0x182"}, {"status", "1/82h"}, {"STATUS", "386"}};
  for (const auto& words : spellings) {
    const auto entries = found(words);
    CHECK(has_row(entries, wire::fabrics_status_codes, 0x182));
    CHECK(has_row(entries, wire::status_codes, 0x182));
  }
  CHECK(
      has_row(found({"status", "connect_invalid_parameters"}), wire::fabrics_status_codes, 0x182));
}

TEST_CASE("a status that no table has is told by its range") {
  const auto entries = found({"status", "1/c5h"});
  REQUIRE(entries.size() == 1);
  CHECK(std::get<row_entry>(entries[0]).row.title == "Vendor Specific");
}

TEST_CASE("a row brings the layouts that it stands for") {
  CHECK(has_layout(found({"pdu", "r2t"}), "r2t"));
  CHECK(has_layout(found({"pdu", "9"}), "r2t"));
  CHECK(has_layout(found({"log", "smart"}), "smart-log"));
  CHECK(has_layout(found({"cns", "1"}), "identify-controller"));
  CHECK(has_layout(found({"feature", "7"}), "feature-number-of-queues"));
  CHECK(has_layout(found({"property", "cap"}), "cap"));
  const auto connect = found({"connect"});
  for (const char* name : {"connect", "connect-data", "connect-response"})
    CHECK_MESSAGE(has_layout(connect, name), name);
  CHECK(has_row(connect, wire::fabrics_types, 0x01));
}

TEST_CASE("bits of a word are fields too") {
  const auto entries = found({"connect", "cattr.nosqfc"});
  REQUIRE(entries.size() == 1);
  const auto& nosqfc = std::get<field_entry>(entries[0]);
  CHECK(nosqfc.path == "cattr.nosqfc");
  CHECK(nosqfc.field.bit == 2);
  CHECK(nosqfc.field.offset == 46);
  const auto anywhere = found({"nosqfc"});
  REQUIRE(anywhere.size() == 1);
  CHECK(std::get<field_entry>(anywhere[0]).field.offset == 46);
  CHECK(has_layout(found({"get", "log", "page"}), "get-log-page"));
}

TEST_CASE("what is not there is named, with what is near") {
  CHECK(error({"identfy"}) == "nothing is called 'identfy'; did you mean identify?");
  CHECK(error({"pdu", "r3t"}) == "pdu-type has no 'r3t'; did you mean r2t?");
  CHECK(error({"connect", "sqsiz"}) == "connect has no field 'sqsiz'; did you mean sqsize?");
  CHECK(error({"connect", "cattr.nosqf"}) ==
        "connect has no field 'cattr.nosqf'; did you mean cattr.nosqfc?");
  CHECK(error({"qqqqqqqqqq"}) == "nothing is called 'qqqqqqqqqq' (nvmfctl describe lists them)");
  CHECK(error({"qqqq", "qqqq", "qqqq"}) ==
        "nothing is called 'qqqq qqqq qqqq' (nvmfctl describe lists them)");
  CHECK(error({"a\x1b[31m"}) == "nothing is called 'a\\x1b[31m' (nvmfctl describe lists them)");
}
