// SPDX-License-Identifier: BSD-2-Clause
#include "nvmf/status.hpp"

#include <doctest/doctest.h>

using namespace nvmf;

TEST_CASE("the status field has SC, SCT, CRD, M and DNR where the specification puts them") {
  // 1/82h with DNR: bits 00000010 in 07:00 plus 82h, SCT 1 in 10:08, DNR in 14.
  const nvme_status refused = nvme_status::from_field(0x4182);
  CHECK(refused.sct == 1);
  CHECK(refused.sc == 0x82);
  CHECK(refused.dnr);
  CHECK_FALSE(refused.more);
  CHECK(refused.crd == 0);
  CHECK(refused.is(fabrics_status_code::connect_invalid_parameters));
  CHECK(refused == nvme_status{fabrics_status_code::connect_invalid_parameters, true});

  CHECK(nvme_status::from_field(0x1000).crd == 2);
  CHECK(nvme_status::from_field(0x2000).more);
  CHECK(nvme_status::from_field(0x0700).sct == 7);
  // The same in the word at byte 14 of a completion, with the phase tag set.
  CHECK(nvme_status::from_cqe_word(0x8305) == refused);
  CHECK(refused.cqe_word() == 0x8304);
}

TEST_CASE("every status field survives the value type") {
  for (unsigned f = 0; f < 0x8000; ++f) {
    const auto field = static_cast<std::uint16_t>(f);
    REQUIRE(nvme_status::from_field(field).field() == field);
  }
}

TEST_CASE("ok is a matter of SCT and SC alone") {
  CHECK(nvme_status{}.ok());
  CHECK(nvme_status::from_field(0x2000).ok());
  CHECK_FALSE(nvme_status::from_field(0x0100).ok());  // 1/00h: Completion Queue Invalid
  CHECK_FALSE(nvme_status{status_code::invalid_field}.ok());
}

TEST_CASE("the text of a status names it, its numbers and what else is set") {
  CHECK(to_text({}) == "Successful Completion (0/00h)");
  CHECK(to_text({fabrics_status_code::connect_invalid_parameters, true}, status_set::fabrics) ==
        "Connect Invalid Parameters (1/82h, DNR)");
  CHECK(to_text(nvme_status::from_field(0x7982)) ==
        "Attempted Write to Read Only Range (1/82h, CRD 3, more in the error log, DNR)");
}

TEST_CASE("80h to BFh of command specific status depend on the command, the rest does not") {
  CHECK(wire::status_name(0x180, status_set::nvm) == "Conflicting Attributes");
  CHECK(wire::status_name(0x180, status_set::fabrics) == "Connect Incompatible Format");
  CHECK(wire::find_status(0x1b8, status_set::fabrics) == nullptr);
  CHECK(wire::find_status(0x1b8, status_set::nvm) != nullptr);
  CHECK(wire::find_status(0x191, status_set::nvm) == nullptr);
  CHECK(wire::status_name(0x101, status_set::fabrics) == "Invalid Queue Identifier");
  CHECK(wire::status_name(0x002, status_set::fabrics) == "Invalid Field in Command");
}

TEST_CASE("a code of no table is reserved or vendor specific") {
  CHECK(wire::status_name(0x017, status_set::nvm) == "Reserved");
  CHECK(wire::status_name(0x0c0, status_set::nvm) == "Vendor Specific");
  CHECK(wire::status_name(0x1ff, status_set::fabrics) == "Vendor Specific");
  CHECK(wire::status_name(0x700, status_set::nvm) == "Vendor Specific");
  CHECK(wire::status_name(0x4c0, status_set::nvm) == "Reserved");
}

TEST_CASE("a status can be typed as it is printed, named or numbered") {
  for (std::string_view typed :
       {"1/82h", "1/82H", "1/0x82", "1/82", "command-specific/82h", "0x182", "386", "182h",
        "connect-invalid-parameters", "Connect_Invalid_Parameters",
        "attempted-write-to-read-only-range"}) {
    CAPTURE(typed);
    CHECK(wire::parse_status(typed) == 0x182);
  }
  CHECK(wire::parse_status("0/0") == 0);
  CHECK(wire::parse_status("7/ffh") == 0x7ff);
  for (std::string_view bad :
       {"", "/", "1/", "/82h", "8/00h", "1/100h", "0x800", "1/82h/", "nope"}) {
    CAPTURE(bad);
    CHECK_FALSE(wire::parse_status(bad));
  }
  CHECK(wire::parse_status("1/xx").error().position == 2);
}
