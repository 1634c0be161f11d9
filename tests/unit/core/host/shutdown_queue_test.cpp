// SPDX-License-Identifier: BSD-2-Clause
#include <doctest/doctest.h>

#include "support/host_fixture.hpp"

using namespace nvmf;
using namespace nvmf::test;
using namespace std::chrono_literals;

TEST_CASE("a controller may let its I/O queues go while it shuts down; not its admin queue") {
  for (const bool admin : {false, true}) {
    CAPTURE(admin);
    host_fixture t;
    t.options.io_queues = 2;
    t.controller->polls_until_shut_down = 3;
    REQUIRE(t.bring_up());
    std::vector<std::error_code> over;
    t.host->shutdown([&](std::error_code e) { over.push_back(e); });
    t.controller->queue(admin ? 0 : 1)->fail({.code = {}, .violation = {}});
    t.on.run_until([&] { return !over.empty(); });
    REQUIRE(over.size() == 1);
    CHECK(static_cast<bool>(over[0]) == admin);
    CHECK(t.stages.back().failed == admin);
    CHECK(t.lost.empty());
  }
}

TEST_CASE("an Abort that is answered when the queue of its command has ended names nothing") {
  host_fixture t;
  t.controller->polls_until_shut_down = 3;
  REQUIRE(t.bring_up());
  std::vector<fake_command> aborts;
  t.controller->script = [&](const fake_command& c) {
    if (c.qid == 0 && c.opcode() == 0x08) aborts.push_back(c);
    return c.qid == 1 || (c.qid == 0 && c.opcode() == 0x08);
  };
  sqe_bytes s{};
  std::vector<std::error_code> ended;
  t.host->submit(1, s, {}, direction::none, 100ms,
                 [&](const command_result& r) { ended.push_back(r.error); });
  t.on.advance(100ms);
  CHECK(ended == std::vector<std::error_code>{errc::timed_out});
  REQUIRE(aborts.size() == 1);
  std::vector<std::error_code> over;
  t.host->shutdown([&](std::error_code e) { over.push_back(e); });
  t.controller->queue(1)->fail({.code = {}, .violation = {}});
  aborts[0].on->answer(aborts[0].cid, {});
  t.on.run_until([&] { return !over.empty(); });
  REQUIRE(over.size() == 1);
  CHECK_FALSE(over[0]);
  CHECK(ended.size() == 1);
  CHECK(t.lost.empty());
}
