// SPDX-License-Identifier: BSD-2-Clause
// A controller that a host gets no queue of: its private data is wrong, it refuses, it is gone or
// silent. Bytes by hand (NVMe/RDMA Transport 1.0).
#include "raw_controller.hpp"

using namespace nvmf;
using namespace nvmf::test;

TEST_CASE("rdma: each private data that a host does not take, and its words for it") {
  struct row {
    octets data;
    std::string_view reason;
    std::uint32_t offset;
    std::uint64_t value;
  };
  const row rows[] = {
      {{}, "private data is too short", 0, 0},
      {octets_of({0, 0, 16}, 3), "private data is too short", 0, 3},
      {octets_of({0, 0, 16, 0}, 31), "private data is too short", 0, 31},
      {octets_of({1, 0, 16, 0}, 32), "RECFMT is not 0", 0, 1},
      {octets_of({0, 0x80, 16, 0}, 32), "RECFMT is not 0", 0, 0x8000},
      {octets_of({0, 0, 0, 0, 0xff}, 32), "CRQSIZE is 0", 2, 0},
  };
  for (const row& r : rows) {
    CAPTURE(r.data.size());
    CAPTURE(r.value);
    rdma_pair p;
    raw_controller c(p, 16, raw_controller::accept(r.data));
    CHECK_FALSE(c.connect());
    const connect_error& e = p.outcome->error();
    CHECK(e.stage == connect_stage::exchange);
    CHECK(e.code == errc::protocol_violation);
    CHECK(e.detail == "RDMA_CM_ACCEPT: " + std::string(r.reason));
    CHECK(e.violation.structure == "rdma-cm-accept");
    CHECK(e.violation.offset == r.offset);
    CHECK(e.violation.value == r.value);
    check_nothing_left(p, c);
  }
}

TEST_CASE("rdma: each way to be rejected, in words") {
  struct row {
    octets data;
    std::string_view words;
  };
  const row rows[] = {
      {octets_of({0, 0, 1, 0}, 4), "Invalid Private Data Length (status 1)"},
      {octets_of({0, 0, 2, 0}, 4), "Invalid RECFMT (status 2)"},
      {octets_of({0, 0, 3, 0}, 4), "Invalid QID (status 3)"},
      {octets_of({0, 0, 4, 0}, 148), "Invalid HSQSIZE (status 4)"},
      {octets_of({0, 0, 5, 0}, 148), "Invalid HRQSIZE (status 5)"},
      {octets_of({0, 0, 6, 0}, 148), "No Resources (status 6)"},
      {octets_of({0, 0, 7, 0}, 4), "Invalid IRD (status 7)"},
      {octets_of({0, 0, 8, 0}, 4), "Invalid ORD (status 8)"},
      {octets_of({0, 0, 9, 0}, 4), "Invalid Controller ID (status 9)"},
      {octets_of({0, 0, 10, 0}, 4), "Reserved (status 10)"},
      {octets_of({0, 0, 0xff, 0xff}, 4), "Reserved (status 65535)"},
  };
  for (const row& r : rows) {
    CAPTURE(std::string(r.words));
    rdma_pair p;
    raw_controller c(p, 16, raw_controller::reject(r.data));
    CHECK_FALSE(c.connect());
    const connect_error& e = p.outcome->error();
    CHECK(e.stage == connect_stage::exchange);
    CHECK(e.code == errc::refused);
    CHECK(e.detail == "fake:here:0 rejects the queue: " + std::string(r.words));
    CHECK(e.violation.structure.empty());
    check_nothing_left(p, c);
  }
}

TEST_CASE("rdma: a listener that refuses without a status of NVMe/RDMA is not nobody") {
  struct row {
    const char* name;
    raw_controller::decision decides;
    std::uint64_t value, limit;
  };
  const row rows[] = {
      {"nothing at all", raw_controller::reject({}), 0, 4},
      {"lets go of the request", [](raw_controller& c) { c.wire.reset(); }, 0, 4},
      {"half a status", raw_controller::reject(octets_of({0, 0, 5}, 3)), 3, 4},
      {"RECFMT 1", raw_controller::reject(octets_of({1, 0, 5, 0}, 4)), 1, 0},
  };
  for (const row& r : rows) {
    CAPTURE(std::string(r.name));
    rdma_pair p;
    raw_controller c(p, 16, r.decides);
    CHECK_FALSE(c.connect());
    const connect_error& e = p.outcome->error();
    CHECK(e.stage == connect_stage::exchange);
    CHECK(e.code == errc::refused);
    CHECK(e.detail == "fake:here:0 rejects the queue and does not say why");
    CHECK(e.violation.structure == "rdma-cm-reject");
    CHECK(e.violation.value == r.value);
    CHECK(e.violation.limit == r.limit);
    check_nothing_left(p, c);
  }
}

TEST_CASE("rdma: a controller that is gone, or silent, before there is a queue") {
  struct row {
    const char* name;
    raw_controller::decision decides;
    std::error_code code;
    connect_stage stage;
  };
  const row rows[] = {
      {"does not listen any more", [](raw_controller& c) { c.leave(); },
       make_error_code(errc::refused), connect_stage::exchange},
      {"says nothing", [](raw_controller&) {}, make_error_code(errc::timed_out),
       connect_stage::connect},
  };
  for (const row& r : rows) {
    CAPTURE(std::string(r.name));
    rdma_pair p;
    raw_controller c(p, 16, r.decides);
    CHECK_FALSE(c.connect());
    CHECK(p.outcome->error().code == r.code);
    CHECK(p.outcome->error().stage == r.stage);
    CHECK_FALSE(p.outcome->error().detail.empty());
    check_nothing_left(p, c);
  }
}
