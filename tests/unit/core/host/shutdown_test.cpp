// SPDX-License-Identifier: BSD-2-Clause
#include <doctest/doctest.h>

#include "support/host_fixture.hpp"

using namespace nvmf;
using namespace nvmf::test;
using namespace std::chrono_literals;

namespace {

struct shutdown_fixture : host_fixture {
  std::vector<std::error_code> over;
  void shut_down() {
    host->shutdown([this](std::error_code e) { over.push_back(e); });
  }
  bool all_closed() const {
    return std::ranges::all_of(controller->queues_made, [](const auto& q) { return q.expired(); });
  }
};

}  // namespace

TEST_CASE("a shutdown tells the controller, waits for it, and closes every queue cleanly") {
  shutdown_fixture t;
  t.options.io_queues = 2;
  t.options.keep_alive = 5s;
  t.options.async_events = 2;
  t.controller->polls_until_shut_down = 3;
  REQUIRE(t.bring_up());
  std::vector<std::shared_ptr<fake_qpair>> queues;
  for (std::size_t i = 0; i < 3; ++i) queues.push_back(t.controller->queue(i));
  t.controller->seen.clear();
  t.shut_down();
  CHECK(t.over.empty());
  CHECK_FALSE(t.host->up());
  t.on.run_until([&] { return !t.over.empty(); });
  REQUIRE(t.over.size() == 1);
  CHECK_FALSE(t.over[0]);
  CHECK(t.controller->names() ==
        std::vector<std::string>{"set 0x14", "get 0x1c", "get 0x1c", "get 0x1c", "get 0x1c"});
  CHECK(peek(t.controller->seen[0].sqe, 48, 4) == 0x0046'4001);  // CC as before, SHN 01b
  for (const auto& q : queues) {
    CHECK(q->closed());
    CHECK(q->closed_clean);
  }
  CHECK(t.stages.back().stage == host_stage::shutdown);
  CHECK_FALSE(t.stages.back().failed);
  CHECK(value(t.stages.back().sent, "CC") == "00464001h");
  CHECK(t.lost.empty());
  CHECK(t.on.timers() == 0);
}

TEST_CASE("a shutdown is bounded by the timeout") {
  for (const bool silent : {true, false}) {
    CAPTURE(silent);
    shutdown_fixture t;
    t.options.timeout = 4s;
    t.controller->polls_until_shut_down = 1'000'000;
    REQUIRE(t.bring_up());
    if (silent) t.controller->script = [](const fake_command&) { return true; };
    const time_point began = t.on.now();
    t.shut_down();
    t.on.run_until([&] { return !t.over.empty(); });
    REQUIRE(t.over.size() == 1);
    CHECK(t.over[0] == errc::timed_out);
    CHECK(t.on.now() - began == 4s);
    CHECK(t.all_closed());
    CHECK(t.lost.empty());
    CHECK(t.stages.back().failed);
    CHECK(t.on.timers() == 0);
  }
}

TEST_CASE("what goes wrong during a shutdown is its result, and not a loss") {
  shutdown_fixture t;
  REQUIRE(t.bring_up());
  SUBCASE("refused") {
    t.controller->script = [](const fake_command& c) {
      c.on->answer(c.cid, {.status = 0x002});
      return true;
    };
    t.shut_down();
    t.on.advance(1h);
    REQUIRE(t.over.size() == 1);
    CHECK(t.over[0] == errc::refused);
  }
  SUBCASE("CFS") {
    t.controller->polls_until_shut_down = 10;
    t.controller->csts = 2;
    t.shut_down();
    t.on.advance(1h);
    REQUIRE(t.over.size() == 1);
    CHECK(t.over[0] == errc::controller_fatal);
  }
  SUBCASE("the connection ends first") {
    t.controller->script = [](const fake_command& c) {
      c.on->fail({.code = errc::reset, .violation = {}});
      return true;
    };
    t.shut_down();
    t.on.advance(1h);
    REQUIRE(t.over.size() == 1);
    CHECK(t.over[0] == errc::reset);
  }
  CHECK(t.lost.empty());
  CHECK(t.all_closed());
}

TEST_CASE("commands in flight end with the shutdown, and new ones are refused") {
  shutdown_fixture t;
  REQUIRE(t.bring_up());
  t.controller->script = [](const fake_command& c) { return c.qid == 1; };
  std::vector<std::error_code> ended;
  sqe_bytes s{};
  s[0] = std::byte{0x02};
  const auto submit = [&] {
    t.host->submit(1, s, {}, direction::none, 0ms, [&](const command_result& r) {
      CHECK(t.over.empty());
      ended.push_back(r.error);
    });
  };
  submit();
  t.on.run();
  t.shut_down();
  submit();
  t.on.advance(1s);
  REQUIRE(ended.size() == 2);
  CHECK(ended[0] == errc::aborted);
  CHECK(ended[1] == errc::aborted);
  CHECK(t.over.size() == 1);
  t.host.reset();
}

TEST_CASE("several shutdowns are one, each is told") {
  shutdown_fixture t;
  REQUIRE(t.bring_up());
  t.shut_down();
  t.shut_down();
  t.on.advance(1s);
  CHECK(t.over.size() == 2);
  CHECK(t.controller->count("set 0x14") == 2);  // one to enable, one to shut down
  t.shut_down();
  CHECK(t.over.size() == 2);
  t.on.run();
  REQUIRE(t.over.size() == 3);
  CHECK(t.over[2] == errc::closed);
}

TEST_CASE("letting go during a shutdown ends it") {
  shutdown_fixture t;
  t.controller->polls_until_shut_down = 100;
  REQUIRE(t.bring_up());
  t.shut_down();
  t.on.advance(50ms);
  t.host.reset();
  REQUIRE(t.over.size() == 1);
  CHECK(t.over[0] == errc::aborted);
  CHECK(t.on.timers() == 0);
}

TEST_CASE("letting go from the end of the shutdown") {
  shutdown_fixture t;
  REQUIRE(t.bring_up());
  int over = 0;
  t.host->shutdown([&](std::error_code) {
    ++over;
    t.host.reset();
  });
  t.on.advance(1s);
  CHECK(over == 1);
}

TEST_CASE("a bring-up that stopped early is shut down as far as it came") {
  using depth = association_options::depth;
  for (const depth d : {depth::transport, depth::connected, depth::enabled, depth::identified}) {
    shutdown_fixture t;
    t.options.until = d;
    REQUIRE(t.bring_up());
    CHECK(t.host->io_queues() == 0);
    const std::size_t seen = t.controller->seen.size();
    const std::size_t expected[] = {0, 1, 6, 7};
    CHECK(seen == expected[static_cast<std::size_t>(d)]);
    t.shut_down();
    t.on.advance(1s);
    REQUIRE(t.over.size() == 1);
    CHECK_FALSE(t.over[0]);
    CHECK(t.controller->seen.size() == seen + (d >= depth::enabled ? 2 : 0));
    CHECK(t.all_closed());
  }
}

TEST_CASE("with a bring-up that stopped early the admin queue still takes commands") {
  shutdown_fixture t;
  t.options.until = association_options::depth::connected;
  REQUIRE(t.bring_up());
  std::optional<command_result> got;
  sqe_bytes s{};
  s[0] = std::byte{0x7f};
  s[4] = std::byte{0x04};
  put(s, 44, 4, 0x08);
  t.host->submit(0, s, {}, direction::none, 0ms, [&](const command_result& r) { got = r; });
  t.on.run();
  REQUIRE(got.has_value());
  CHECK(peek(got->cqe, 0, 4) == 0x0001'0400);
}

TEST_CASE("a shutdown of what is down is told once, and not after who asked has let go") {
  for (const bool let_go : {false, true}) {
    CAPTURE(let_go);
    shutdown_fixture t;
    REQUIRE(t.bring_up());
    t.shut_down();
    t.on.run_until([&] { return !t.over.empty(); });
    REQUIRE(t.over.size() == 1);
    t.shut_down();
    CHECK(t.over.size() == 1);  // not within the call
    if (let_go)
      t.host.reset();
    else
      t.on.run();
    REQUIRE(t.over.size() == 2);
    CHECK(t.over[1] == errc::closed);
    t.on.advance(1min);
    CHECK(t.over.size() == 2);
  }
}

TEST_CASE("a shutdown may be asked for again from its callback") {
  shutdown_fixture t;
  REQUIRE(t.bring_up());
  int asked = 0;
  std::function<void(std::error_code)> again = [&](std::error_code e) {
    t.over.push_back(e);
    if (++asked < 3) t.host->shutdown(again);
    if (asked == 3)
      t.host->shutdown([&](std::error_code last) {
        t.over.push_back(last);
        t.host.reset();
      });
  };
  t.host->shutdown(again);
  t.on.run_until([&] { return t.host == nullptr; });
  CHECK(t.over == std::vector<std::error_code>{{}, errc::closed, errc::closed, errc::closed});
}
