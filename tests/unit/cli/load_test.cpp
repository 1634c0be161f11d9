// SPDX-License-Identifier: BSD-2-Clause
// A benchmark against a controller that stops answering: it ends, in time.
#include "load.hpp"

#include <doctest/doctest.h>

#include "support/host_fixture.hpp"

using namespace nvmf;
using namespace nvmf::test;
using namespace std::chrono_literals;

TEST_CASE("a load whose commands are not answered ends with their timeout") {
  host_fixture t;
  t.options.timeout = 4s;
  REQUIRE(t.bring_up());
  t.controller->script = [](const fake_command& c) { return c.qid == 1; };
  cli::load work(*t.host, t.on, {.blocks = 1000, .depth = 3, .measured = 1s});
  bool done = false;
  work.start([&] { done = true; });
  t.on.advance(4s - 1ms);
  CHECK_FALSE(done);
  t.on.advance(1ms);
  CHECK(done);
  t.host.reset();
}
