// SPDX-License-Identifier: BSD-2-Clause
#include "wire/nqn.hpp"

#include <doctest/doctest.h>

#include <vector>

#include "wire/uuid.hpp"

using namespace nvmf::wire;

TEST_CASE("a UUID is 16 bytes in the order of its text") {
  const auto u = parse_uuid("01234567-89ab-CDEF-0123-456789abcdef");
  REQUIRE(u);
  CHECK(u->bytes[0] == std::byte{0x01});
  CHECK(u->bytes[3] == std::byte{0x67});
  CHECK(u->bytes[7] == std::byte{0xef});
  CHECK(u->bytes[15] == std::byte{0xef});
  CHECK(to_text(*u) == "01234567-89ab-cdef-0123-456789abcdef");
}

TEST_CASE("what is no UUID is refused where it goes wrong") {
  CHECK(parse_uuid("").error().position == 0);
  CHECK(parse_uuid("01234567-89ab-cdef-0123-456789abcde").error().position == 35);
  CHECK(parse_uuid("01234567-89ab-cdef-0123-456789abcdefa").error().position == 36);
  CHECK(parse_uuid("01234567089ab-cdef-0123-456789abcdef").error().position == 8);
  CHECK(parse_uuid("0123456g-89ab-cdef-0123-456789abcdef").error().position == 7);
  CHECK(parse_uuid("01234567-89ab-cdef-0123--56789abcdef").error().position == 24);
  CHECK(to_text(parse_uuid("0123456g-89ab-cdef-0123-456789abcdef").error()) ==
        "UUID: 'g' is not a hexadecimal digit (for example 01234567-89ab-cdef-0123-456789abcdef)");
  CHECK_FALSE(parse_uuid(std::string(100000, '0')));
}

TEST_CASE("a host id may stand without dashes, and is not zero") {
  const auto dashed = parse_host_id("01234567-89ab-cdef-0123-456789abcdef");
  REQUIRE(dashed);
  CHECK(parse_host_id("0123456789abcdef0123456789abcdef") == dashed);
  CHECK(parse_host_id("0123456789abcdef0123456789abcdeg").error().position == 31);
  CHECK(parse_host_id("0123456x89abcdef0123456789abcdef").error().position == 7);
  CHECK(parse_host_id("0123456789abcdef").error().part == "host id");
  CHECK_FALSE(parse_host_id("00000000-0000-0000-0000-000000000000"));
}

TEST_CASE("version 4 UUIDs have their version and variant and nothing else fixed") {
  std::array<std::byte, 16> ones{};
  ones.fill(std::byte{0xff});
  CHECK(to_text(make_uuid_v4(ones)) == "ffffffff-ffff-4fff-bfff-ffffffffffff");
  CHECK(to_text(make_uuid_v4({})) == "00000000-0000-4000-8000-000000000000");
}

TEST_CASE("names that are right") {
  for (std::string_view good :
       {"nqn.2014-08.org.nvmexpress.discovery", "nqn.2014-08.org.example:disk1",
        "nqn.2016-06.io.spdk:cnode1", "nqn.2014-08.com.my_company:a:b/c"}) {
    CAPTURE(good);
    CHECK(check_nqn(good));
  }
  CHECK(check_nqn("nqn.2014-08.org.nvmexpress:uuid:01234567-89ab-cdef-0123-456789abcdef"));
  CHECK(check_nqn("nqn.2014-08.org.example:sch\xc3\xb6n-\xf0\x9f\x98\x80"));
  CHECK(check_nqn("nqn.2014-08.org.example:" + std::string(199, 'x')));  // 223 bytes
}

TEST_CASE("names that are wrong, with the place and the reason") {
  struct wrong {
    std::string_view nqn;
    std::size_t position;
    std::string_view says;
  };
  const std::string too_long = "nqn.2014-08.org.example:" + std::string(200, 'x');
  const wrong cases[] = {
      {"", 0, "is empty"},
      {"iqn.2014-08.org.example:a", 0, "does not start with nqn."},
      {"nqn", 0, "does not start with nqn."},
      {"nqn.", 4, "yyyy-mm"},
      {"nqn.2014", 8, "yyyy-mm"},
      {"nqn.2014.08.org.example:a", 8, "yyyy-mm"},
      {"nqn.14-08.org.example:a", 6, "yyyy-mm"},
      {"nqn.2014-13.org.example:a", 9, "month 13"},
      {"nqn.2014-00.org.example:a", 9, "month 00"},
      {"nqn.2014-08", 11, "yyyy-mm"},
      {"nqn.2014-08.", 12, "domain after the date is missing"},
      {"nqn.2014-08.:a", 12, "domain after the date is missing"},
      {"nqn.2014-08.org..example:a", 16, "empty label"},
      {"nqn.2014-08.org.:a", 16, "empty label"},
      {"nqn.2014-08.org.example:", 23, "after the colon is missing"},
      {"nqn.2014-08.org.example:a b", 25, "blank"},
      {"nqn.2014-08.org.example:a\x1b[2J", 25, "control"},
      {"nqn.2014-08.org.example:\xc3", 24, "UTF-8"},
      {"nqn.2014-08.org.example:\xc0\xaf", 24, "UTF-8"},          // overlong
      {"nqn.2014-08.org.example:\xed\xa0\x80", 24, "UTF-8"},      // surrogate
      {"nqn.2014-08.org.example:\xf4\x90\x80\x80", 24, "UTF-8"},  // beyond Unicode
      {"nqn.2014-08.org.nvmexpress:uuid:", 32, "the UUID has 0 characters"},
      {"nqn.2014-08.org.nvmexpress:uuid:0123", 36, "the UUID has 4 characters"},
      {too_long, 223, "is 224 bytes long, 223 are allowed"},
  };
  for (const wrong& w : cases) {
    CAPTURE(std::string(w.nqn));
    const auto r = check_nqn(w.nqn, "subnqn");
    REQUIRE_FALSE(r.has_value());
    CHECK(r.error().part == "subnqn");
    CHECK(r.error().position == w.position);
    CHECK(r.error().reason.find(w.says) != std::string::npos);
    CHECK(to_text(r.error()).find("(for example nqn.2014-08.org.") != std::string::npos);
  }
}

TEST_CASE("a field of 256 bytes holds a name and zeros") {
  std::vector<std::byte> field(256, std::byte{0xaa});
  put_nqn(field, "nqn.2014-08.org.example:a");
  CHECK(field[24] == std::byte{'a'});
  CHECK(field[25] == std::byte{0});
  CHECK(field[255] == std::byte{0});
  CHECK(nqn_in_field(field, "SUBNQN") == "nqn.2014-08.org.example:a");

  std::vector<std::byte> full(256, std::byte{'x'});
  CHECK(nqn_in_field(full, "SUBNQN").error().position == 256);
  full[224] = std::byte{0};
  CHECK(to_text(nqn_in_field(full, "SUBNQN").error()).starts_with("SUBNQN: is 224 bytes long"));
  full[223] = std::byte{0};
  CHECK(nqn_in_field(full, "SUBNQN")->size() == 223);
  full[0] = std::byte{0};
  CHECK(nqn_in_field(full, "SUBNQN").error().reason == "is empty");
  CHECK_FALSE(nqn_in_field({}, "SUBNQN"));
}

TEST_CASE("the name of a host without a name") {
  CHECK(uuid_nqn(*parse_uuid("01234567-89ab-cdef-0123-456789abcdef")) ==
        "nqn.2014-08.org.nvmexpress:uuid:01234567-89ab-cdef-0123-456789abcdef");
  CHECK(check_nqn(uuid_nqn({})));
  CHECK(is_discovery_nqn("nqn.2014-08.org.nvmexpress.discovery"));
}
