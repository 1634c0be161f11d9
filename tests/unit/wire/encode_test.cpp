// SPDX-License-Identifier: BSD-2-Clause
#include "wire/encode.hpp"

#include <doctest/doctest.h>

#include <array>
#include <string>
#include <vector>

#include "wire/layouts/commands.hpp"
#include "wire/layouts/discovery.hpp"
#include "wire/layouts/entries.hpp"
#include "wire/layouts/fabrics.hpp"
#include "wire/layouts/logs.hpp"

using namespace nvmf::wire;

namespace {

struct encoded {
  std::array<std::byte, 64> sqe{};
  std::string error;  // "part@position: reason"

  unsigned at(std::size_t i) const { return std::to_integer<unsigned>(sqe[i]); }
};

encoded encode(const layout& form, const std::vector<std::string>& fields) {
  encoded e;
  const layout* const forms[] = {&form, &sqe_layout};
  std::size_t which = 99;
  if (const auto r = encode_fields(forms, e.sqe, fields, &which); !r) {
    e.error = std::to_string(which) + " " + r.error().part + "@" +
              std::to_string(r.error().position) + ": " + r.error().reason;
  }
  return e;
}

}  // namespace

TEST_CASE("numbers, names, bits and sizes are written where the layout says") {
  const encoded e = encode(connect_command, {"qid=0x0102", "sqsize=127", "cattr=0x4", "kato=1K",
                                             "indqd=1", "cattr.prio=high", "opc=0x7f"});
  REQUIRE(e.error == "");
  CHECK(e.at(0) == 0x7f);
  CHECK(e.at(42) == 0x02);
  CHECK(e.at(43) == 0x01);
  CHECK(e.at(44) == 127);
  CHECK(e.at(46) == 0x0d);
  CHECK(e.at(48) == 0x00);
  CHECK(e.at(49) == 0x04);
}

TEST_CASE("a field that gives others their meaning may stand anywhere") {
  const encoded e =
      encode(set_features_command, {"nsqr=3", "cdw11.ncqr=4", "fid=number-of-queues"});
  REQUIRE(e.error == "");
  CHECK(e.at(40) == 7);
  CHECK(e.at(44) == 3);
  CHECK(e.at(46) == 4);
}

TEST_CASE("so may one that tells which structure lies within") {
  const encoded e = encode(read_command, {"sgl1.key=0xdeadbeef", "sgl1.type=keyed-data-block"});
  REQUIRE(e.error == "");
  CHECK(e.at(35) == 0xef);
  CHECK(e.at(38) == 0xde);
  CHECK(e.at(39) == 0x40);
  CHECK(encode(read_command, {"sgl1.key=1", "slba=2", "sgl1.kye=1"})
            .error.starts_with("0 sgl1.key@0: read has no such field"));
}

TEST_CASE("numbers of sixteen bytes") {
  std::vector<std::byte> log(512);
  const layout* const forms[] = {&smart_log};
  REQUIRE(encode_field(forms, log, "poh=0x123456789abcdef0112"));
  CHECK(log[128] == std::byte{0x12});
  CHECK(log[129] == std::byte{0x01});
  CHECK(log[137] == std::byte{0x01});
  REQUIRE(encode_field(forms, log, "poh=5"));
  CHECK(log[128] == std::byte{5});
  CHECK(log[137] == std::byte{0});
  CHECK_FALSE(encode_field(forms, log, "poh=0x" + std::string(33, '1')));
  CHECK_FALSE(encode_field(forms, log, "poh=0x" + std::string(20, 'g')));
}

TEST_CASE("the second form has what the first does not") {
  const encoded e =
      encode(read_command, {"slba=0x100", "nlb=7", "cdw13=0x11223344", "sgl1.length=4K"});
  REQUIRE(e.error == "");
  CHECK(e.at(41) == 1);
  CHECK(e.at(48) == 7);
  CHECK(e.at(52) == 0x44);
  CHECK(e.at(55) == 0x11);
  CHECK(e.at(33) == 0x10);
}

TEST_CASE("opaque bytes, text and identifiers") {
  encoded e = encode(read_command, {"sgl1=00112233445566778899aabbccddee5a"});
  REQUIRE(e.error == "");
  CHECK(e.at(25) == 0x11);
  CHECK(e.at(39) == 0x5a);

  std::array<std::byte, 1024> data{};
  const layout* const forms[] = {&connect_data};
  REQUIRE(encode_field(forms, data, "subnqn=nqn.x"));
  REQUIRE(encode_field(forms, data, "hostid=01234567-89ab-cdef-0123-456789abcdef"));
  CHECK(data[0] == std::byte{0x01});
  CHECK(data[15] == std::byte{0xef});
  CHECK(data[259] == std::byte{'.'});
  CHECK(data[261] == std::byte{0});
  CHECK_FALSE(encode_field(forms, data, "subnqn=" + std::string(256, 'a')));
  CHECK(encode_field(forms, data, "subnqn=" + std::string(255, 'a')));

  std::array<std::byte, 1024> entry{};
  const layout* const discovery[] = {&discovery_entry};
  REQUIRE(encode_field(discovery, entry, "trsvcid=4420"));
  CHECK(entry[35] == std::byte{'0'});
  CHECK(entry[36] == std::byte{' '});
  REQUIRE(encode_field(discovery, entry, "trtype=tcp"));
  REQUIRE(encode_field(discovery, entry, "sectype=2"));
  CHECK(entry[768] == std::byte{2});
}

TEST_CASE("errors name the field, the place and what would be right") {
  CHECK(encode(read_command, {"nlb=1", "slab=5"}).error ==
        "1 slab@0: read has no such field; did you mean slba?");
  CHECK(encode(read_command, {"nlb=65536"}).error ==
        "0 nlb@4: 65536 does not fit in 16 bits, the largest value is 65535 (0xffff)");
  CHECK(encode(read_command, {"fua=2"}).error ==
        "0 fua@4: 2 does not fit in 1 bit, the largest value is 1 (0x1)");
  CHECK(encode(read_command, {"nlb"}).error == "0 nlb@3: a field needs a value");
  CHECK(encode(read_command, {"=5"}).error == "0 field@0: there is no name before =");
  CHECK(encode(read_command, {"sl\x1b"
                              "ba=1"})
            .error == "0 field@2: '\\x1b' does not belong in a field's name");
  CHECK(encode(read_command, {std::string(65, 'a') + "=1"}).error ==
        "0 field@64: no field has so long a name");
  CHECK(encode(read_command, {"nlb=zehn"}).error.starts_with("0 nlb@4: "));
  CHECK(encode(read_command, {"nlb="}).error.starts_with("0 nlb@4: "));
  CHECK(encode(read_command, {"sgl1=123"}).error.starts_with("0 sgl1@"));
  CHECK(encode(set_features_command, {"fid=number-of-queus"}).error.find("number-of-queues") !=
        std::string::npos);
}

TEST_CASE("on error the field is as it was") {
  std::array<std::byte, 64> sqe{};
  sqe.fill(std::byte{0xa5});
  const auto before = sqe;
  const layout* const forms[] = {&read_command, &sqe_layout};
  for (const char* bad : {"nlb=65536", "slba=x", "sgl1=1", "sgl1=zz", "fua=2", "what=1"}) {
    CAPTURE(bad);
    CHECK_FALSE(encode_field(forms, sqe, bad));
    CHECK(sqe == before);
  }
}

TEST_CASE("the names offered are the names taken") {
  for (const layout* l : {&connect_command, &read_command, &set_features_command}) {
    const layout* const forms[] = {l};
    for (const std::string& name : field_names(*l)) {
      CAPTURE(name);
      std::array<std::byte, 64> sqe{};
      CHECK(encode_field(forms, sqe,
                         name + "=0"  // a nested structure takes whole bytes
                             + (name == "sgl1" ? "0" : "")));
    }
  }
}
