// SPDX-License-Identifier: BSD-2-Clause
// Asynchronous events.
#include <doctest/doctest.h>

#include "support/host_fixture.hpp"

using namespace nvmf;
using namespace nvmf::test;
using namespace std::chrono_literals;

namespace {

// Namespace Attribute Changed: notice (2h), information 0, log page 04h.
constexpr std::uint32_t namespace_changed = 0x0004'0002;

struct event_fixture : host_fixture {
  explicit event_fixture(std::uint32_t requests = 1) { options.async_events = requests; }
  void run_up() {
    REQUIRE(bring_up());
    on.run();
  }
  void changed(std::initializer_list<std::uint32_t> nsids) {
    std::vector<std::byte> page(4096);
    std::size_t at = 0;
    for (const std::uint32_t n : nsids) put(page, 4 * at++, 4, n);
    controller->logs[4] = std::move(page);
  }
  std::vector<std::uint32_t> found() const {
    std::vector<std::uint32_t> out;
    for (const auto& n : host->namespaces()) out.push_back(n.nsid);
    return out;
  }
};

}  // namespace

TEST_CASE("as many requests are out as asked, as AERL allows, and as leave a place") {
  const struct {
    std::uint32_t asked;
    std::uint8_t aerl;
    std::uint32_t admin_entries;
    std::size_t posted;
  } cases[] = {{0, 3, 32, 0}, {1, 3, 32, 1}, {9, 3, 32, 4},
               {4, 0, 32, 1}, {4, 3, 2, 0},  {4, 3, 4, 2}};
  for (const auto& c : cases) {
    event_fixture t(c.asked);
    t.options.admin_queue_size = c.admin_entries;
    put(t.controller->identify, 259, 1, c.aerl);
    t.run_up();
    CHECK(t.controller->waiting_events.size() == c.posted);
    t.on.advance(1h);  // they have no timeout
    CHECK(t.controller->waiting_events.size() == c.posted);
    CHECK(t.host->up());
  }
}

TEST_CASE("an event is told with its log page, read so that it is cleared, and asked for again") {
  event_fixture t;
  t.controller->logs[2] = std::vector<std::byte>(512, std::byte{7});
  t.run_up();
  REQUIRE(t.controller->event(0x0002'0101));  // SMART, LID 02h
  t.on.run();
  REQUIRE(t.events.size() == 1);
  CHECK(t.events[0].dw0 == 0x0002'0101);
  CHECK(t.events[0].log == std::vector<std::byte>(512, std::byte{7}));
  CHECK(t.controller->waiting_events.size() == 1);
  for (const auto& c : t.controller->seen)
    if (c.name() == "log 0x02") {
      CHECK((c.dword(10) & 0x8000) == 0);  // RAE
      CHECK((c.dword(10) >> 16) == 127);   // NUMDL
    }
}

TEST_CASE("a log page that cannot be read does not cost the request") {
  event_fixture t;
  t.options.timeout = 2s;
  t.run_up();
  SUBCASE("refused") {
    REQUIRE(t.controller->event(0x0001'0000));
    t.on.run();
  }
  SUBCASE("no answer") {
    t.controller->script = [](const fake_command& c) { return c.name() == "log 0x01"; };
    REQUIRE(t.controller->event(0x0001'0000));
    t.on.advance(2s);
  }
  REQUIRE(t.events.size() == 1);
  CHECK(t.events[0].log.empty());
  CHECK(t.controller->waiting_events.size() == 1);
  CHECK(t.host->up());
}

TEST_CASE("an event without a log page") {
  event_fixture t;
  t.run_up();
  REQUIRE(t.controller->event(0x0000'0006));
  t.on.run();
  CHECK(t.events.size() == 1);
  CHECK(t.controller->waiting_events.size() == 1);
}

TEST_CASE("namespaces come, grow and go with their event") {
  event_fixture t;
  t.run_up();
  t.controller->add_namespace(3, 30);
  t.changed({3});
  REQUIRE(t.controller->event(namespace_changed));
  t.on.run();
  CHECK(t.found() == std::vector<std::uint32_t>{1, 3});

  t.controller->add_namespace(1, 5000);
  t.controller->namespaces.erase(3);
  t.controller->add_namespace(2, 20);
  t.changed({1, 2, 3, 2000});  // 2000 is beyond NN
  REQUIRE(t.controller->event(namespace_changed));
  t.on.run();
  CHECK(t.found() == std::vector<std::uint32_t>{1, 2});
  CHECK(t.host->namespaces()[0].blocks == 5000);
  CHECK(t.events.size() == 2);
  CHECK(t.controller->waiting_events.size() == 1);
}

TEST_CASE("a changed list that overflowed, or cannot be read, means all") {
  for (const bool overflow : {true, false}) {
    event_fixture t;
    t.run_up();
    t.controller->namespaces.clear();
    t.controller->add_namespace(8, 1);
    t.controller->add_namespace(9, 1);
    if (overflow) t.changed({0xffff'ffff});
    REQUIRE(t.controller->event(namespace_changed));
    t.on.run();
    CHECK(t.found() == std::vector<std::uint32_t>{8, 9});
  }
}

TEST_CASE("a storm of events is worked off one by one") {
  event_fixture t(4);
  t.controller->logs[2] = std::vector<std::byte>(512);
  t.run_up();
  for (int round = 0; round < 200; ++round) {
    while (t.controller->event(0x0002'0001)) {
    }
    t.on.run();
    REQUIRE(t.controller->waiting_events.size() == 4);
  }
  CHECK(t.events.size() == 800);
  CHECK(t.host->up());
}

TEST_CASE("a request that is refused is not repeated") {
  event_fixture t;
  int asked = 0;
  t.controller->script = [&](const fake_command& c) {
    if (c.name() != "aer") return false;
    ++asked;
    c.on->answer(c.cid, {.status = 0x105, .dnr = true});
    return true;
  };
  t.run_up();
  t.on.advance(1h);
  CHECK(asked == 1);
  CHECK(t.host->up());
  CHECK(t.events.empty());
}

TEST_CASE("a discovery controller is asked for events only when it says that it sends some") {
  for (const bool sends : {true, false}) {
    event_fixture t(1);
    put(t.controller->identify, 111, 1, 2);
    put(t.controller->identify, 92, 4, sends ? 0x8000'0000 : 0);
    t.run_up();
    CHECK(t.controller->waiting_events.size() == (sends ? 1 : 0));
    CHECK(t.controller->count("features 11") == (sends ? 1 : 0));
  }
}

TEST_CASE("the association may be let go or shut down while an event is at work") {
  event_fixture t;
  t.run_up();
  t.controller->script = [](const fake_command& c) { return c.name() == "log 0x02"; };
  REQUIRE(t.controller->event(0x0002'0001));
  t.on.run();
  SUBCASE("let go") { t.host.reset(); }
  SUBCASE("shut down") {
    bool over = false;
    t.host->shutdown([&](std::error_code) { over = true; });
    t.on.advance(1s);
    CHECK(over);
  }
  SUBCASE("lost") {
    t.controller->queue(0)->fail({.code = errc::reset, .violation = {}});
    CHECK(t.lost.size() == 1);
  }
  CHECK(t.events.empty());
  CHECK(t.on.timers() == 0);
}
