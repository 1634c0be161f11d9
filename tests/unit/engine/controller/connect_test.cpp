// SPDX-License-Identifier: BSD-2-Clause
// Connect (Base 2.0, 6.3): each way to be wrong, with its status, IATTR and IPO. DW0 of the
// response: IPO in bits 15:0, IATTR in bit 16 (1: the data).
#include "engine/controller/connect.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "support/raw_bytes.hpp"

using namespace nvmf;
using namespace nvmf::engine;
using namespace nvmf::test;

namespace {

constexpr std::string_view sub = "nqn.2026-11.io.example:one";
constexpr std::string_view host = "nqn.2026-11.io.example:host";

struct verdict {
  unsigned status = 0;  // SCT and SC
  std::uint32_t dw0 = 0;
  bool dnr = false;
};
verdict of(const refusal& r) { return {r.status.raw_code(), r.dw0, r.status.dnr}; }

verdict try_connect(const raw_sqe& s, const std::vector<std::byte>& data,
                    const connect_rules& rules = {.io_queue_entries_max = 128,
                                                  .kato_max_ms = 600'000}) {
  if (const auto ok = expect_connect(s); !ok) return of(ok.error());
  const auto length = static_cast<std::uint32_t>(peek(s, 32, 4));
  if (const auto ok = check_connect_sqe(s, length); !ok) return of(ok.error());
  const auto r = read_connect(s, data);
  if (!r) return of(r.error());
  if (const auto ok = check_against(*r, rules); !ok) return of(ok.error());
  return {};
}

const std::vector<std::byte> good = connect_bytes(0xffff, sub, host);
constexpr std::uint32_t in_sqe = 0, in_data = 0x10000;

}  // namespace

TEST_CASE("a good Connect is understood") {
  const auto r = read_connect(connect_sqe(7, 0, 31, 5000, 0x04), good);
  REQUIRE(r.has_value());
  CHECK(r->qid == 0);
  CHECK(r->queue_size == 32);
  CHECK(r->kato_ms == 5000);
  CHECK_FALSE(r->sq_flow_control);
  CHECK(r->cntlid == 0xffff);
  CHECK(r->subsystem_nqn == sub);
  CHECK(r->host_nqn == host);
  CHECK(r->host[0] == std::byte{0x11});
  CHECK(try_connect(connect_sqe(7, 0, 31), good).status == 0);
}

TEST_CASE("anything before Connect is out of sequence") {
  CHECK(try_connect(sqe(0x06, 1), good).status == 0x00c);
  CHECK(try_connect(sqe(0x01, 1), good).status == 0x00c);
  CHECK(try_connect(property_get_sqe(1, 0x14), good).status == 0x00c);
  CHECK(try_connect(sqe(0x06, 1), good).dnr);
}

TEST_CASE("faults of the SQE") {
  struct row {
    const char* name;
    raw_sqe s;
    unsigned status;
    std::uint32_t dw0;
  };
  const row rows[] = {
      {"data too short", with(connect_sqe(1, 0, 31), 32, 4, 1023), 0x00f, 0},
      {"record format 1", with(connect_sqe(1, 0, 31), 40, 2, 1), 0x180, 0},
      {"SQSIZE 0, admin", connect_sqe(1, 0, 0), 0x182, in_sqe | 44},
      {"SQSIZE 0, I/O", connect_sqe(1, 1, 0), 0x182, in_sqe | 44},
      {"admin queue of 4097", connect_sqe(1, 0, 4096), 0x182, in_sqe | 44},
      {"I/O queue above MQES", connect_sqe(1, 1, 128), 0x182, in_sqe | 44},
      {"KATO above the limit", connect_sqe(1, 0, 31, 600'001), 0x01a, 0},
  };
  for (const row& r : rows) {
    CAPTURE(r.name);
    auto data = good;
    if (peek(r.s, 42, 2) != 0) put(data, 16, 2, 5);
    const verdict v = try_connect(r.s, data);
    CHECK(v.status == r.status);
    CHECK(v.dw0 == r.dw0);
    CHECK(v.dnr);
  }
  CHECK(try_connect(connect_sqe(1, 0, 4095), good).status == 0);
  auto io = good;
  put(io, 16, 2, 5);
  CHECK(try_connect(connect_sqe(1, 1, 127), io).status == 0);
  // More data than needed is no fault, and KATO is reserved on an I/O queue.
  CHECK(try_connect(with(connect_sqe(1, 0, 31), 32, 4, 4096), good).status == 0);
  CHECK(try_connect(connect_sqe(1, 1, 127, 0xffff'ffff), io).status == 0);
}

TEST_CASE("faults of the data name its offset, the lowest first") {
  const auto changed = [](auto change) {
    auto d = good;
    change(std::span<std::byte>{d});
    return try_connect(connect_sqe(1, 0, 31), d);
  };
  const auto zero = [](std::span<std::byte> d, std::size_t from, std::size_t n) {
    std::ranges::fill(d.subspan(from, n), std::byte{0});
  };
  struct row {
    const char* name;
    verdict got;
    std::uint32_t offset;
  };
  const row rows[] = {
      {"host ID zero", changed([&](auto d) { zero(d, 0, 16); }), 0},
      {"CNTLID 1 in the dynamic model", changed([](auto d) { put(d, 16, 2, 1); }), 16},
      {"subsystem NQN empty", changed([&](auto d) { zero(d, 256, 256); }), 256},
      {"host NQN empty", changed([&](auto d) { zero(d, 512, 256); }), 512},
      {"host NQN without terminator", changed([](auto d) {
         std::ranges::fill(d.subspan(512, 256), std::byte{'n'});
         put_text(d, 512, "nqn.");
       }),
       512},
      {"host NQN of 224 bytes", changed([](auto d) {
         std::ranges::fill(d.subspan(512, 224), std::byte{'n'});
         put_text(d, 512, "nqn.");
       }),
       512},
      {"host NQN of nothing but its beginning", changed([&](auto d) {
         zero(d, 516, 20);
         zero(d, 536, 40);
       }),
       512},
      {"host NQN that is none", changed([](auto d) { put_text(d, 512, "iqn."); }), 512},
      {"host ID and host NQN: the ID", changed([&](auto d) {
         zero(d, 0, 16);
         zero(d, 512, 256);
       }),
       0},
  };
  for (const row& r : rows) {
    CAPTURE(r.name);
    CHECK(r.got.status == 0x182);
    CHECK(r.got.dw0 == (in_data | r.offset));
  }
  const auto longest = changed([](auto d) {
    std::ranges::fill(d.subspan(512, 223), std::byte{'n'});
    put_text(d, 512, "nqn.");
  });
  CHECK(longest.status == 0);
}

TEST_CASE("the static model takes the controllers that exist") {
  const connect_rules rules{
      .static_model = true, .static_controllers = 3, .io_queue_entries_max = 9};
  const auto ask = [&](int cntlid) {
    auto d = good;
    put(d, 16, 2, static_cast<unsigned>(cntlid));
    return try_connect(connect_sqe(1, 0, 31), d, rules);
  };
  CHECK(ask(0xfffe).status == 0);
  CHECK(ask(1).status == 0);
  CHECK(ask(3).status == 0);
  for (const int bad : {0, 4, 0xffef, 0xfff0, 0xffff}) {
    CHECK(ask(bad).status == 0x182);
    CHECK(ask(bad).dw0 == (in_data | 16));
  }
}

TEST_CASE("a discovery controller has no I/O queues; an I/O queue names a controller") {
  auto d = good;
  put(d, 16, 2, 1);
  const verdict v = try_connect(connect_sqe(1, 1, 31), d, {.discovery = true});
  CHECK(v.status == 0x182);
  CHECK(v.dw0 == (in_sqe | 42));
  for (const unsigned bad : {0u, 0xfff0u, 0xfffeu, 0xffffu}) {
    put(d, 16, 2, bad);
    CHECK(try_connect(connect_sqe(1, 1, 31), d).status == 0x182);
    CHECK(try_connect(connect_sqe(1, 1, 31), d).dw0 == (in_data | 16));
  }
}
