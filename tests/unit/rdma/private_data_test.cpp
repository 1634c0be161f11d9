// SPDX-License-Identifier: BSD-2-Clause
// Private data of the connection manager, against bytes made by hand.
#include "rdma/session/private_data.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

using namespace nvmf;
using namespace nvmf::rdma;

namespace {

std::vector<std::byte> bytes(std::initializer_list<int> first, std::size_t size) {
  std::vector<std::byte> all(size);
  std::ranges::transform(first, all.begin(), [](int b) { return static_cast<std::byte>(b); });
  return all;
}

constexpr request_rules rules{.max_sends_admin = 32, .max_sends = 1024, .max_qid = 128};

wire::rdma_cm_status refusal(const std::vector<std::byte>& data) {
  const auto got = parse_request(data, rules);
  REQUIRE_FALSE(got.has_value());
  return got.error();
}

}  // namespace

TEST_CASE("cm request: byte for byte, HSQSIZE 0's based and HRQSIZE not") {
  const auto made = encode({.qid = 0x0102, .receives = 0x80, .sends = 0x80, .cntlid = 0xabcd});
  CHECK(std::ranges::equal(made, bytes({0, 0, 0x02, 0x01, 0x80, 0, 0x7f, 0, 0xcd, 0xab}, 32)));
  const auto most = encode({.qid = 0, .receives = 0xffff, .sends = 0x10000});
  CHECK(std::ranges::equal(most, bytes({0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff}, 32)));
}

TEST_CASE("cm request: what a host says is read, padding is left alone") {
  // As rdma_cm hands it over: 56 bytes, the request at their start.
  const auto got = parse_request(bytes({0, 0, 3, 0, 0x80, 0, 0x7f, 0, 1, 0}, 56), rules);
  REQUIRE(got.has_value());
  CHECK(got->qid == 3);
  CHECK(got->receives == 128);
  CHECK(got->sends == 128);
  CHECK(got->cntlid == 1);
}

TEST_CASE("cm request: each refusal, in the order of the bytes") {
  using enum wire::rdma_cm_status;
  CHECK(refusal({}) == invalid_private_data_length);
  CHECK(refusal(bytes({0, 0, 0, 0, 32, 0, 31, 0}, 31)) == invalid_private_data_length);
  CHECK(refusal(bytes({1, 0, 0, 0, 32, 0, 31, 0}, 32)) == invalid_recfmt);
  CHECK(refusal(bytes({0, 1, 200, 0, 32, 0, 31, 0}, 32)) == invalid_recfmt);
  CHECK(refusal(bytes({0, 0, 129, 0, 0, 0, 0, 0}, 32)) == invalid_qid);
  CHECK(refusal(bytes({0, 0, 0, 0, 32, 0, 0, 0}, 32)) == invalid_hsqsize);   // one entry
  CHECK(refusal(bytes({0, 0, 0, 0, 33, 0, 32, 0}, 32)) == invalid_hsqsize);  // 33 of 32
  CHECK(refusal(bytes({0, 0, 1, 0, 0, 0, 0, 4}, 32)) == invalid_hsqsize);    // 1025 of 1024
  CHECK(refusal(bytes({0, 0, 1, 0, 0, 0, 0xff, 3}, 32)) == invalid_hrqsize);
  CHECK(parse_request(bytes({0, 0, 0, 0, 32, 0, 31, 0}, 32), rules).has_value());
  CHECK(parse_request(bytes({0, 0, 128, 0, 1, 0, 0xff, 3}, 32), rules).has_value());
}

TEST_CASE("cm accept: byte for byte, and what is wrong with others") {
  CHECK(std::ranges::equal(encode_accept(0x1234), bytes({0, 0, 0x34, 0x12}, 32)));
  CHECK(parse_accept(bytes({0, 0, 0x80, 0}, 196)).value() == 128);
  const auto brief = parse_accept(bytes({0, 0, 0x80, 0}, 31));
  REQUIRE_FALSE(brief.has_value());
  CHECK(brief.error().structure == "rdma-cm-accept");
  CHECK(brief.error().value == 31);
  CHECK(parse_accept(bytes({0, 1, 0x80, 0}, 32)).error().offset == 0);
  CHECK(parse_accept(bytes({0, 0, 0, 0, 1}, 32)).error().offset == 2);
}

TEST_CASE("cm reject: byte for byte, and in words") {
  CHECK(
      std::ranges::equal(encode_reject(wire::rdma_cm_status::invalid_ord), bytes({0, 0, 8, 0}, 4)));
  const char* const names[] = {"Invalid Private Data Length",
                               "Invalid RECFMT",
                               "Invalid QID",
                               "Invalid HSQSIZE",
                               "Invalid HRQSIZE",
                               "No Resources",
                               "Invalid IRD",
                               "Invalid ORD",
                               "Invalid Controller ID"};
  for (int i = 1; i <= 9; ++i)
    CHECK(explain_reject(bytes({0, 0, i, 0}, 148)) ==
          std::string(names[i - 1]) + " (status " + std::to_string(i) + ")");
  CHECK(explain_reject(bytes({0, 0, 10, 0}, 4)) == "Reserved (status 10)");
  CHECK(explain_reject(bytes({0, 0, 1}, 3)).error().reason == "private data is too short");
  CHECK(explain_reject(bytes({1, 0, 1, 0}, 4)).error().reason == "RECFMT is not 0");
}
