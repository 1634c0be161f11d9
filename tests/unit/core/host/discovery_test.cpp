// SPDX-License-Identifier: BSD-2-Clause
#include <doctest/doctest.h>

#include "support/host_fixture.hpp"

using namespace nvmf;
using namespace nvmf::test;
using namespace std::chrono_literals;

namespace {

// A discovery log of `entries` records of 1024 bytes, each marked with its number.
std::vector<std::byte> log_page(std::uint64_t generation, std::uint64_t entries,
                                std::uint16_t format = 0) {
  std::vector<std::byte> log(1024 * (entries + 1));
  put(log, 0, 8, generation);
  put(log, 8, 8, entries);
  put(log, 16, 2, format);
  for (std::uint64_t i = 1; i <= entries; ++i) put(log, i * 1024 + 8, 2, i);
  return log;
}

struct discovery_fixture : host_fixture {
  std::optional<std::expected<discovery_log, host_failure>> got;

  discovery_fixture() {
    options.subsystem_nqn = "nqn.2014-08.org.nvmexpress.discovery";
    put(controller->identify, 111, 1, 2);  // CNTRLTYPE: discovery
    REQUIRE(bring_up());
  }
  void read() {
    read_discovery_log(*host, [this](auto r) { got = std::move(r); });
    on.run_until([&] { return got.has_value(); });
    REQUIRE(got.has_value());
  }
};

}  // namespace

TEST_CASE("a discovery controller gets no I/O queues and is asked for no namespaces") {
  discovery_fixture t;
  CHECK(t.controller->names() == std::vector<std::string>{"connect 0", "get 0x00", "get 0x08",
                                                          "get 0x14", "set 0x14", "get 0x1c",
                                                          "identify 1"});
  CHECK(t.host->io_queues() == 0);
}

TEST_CASE("an empty discovery log") {
  discovery_fixture t;
  t.controller->logs[0x70] = log_page(7, 0);
  t.read();
  REQUIRE(t.got->has_value());
  CHECK((*t.got)->generation == 7);
  CHECK((*t.got)->entries.empty());
  CHECK(t.controller->count("log 0x70") == 2);
}

TEST_CASE("a long discovery log is read in pieces, and its event is cleared last") {
  discovery_fixture t;
  t.controller->logs[0x70] = log_page(7, 100);
  t.read();
  REQUIRE(t.got->has_value());
  REQUIRE((*t.got)->entries.size() == 100);
  for (std::size_t i = 0; i < 100; ++i) CHECK(peek((*t.got)->entries[i], 8, 2) == i + 1);
  std::vector<std::pair<std::uint64_t, std::uint32_t>> pieces;
  std::vector<bool> retained;
  for (const auto& c : t.controller->seen)
    if (c.opcode() == 2) {
      pieces.emplace_back(c.dword(12), (c.dword(10) >> 16) * 4 + 4);
      retained.push_back((c.dword(10) & 0x8000) != 0);
    }
  CHECK(pieces == decltype(pieces){{0, 1024}, {1024, 65536}, {66560, 36864}, {0, 1024}});
  CHECK(retained == std::vector<bool>{true, true, true, false});
}

TEST_CASE("a discovery log that changes while it is read is read again") {
  discovery_fixture t;
  t.controller->logs[0x70] = log_page(1, 3);
  int reads = 0;
  t.controller->script = [&](const fake_command& c) {
    if (c.opcode() == 2 && ++reads == 3) t.controller->logs[0x70] = log_page(2, 5);
    return false;
  };
  t.read();
  REQUIRE(t.got->has_value());
  CHECK((*t.got)->generation == 2);
  CHECK((*t.got)->entries.size() == 5);
  CHECK(reads == 6);
}

TEST_CASE("a discovery log that never holds still is given up after eight reads") {
  discovery_fixture t;
  std::uint64_t generation = 1;
  t.controller->script = [&](const fake_command& c) {
    if (c.opcode() == 2) t.controller->logs[0x70] = log_page(generation++, 1);
    return false;
  };
  t.read();
  REQUIRE_FALSE(t.got->has_value());
  CHECK(t.got->error().code == errc::limit_exceeded);
  CHECK(t.controller->count("log 0x70") == 24);
}

TEST_CASE("Discover Restart starts the reading again") {
  discovery_fixture t;
  t.controller->logs[0x70] = log_page(1, 1);
  int reads = 0;
  t.controller->script = [&](const fake_command& c) {
    if (c.opcode() != 2 || ++reads != 2) return false;
    c.on->answer(c.cid, {.status = 0x190});
    return true;
  };
  t.read();
  REQUIRE(t.got->has_value());
  CHECK(reads == 5);
}

TEST_CASE("what a discovery log cannot be is refused before memory is taken for it") {
  discovery_fixture t;
  SUBCASE("too many entries") {
    t.controller->logs[0x70] = log_page(1, 0);
    put(t.controller->logs[0x70], 8, 8, 16385);
    t.read();
    CHECK(t.got->error().code == errc::limit_exceeded);
  }
  SUBCASE("absurdly many entries") {
    t.controller->logs[0x70] = log_page(1, 0);
    put(t.controller->logs[0x70], 8, 8, ~std::uint64_t{0});
    t.read();
    CHECK(t.got->error().code == errc::limit_exceeded);
  }
  SUBCASE("another record format") {
    t.controller->logs[0x70] = log_page(1, 0, 1);
    t.read();
    CHECK(t.got->error().code == errc::protocol_violation);
  }
  SUBCASE("an error status") {
    t.read();
    CHECK_FALSE(t.got->error().code);
    CHECK(t.got->error().status.raw_code() == 0x109);
    CHECK(t.got->error().status.dnr);
  }
  CHECK(t.controller->count("log 0x70") == 1);
}

TEST_CASE("reading a discovery log ends with its association") {
  discovery_fixture t;
  t.controller->script = [&](const fake_command& c) { return c.opcode() == 2; };
  SUBCASE("closed by the peer") {
    read_discovery_log(*t.host, [&](auto r) { t.got = std::move(r); });
    t.on.run();
    t.controller->queue(0)->fail({.code = errc::reset, .violation = {}});
    REQUIRE(t.got.has_value());
    CHECK(t.got->error().code == errc::reset);
  }
  SUBCASE("destroyed") {
    read_discovery_log(*t.host, [&](auto r) { t.got = std::move(r); });
    t.on.run();
    t.host.reset();
    REQUIRE(t.got.has_value());
    CHECK(t.got->error().code == errc::aborted);
  }
}
