// SPDX-License-Identifier: BSD-2-Clause
#include "wire/layouts/forms.hpp"

#include <doctest/doctest.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>

#include "wire/tables.hpp"

using namespace nvmf::wire;

namespace {

using entry = std::array<std::byte, 64>;

entry sqe_of(int opcode, int byte4 = 0) {
  entry e{};
  e[0] = static_cast<std::byte>(opcode);
  e[4] = static_cast<std::byte>(byte4);
  return e;
}
entry sqe_with(int opcode, std::size_t offset, int value) {
  entry e = sqe_of(opcode);
  e[offset] = static_cast<std::byte>(value);
  return e;
}
std::array<std::byte, 16> cqe_of(unsigned status) {
  std::array<std::byte, 16> e{};
  store_le(e, 14, 2, status << 1);
  return e;
}
std::string_view data_of(const entry& sqe, bool admin) {
  const layout* l = data_form(sqe, admin);
  return l != nullptr ? l->name : "none";
}

}  // namespace

TEST_CASE("every opcode of the tables is named by its own form, or is a plain entry") {
  for (const table* t : {&admin_opcodes, &nvm_opcodes}) {
    const bool admin = t == &admin_opcodes;
    for (const row& r : t->rows) {
      CAPTURE(r.name);
      const std::string_view form = sqe_form(static_cast<std::uint8_t>(r.value), admin).name;
      CHECK((form == r.name || form == "sqe"));
    }
  }
  for (const row& r : fabrics_types.rows)
    CHECK(sqe_form(0x7f, false, static_cast<std::uint8_t>(r.value)).name == r.name);
  CHECK(sqe_form(0x06, true).name == "identify");
  CHECK(sqe_form(0x06, false).name == "sqe");
  CHECK(sqe_form(0x7f, true, 0x33).name == "fabrics-command");
  CHECK(sqe_form(byte_span{}, true).name == "sqe");
}

TEST_CASE("a completion is read by its command and by its own status") {
  const auto connect = sqe_of(0x7f, 0x01);
  CHECK(cqe_form(connect, true, cqe_of(0)).name == "connect-response");
  CHECK(cqe_form(connect, true, cqe_of(0x182)).name == "connect-invalid-response");
  CHECK(cqe_form(connect, true, cqe_of(0x184)).name == "fabrics-response");
  CHECK(cqe_form(sqe_of(0x08), true, cqe_of(0)).name == "abort-response");
  CHECK(cqe_form(sqe_of(0x08), false, cqe_of(0)).name == "cqe");
  CHECK(cqe_form(sqe_of(0x19), false, cqe_of(0)).name == "cqe");
  CHECK(cqe_form(sqe_of(0x19), false, cqe_of(0x281)).name == "copy-response");
  CHECK(cqe_form(sqe_of(0x0c), true, cqe_of(0x105)).name == "cqe");
  CHECK(cqe_form(sqe_of(0x0c), true, byte_span{cqe_of(0)}.first(15)).name == "cqe");
}

TEST_CASE("the value of a feature is read by its identifier") {
  const auto dword_of = [](const entry& sqe) {
    const layout* bits = cqe_form(sqe, true, cqe_of(0)).fields[0].of;
    return bits != nullptr ? bits->name : "none";
  };
  CHECK(dword_of(sqe_with(0x09, 40, 0x07)) == "feature-number-of-queues-result");
  CHECK(dword_of(sqe_with(0x0a, 40, 0x07)) == "feature-number-of-queues-result");
  CHECK(dword_of(sqe_with(0x0a, 40, 0x0f)) == "feature-keep-alive-timer");
  CHECK(dword_of(sqe_with(0x09, 40, 0x0f)) == "none");
  CHECK(dword_of(sqe_with(0x0a, 40, 0xc0)) == "none");
  entry capabilities = sqe_with(0x0a, 40, 0x0f);
  capabilities[41] = std::byte{3};
  CHECK(dword_of(capabilities) == "feature-capabilities");
  entry property = sqe_of(0x7f, 0x04);
  property[44] = std::byte{0x14};
  CHECK(cqe_form(property, true, cqe_of(0)).fields[0].of->name == "cc");
}

TEST_CASE("data is told by the fields of its command") {
  CHECK(data_of(sqe_with(0x06, 40, 0x00), true) == "identify-namespace");
  CHECK(data_of(sqe_with(0x06, 40, 0x01), true) == "identify-controller");
  CHECK(data_of(sqe_with(0x06, 40, 0x02), true) == "namespace-list");
  CHECK(data_of(sqe_with(0x06, 40, 0x03), true) == "namespace-id-descriptor-list");
  entry zoned = sqe_with(0x06, 40, 0x06);
  CHECK(data_of(zoned, true) == "identify-nvm-controller");
  zoned[47] = std::byte{2};
  CHECK(data_of(zoned, true) == "none");
  CHECK(data_of(sqe_with(0x02, 40, 0x0c), true) == "ana-log");
  entry discovery = sqe_with(0x02, 40, 0x70);
  CHECK(data_of(discovery, true) == "discovery-log");
  discovery[49] = std::byte{0x04};  // LPOL 1024
  CHECK(data_of(discovery, true) == "discovery-entry-list");
  discovery[48] = std::byte{0x04};
  CHECK(data_of(discovery, true) == "none");
  CHECK(data_of(sqe_of(0x7f, 0x01), true) == "connect-data");
  CHECK(data_of(sqe_of(0x7f, 0x04), true) == "none");
  CHECK(data_of(sqe_of(0x09), false) == "dsm-range-list");
  CHECK(data_of(sqe_with(0x19, 49, 0xf1), false) == "copy-range-1-list");
  CHECK(data_of(sqe_of(0x02), false) == "none");
  CHECK(data_form(byte_span{}, true) == nullptr);
}

TEST_CASE("the data of each CNS, log page and reservation command") {
  struct row_of {
    int opcode;
    std::size_t offset;  // of the byte that tells
    int value;
    std::string_view data;
  };
  constexpr int identify = 0x06, get_log_page = 0x02;
  for (const row_of& r : std::initializer_list<row_of>{
           {identify, 40, 0x05, "identify-nvm-namespace"},
           {identify, 40, 0x07, "namespace-list"},
           {identify, 40, 0x08, "identify-independent-namespace"},
           {identify, 40, 0x10, "namespace-list"},
           {identify, 40, 0x11, "identify-namespace"},
           {identify, 40, 0x12, "controller-list"},
           {identify, 40, 0x13, "controller-list"},
           {identify, 40, 0x17, "none"},
           {identify, 40, 0x1a, "namespace-list"},
           {identify, 40, 0x1b, "identify-nvm-namespace"},
           {identify, 40, 0x1c, "command-set-combinations"},
           {get_log_page, 40, 0x00, "supported-log-pages"},
           {get_log_page, 40, 0x01, "error-log"},
           {get_log_page, 40, 0x02, "smart-log"},
           {get_log_page, 40, 0x03, "firmware-slot-log"},
           {get_log_page, 40, 0x04, "changed-namespace-list"},
           {get_log_page, 40, 0x05, "command-effects-log"},
           {get_log_page, 40, 0x0d, "none"},
           {get_log_page, 40, 0x80, "reservation-notification-log"},
           {get_log_page, 40, 0x81, "sanitize-status-log"},
           {0x0d, 40, 0x00, "identify-namespace"},  // Namespace Management: create
           {0x0d, 40, 0x01, "none"},                // delete
           {0x15, 40, 0x00, "controller-list"},
           {0x14, 40, 0x00, "none"},
       }) {
    CAPTURE(r.opcode);
    CAPTURE(r.value);
    CHECK(data_of(sqe_with(r.opcode, r.offset, r.value), true) == r.data);
  }
  for (const row_of& r : std::initializer_list<row_of>{
           {0x0d, 40, 0, "reservation-register-data"},
           {0x0e, 44, 0, "reservation-status"},
           {0x0e, 44, 1, "reservation-status-extended"},
           {0x11, 40, 0, "reservation-acquire-data"},
           {0x15, 40, 0, "reservation-release-data"},
           {0x19, 49, 0, "copy-range-0-list"},
           {0x19, 49, 2, "none"},
       }) {
    CAPTURE(r.opcode);
    CAPTURE(r.value);
    CHECK(data_of(sqe_with(r.opcode, r.offset, r.value), false) == r.data);
  }
  // From the middle: entries of the error log only, and nothing by index.
  entry errors = sqe_with(get_log_page, 40, 0x01);
  errors[48] = std::byte{64};
  CHECK(data_of(errors, true) == "error-log");
  errors[58] = std::byte{0x80};
  CHECK(data_of(errors, true) == "none");
}

TEST_CASE("layouts have names of their own, and what they refer to fits") {
  std::set<std::string_view> names;
  const auto check = [&](const auto& self, const layout& l) -> void {
    CAPTURE(l.name);
    CHECK_FALSE(l.title.empty());
    CHECK_FALSE(l.section.empty());
    for (const field& f : l.fields) {
      CAPTURE(f.name);
      CHECK_FALSE(f.title.empty());
      if (f.as == kind::nested) REQUIRE(f.of != nullptr);
      if (f.of == nullptr) continue;
      CHECK(f.of->size <= f.size);
      self(self, *f.of);
    }
  };
  for (const layout* l : all_layouts()) {
    CAPTURE(l->name);
    CHECK(names.insert(l->name).second);
    CHECK(find_layout(l->name) == l);
    check(check, *l);
  }
  CHECK(find_layout("no-such-layout") == nullptr);
}

TEST_CASE("every layout in the sources is in the list, unless it is the bits of a word") {
  const std::filesystem::path room = std::string(NVMF_SOURCE_DIR) + "/libcore/wire/layouts";
  std::set<std::string> reachable;
  for (const layout* l : all_layouts()) {
    reachable.emplace(l->name);
    for (const field& f : l->fields)
      if (f.of != nullptr) reachable.emplace(f.of->name);
  }
  constexpr std::string_view declaration = "inline constexpr layout ";
  int found = 0;
  for (const auto& file : std::filesystem::directory_iterator(room)) {
    if (file.path().extension() != ".hpp") continue;
    std::stringstream text;
    text << std::ifstream(file.path()).rdbuf();
    const std::string source = text.str();
    for (std::size_t at = source.find(declaration); at != std::string::npos;
         at = source.find(declaration, at + 1)) {
      const std::size_t open = source.find('"', at);
      const std::string name = source.substr(open + 1, source.find('"', open + 1) - open - 1);
      CAPTURE(name);
      CHECK(reachable.contains(name));
      ++found;
    }
  }
  CHECK(found >= static_cast<int>(all_layouts().size()));
}
