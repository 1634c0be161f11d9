// SPDX-License-Identifier: BSD-2-Clause
// A host that breaks the rules, its bytes made by hand: what the controller says of it, and that
// nothing is left over.
#include <algorithm>

#include "raw_host.hpp"

using namespace nvmf;
using namespace nvmf::test;

namespace {

// One command of this raw host; the controller's verdict.
qpair_error verdict(std::size_t size,
                    const std::function<void(std::span<std::byte>)>& change = {}) {
  rdma_pair p({}, {}, 16);
  raw_host h(p, 16);
  REQUIRE(h.connect(cm_request_bytes(0, 1, 16, 15)));
  h.send(size, change);
  CHECK(h.disconnected);
  REQUIRE(p.controller_errors.size() == 1);
  h.memory.reset();
  h.wire.reset();
  p.end();
  CHECK(p.fetches == p.fetches_ended);
  CHECK(p.provider->qpairs() == 0);
  CHECK(p.fabric->regions == 0);
  return p.controller_errors[0];
}

}  // namespace

TEST_CASE("rdma: each refusal of a queue, by its number on the wire") {
  struct refusal {
    std::vector<std::byte> data;
    int status;
    std::uint8_t reads_in = 16;
    std::uint32_t work = 8192;
  };
  const refusal all[] = {
      {cm_request_bytes(0, 1, 16, 15, 31), 1}, {cm_request_bytes(1, 1, 16, 15), 2},
      {cm_request_bytes(0, 9, 16, 15), 3},     {cm_request_bytes(0, 1, 16, 0), 4},
      {cm_request_bytes(0, 1, 2000, 1024), 4}, {cm_request_bytes(0, 0, 200, 128), 4},
      {cm_request_bytes(0, 1, 0, 15), 5},      {cm_request_bytes(0, 1, 64, 63), 6, 16, 40},
      {cm_request_bytes(0, 1, 16, 15), 7, 0},
  };
  for (const refusal& r : all) {
    CAPTURE(r.status);
    fake_fabric with;
    with.limits.max_work_requests = r.work;
    rdma_pair p(with, {.qid_max = 8});
    raw_host h(p, 1);
    CHECK_FALSE(h.connect(r.data, r.reads_in));
    REQUIRE(h.answer.size() == 4);
    CHECK(h.answer[0] == std::byte{0});
    CHECK(h.answer[1] == std::byte{0});
    CHECK(h.answer[2] == static_cast<std::byte>(r.status));
    CHECK(h.answer[3] == std::byte{0});
    CHECK_FALSE(p.controller);
    CHECK(p.provider->qpairs() == 0);
  }
}

TEST_CASE("rdma: what the controller answers to a queue that it takes") {
  rdma_pair p;
  raw_host h(p, 16);
  REQUIRE(h.connect(cm_request_bytes(0, 1, 16, 15)));
  REQUIRE(h.answer.size() == 32);
  CHECK(h.answer[2] == std::byte{16});  // CRQSIZE: as many as HSQSIZE says, which is 0's based
  CHECK(std::ranges::count(h.answer, std::byte{0}) == 31);
}

TEST_CASE("rdma: capsules too short and too long") {
  for (const std::size_t size : {1u, 63u}) {
    const qpair_error e = verdict(size);
    CHECK(e.code == errc::protocol_violation);
    CHECK(e.violation.structure == "capsule-cmd");
    CHECK(e.violation.value == size);
  }
  const qpair_error e = verdict(64 + 4096 + 1);
  CHECK(e.code == errc::protocol_violation);
  CHECK(e.violation.structure == "capsule-cmd");
}

TEST_CASE("rdma: a key that is none, and a range beyond what it stands for") {
  const auto key = [](std::span<std::byte> sqe, std::uint64_t address, std::uint32_t value) {
    for (std::size_t i = 0; i < 8; ++i)
      sqe[24 + i] = static_cast<std::byte>((address >> (8 * i)) & 0xff);
    sqe[33] = std::byte{0x10};  // length 4096
    for (std::size_t i = 0; i < 4; ++i)
      sqe[35 + i] = static_cast<std::byte>((value >> (8 * i)) & 0xff);
  };
  const qpair_error wrong =
      verdict(64, [&](std::span<std::byte> sqe) { key(sqe, 0x1000, 0xdeadbeef); });
  CHECK(wrong.code == errc::protocol_violation);
  CHECK(wrong.violation.structure == "keyed-sgl");
  CHECK(wrong.violation.offset == 11);

  rdma_pair p;
  raw_host h(p, 16);
  REQUIRE(h.connect(cm_request_bytes(0, 1, 16, 15)));
  const auto base = reinterpret_cast<std::uintptr_t>(h.memory->bytes().data());
  // The last 4096 bytes are there,
  h.send(64, [&](auto sqe) { key(sqe, base + 65536 - 4096, h.memory->remote_key()); });
  CHECK(p.controller_errors.empty());
  CHECK(p.fetches_ended == 1);
  // those from one byte further on are not.
  h.send(64, [&](auto sqe) { key(sqe, base + 65536 - 4095, h.memory->remote_key()); });
  REQUIRE(p.controller_errors.size() == 1);
  CHECK(p.controller_errors[0].violation.structure == "keyed-sgl");
  CHECK(p.fetches_ended == 2);
}

TEST_CASE("rdma: never more responses on their way than HRQSIZE, whatever the host sends") {
  rdma_pair p;
  raw_host h(p, 2);
  REQUIRE(h.connect(cm_request_bytes(0, 1, 2, 15)));
  for (int i = 0; i < 2; ++i)
    h.send(64, [&](auto sqe) {
      sqe[0] = std::byte{0};
      sqe[2] = static_cast<std::byte>(i);
    });
  CHECK(p.fabric->most_sends[1] <= 2);
  CHECK(p.controller_errors.empty());
  // A third response finds no receive, and in the end the connection goes.
  h.send(64, [](auto sqe) { sqe[0] = std::byte{0}; });
  REQUIRE(p.controller_errors.size() == 1);
  CHECK(p.controller_errors[0].code == errc::timed_out);
  CHECK(p.controller_errors[0].violation.reason == "receiver not ready: retries exceeded");
}
