// SPDX-License-Identifier: BSD-2-Clause
#include <doctest/doctest.h>

#include "support/host_fixture.hpp"

using namespace nvmf;
using namespace nvmf::test;
using namespace std::chrono_literals;

namespace {

struct keep_alive_fixture : host_fixture {
  std::vector<std::chrono::milliseconds> sent;  // since it came up
  std::vector<fake_command> held;
  bool answers = true;
  time_point began{};

  explicit keep_alive_fixture(std::chrono::milliseconds kato) { options.keep_alive = kato; }
  void run_up() {
    REQUIRE(bring_up());
    began = on.now();
    controller->script = [this](const fake_command& c) {
      if (c.name() != "keep-alive") return false;
      sent.push_back(std::chrono::duration_cast<std::chrono::milliseconds>(on.now() - began));
      held.push_back(c);
      return !answers;
    };
  }
  void io(std::uint16_t qid = 1) {
    sqe_bytes s{};
    s[0] = std::byte{0x02};
    host->submit(qid, s, {}, direction::none, 0ms, [](const command_result&) {});
  }
};

}  // namespace

TEST_CASE("an idle host sends Keep Alive every half KATO") {
  keep_alive_fixture t(4s);
  t.run_up();
  t.on.advance(10s);
  CHECK(t.sent == decltype(t.sent){2s, 4s, 6s, 8s, 10s});
  t.on.advance(1h);
  CHECK(t.host->up());
}

TEST_CASE("no KATO, no Keep Alive") {
  keep_alive_fixture t(0ms);
  t.run_up();
  t.on.advance(1h);
  CHECK(t.sent.empty());
  CHECK(t.on.timers() == 0);
}

TEST_CASE("without TBKAS traffic does not replace Keep Alive") {
  keep_alive_fixture t(4s);
  t.run_up();
  for (int i = 0; i < 100; ++i) {
    t.io();
    t.on.advance(100ms);
  }
  CHECK(t.sent == decltype(t.sent){2s, 4s, 6s, 8s, 10s});
}

TEST_CASE("with TBKAS the controller hears something at least every half KATO") {
  keep_alive_fixture t(4s);
  put(t.controller->identify, 96, 4, 0x40);  // CTRATT.TBKAS
  t.run_up();
  SUBCASE("idle") {
    t.on.advance(10s);
    REQUIRE(t.sent.size() >= 4);
    for (std::size_t i = 1; i < t.sent.size(); ++i) CHECK(t.sent[i] - t.sent[i - 1] <= 2s);
  }
  SUBCASE("busy") {
    for (int i = 0; i < 100; ++i) {
      t.io();
      t.on.advance(100ms);
    }
    CHECK(t.sent.empty());
    t.on.advance(2s);
    REQUIRE(t.sent.size() == 1);
    CHECK(t.sent[0] <= 12s);
  }
  SUBCASE("commands that are never answered are no traffic") {
    t.controller->script = [&](const fake_command& c) {
      if (c.name() == "keep-alive") t.sent.push_back(1ms);
      return c.qid != 0;
    };
    for (int i = 0; i < 40; ++i) {
      t.io();
      t.on.advance(100ms);
    }
    CHECK(t.sent.size() >= 1);
  }
}

TEST_CASE("a Keep Alive that is not answered is the end within one and a half KATO") {
  for (const bool tbkas : {false, true}) {
    CAPTURE(tbkas);
    keep_alive_fixture t(4s);
    if (tbkas) put(t.controller->identify, 96, 4, 0x40);
    t.answers = false;
    t.run_up();
    t.on.run_until([&] { return !t.lost.empty(); });
    REQUIRE(t.lost.size() == 1);
    CHECK(t.sent.size() == 1);
    CHECK(t.lost[0].code == errc::timed_out);
    CHECK(t.lost[0].opcode == 0x18);
    CHECK(t.lost[0].detail.find("4000 ms") != std::string::npos);
    const auto took = t.on.now() - t.began;
    CHECK(took >= 4s);
    CHECK(took <= 6s);
    CHECK(t.on.timers() == 0);
  }
}

TEST_CASE("an answer that is slow but in time keeps the association") {
  keep_alive_fixture t(4s);
  t.answers = false;
  t.run_up();
  for (int i = 0; i < 20; ++i) {
    REQUIRE(t.on.run_until([&] { return !t.held.empty(); }));
    t.on.advance(3999ms);
    REQUIRE(t.host->up());
    const fake_command c = t.held.back();
    t.held.clear();
    c.on->answer(c.cid, {});
  }
  CHECK(t.host->up());
}

TEST_CASE("KATO is counted as the controller counts it: rounded up to KAS") {
  keep_alive_fixture t(1500ms);
  t.answers = false;
  t.run_up();  // KAS: 1 s
  t.on.run_until([&] { return !t.lost.empty(); });
  REQUIRE(t.lost.size() == 1);
  CHECK(t.sent == decltype(t.sent){750ms});
  CHECK(t.on.now() - t.began == 750ms + 2s);
}

TEST_CASE("a controller that does not know Keep Alive is not asked again") {
  keep_alive_fixture t(4s);
  t.run_up();
  t.controller->script = [&](const fake_command& c) {
    if (c.name() != "keep-alive") return false;
    t.sent.push_back(1ms);
    c.on->answer(c.cid, {.status = 0x001, .dnr = true});
    return true;
  };
  t.on.advance(1h);
  CHECK(t.sent.size() == 1);
  CHECK(t.host->up());
}

TEST_CASE("Keep Alive begins when the controller is enabled, not after the I/O queues") {
  keep_alive_fixture t(2s);
  t.options.timeout = 60s;
  bool stuck = false;
  t.controller->script = [&](const fake_command& c) {
    if (c.name() == "keep-alive") t.sent.push_back(1ms);
    if (c.name() == "connect 1") stuck = true;
    return c.name() == "connect 1";
  };
  t.start();
  t.on.advance(10s);
  CHECK(stuck);
  CHECK(t.sent.size() == 10);
}

TEST_CASE("a Keep Alive that is lost during the bring-up ends the bring-up") {
  keep_alive_fixture t(2s);
  t.options.timeout = 60s;
  t.controller->script = [&](const fake_command& c) {
    return c.name() == "keep-alive" || c.name() == "connect 1";
  };
  t.start();
  t.on.run_until([&] { return t.up.has_value(); });
  REQUIRE(t.ups == 1);
  CHECK(t.failure().code == errc::timed_out);
  CHECK(t.failure().stage == host_stage::io_queues);
  CHECK(t.failure().opcode == 0x18);
}
