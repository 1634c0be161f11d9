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
