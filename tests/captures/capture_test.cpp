// SPDX-License-Identifier: BSD-2-Clause
// What Linux 6.12 put on the wire, byte for byte: all of it decodes, encodes to the same bytes
// again, and its digests verify.
#include <doctest/doctest.h>

#include <map>
#include <string>

#include "captures/fields.hpp"
#include "wire/layouts/pdu.hpp"

using namespace nvmf;

namespace {

struct census {
  std::map<std::string_view, int> pdus;  // by header layout
  std::map<std::string_view, int> structures;
  int header_digests = 0, data_digests = 0;
};

census take(const std::string& name) {
  census n;
  const auto conversations =
      test::read_pcap(std::string(NVMF_SOURCE_DIR) + "/tests/captures/" + name, 4420);
  REQUIRE(conversations.has_value());
  REQUIRE(conversations->size() == 3);
  for (const auto& c : *conversations) {
    const auto walked = test::walk(c, [&](const test::seen_pdu& p) {
      CAPTURE(p.header->name);
      CAPTURE(p.number);
      CAPTURE(p.to_server);
      ++n.pdus[p.header->name];
      if (p.header_digest_ok) {
        CHECK(*p.header_digest_ok);
        ++n.header_digests;
      }
      if (p.data_digest_ok) {
        CHECK(*p.data_digest_ok);
        ++n.data_digests;
      }
      for (const test::part& part : test::parts(p)) {
        CAPTURE(part.layout->name);
        ++n.structures[part.layout->name];
        const auto again = test::encoded_again(*part.layout, part.bytes);
        CHECK(std::equal(again.begin(), again.end(), part.bytes.begin(), part.bytes.end()));
      }
    });
    INFO((walked ? std::string() : walked.error()));
    CHECK(walked.has_value());
  }
  return n;
}

}  // namespace

TEST_CASE("Linux 6.12 without digests: every PDU decodes and encodes to the same bytes") {
  const census n = take("linux-6.12-plain.pcap");
  for (const wire::layout* l :
       {&wire::pdu_icreq, &wire::pdu_icresp, &wire::pdu_capsule_cmd, &wire::pdu_capsule_resp,
        &wire::pdu_r2t, &wire::pdu_h2c_data, &wire::pdu_c2h_data}) {
    CAPTURE(l->name);
    CHECK(n.pdus.contains(l->name));
  }
  CHECK(n.pdus.at("icreq") == 3);
  CHECK(n.header_digests == 0);
  for (const char* s : {"connect", "connect-data", "property-get", "property-set", "identify",
                        "identify-controller", "identify-namespace", "read", "write"}) {
    CAPTURE(s);
    CHECK(n.structures.contains(s));
  }
}

TEST_CASE("Linux 6.12 with both digests: all of them verify") {
  const census n = take("linux-6.12-digests.pcap");
  CHECK(n.header_digests > 100);
  CHECK(n.data_digests > 20);
}
