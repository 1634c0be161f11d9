// SPDX-License-Identifier: BSD-2-Clause
// Every step of the bring-up fails in every way: the failure names the stage, the command and the
// cause, the callbacks run once, and nothing is left behind.
#include <doctest/doctest.h>

#include "support/host_fixture.hpp"

using namespace nvmf;
using namespace nvmf::test;
using namespace std::chrono_literals;

namespace {

struct step_case {
  std::string command;  // as fake_command::name
  host_stage stage;
  std::uint8_t opcode;
  std::uint8_t fctype;
  bool tolerates_status = false;  // an error status is only remarked upon
};

const std::vector<step_case> steps{
    {"connect 0", host_stage::fabrics_connect, 0x7f, 1},
    {"get 0x00", host_stage::properties, 0x7f, 4},
    {"get 0x08", host_stage::properties, 0x7f, 4},
    {"get 0x68", host_stage::properties, 0x7f, 4, true},
    {"get 0x14", host_stage::enable, 0x7f, 4},
    {"set 0x14", host_stage::enable, 0x7f, 0},
    {"get 0x1c", host_stage::enable, 0x7f, 4},
    {"identify 1", host_stage::identify, 0x06, 0},
    {"identify 2", host_stage::namespaces, 0x06, 0},
    {"identify 0", host_stage::namespaces, 0x06, 0, true},
    {"features 7", host_stage::io_queues, 0x09, 0},
    {"connect 1", host_stage::io_queues, 0x7f, 1},
    {"connect 2", host_stage::io_queues, 0x7f, 1},
    {"features 11", host_stage::ready, 0x09, 0, true},
};

struct failing_fixture : host_fixture {
  failing_fixture() {
    options.io_queues = 2;
    options.async_events = 1;
    options.keep_alive = 30s;
    controller->cap |= std::uint64_t{1} << 59;  // CRMS: CRTO counts
    controller->crto = 20;
  }
  // Lets `how` deal with the first command of that name.
  void spoil(const std::string& name, std::function<void(const fake_command&)> how) {
    controller->script = [this, name, how = std::move(how)](const fake_command& c) {
      if (c.name() != name) return false;
      controller->script = nullptr;
      how(c);
      return true;
    };
  }
  void check_failed(const step_case& s) {
    CAPTURE(s.command);
    REQUIRE(ups == 1);
    REQUIRE_FALSE(up->has_value());
    CHECK(failure().stage == s.stage);
    CHECK(failure().opcode == s.opcode);
    CHECK(failure().fctype == s.fctype);
    CHECK(failure().sent_sqe.size() == 64);
    CHECK_FALSE(failure().detail.empty());
    if (s.command.starts_with("connect")) CHECK(failure().sent_data.size() == 1024);
    REQUIRE_FALSE(stages.empty());
    CHECK(stages.back().failed);
    CHECK(stages.back().stage == s.stage);
    CHECK_FALSE(host->up());
    CHECK(lost.empty());
    for (const auto& q : controller->queues_made) CHECK((q.expired() || q.lock()->closed()));
    CHECK(on.timers() == 0);
    // Afterwards every command is refused, once, later.
    int ended = 0;
    host->submit(0, sqe_bytes{}, {}, direction::none, 0ms, [&](const command_result& r) {
      ++ended;
      CHECK(r.error == errc::aborted);
    });
    CHECK(ended == 0);
    on.run();
    CHECK(ended == 1);
    host.reset();
    on.advance(1h);
    CHECK(ups == 1);
    CHECK(lost.empty());
  }
};

}  // namespace

TEST_CASE("an error status in each step") {
  for (const step_case& s : steps) {
    CAPTURE(s.command);
    failing_fixture t;
    t.spoil(s.command, [](const fake_command& c) {
      c.on->answer(c.cid, {.status = 0x006, .dnr = true, .result = 0x00010004});
    });
    const bool came_up = t.bring_up();
    CHECK(came_up == s.tolerates_status);
    if (came_up) {
      const stage_report* report = t.stage(s.stage);
      REQUIRE(report != nullptr);
      if (s.command != "get 0x68")
        CHECK(report->verdict.find("Internal Error") != std::string::npos);
      continue;
    }
    CHECK_FALSE(t.failure().code);
    CHECK(t.failure().status.raw_code() == 0x006);
    CHECK(t.failure().status.dnr);
    CHECK(t.failure().cqe_dw0 == 0x00010004);
    CHECK(t.failure().detail.find("Internal Error") != std::string::npos);
    t.check_failed(s);
  }
}

TEST_CASE("the connection is lost in each step") {
  struct way {
    std::error_code code, expected;
  };
  const way ways[] = {{errc::reset, errc::reset},
                      {{}, errc::closed},
                      {errc::terminated, errc::terminated},
                      {errc::protocol_violation, errc::protocol_violation}};
  for (const step_case& s : steps)
    for (const way& w : ways) {
      CAPTURE(s.command);
      failing_fixture t;
      t.spoil(s.command, [&](const fake_command& c) {
        c.on->fail({.code = w.code,
                    .violation = {.structure = "c2h-data", .offset = 8, .fes = 1, .reason = {}}});
      });
      CHECK_FALSE(t.bring_up());
      CHECK(t.failure().code == w.expected);
      CHECK(t.failure().violation.has_value() ==
            (w.code == errc::terminated || w.code == errc::protocol_violation));
      t.check_failed(s);
    }
}

TEST_CASE("silence in each step is bounded by the timeout") {
  for (const step_case& s : steps) {
    CAPTURE(s.command);
    failing_fixture t;
    t.options.timeout = 3s;
    time_point asked{};
    t.spoil(s.command, [&](const fake_command&) { asked = t.on.now(); });
    t.start();
    t.on.run_until([&] { return t.up.has_value(); });
    REQUIRE(t.up.has_value());
    CHECK(t.on.now() - asked == 3s);
    CHECK(t.failure().code == errc::timed_out);
    CHECK(t.failure().detail.find("within 3000 ms") != std::string::npos);
    t.check_failed(s);
  }
}

TEST_CASE("a response that nobody asked for in each step") {
  for (const step_case& s : steps)
    for (const std::uint16_t cid : {std::uint16_t{9}, std::uint16_t{31}, std::uint16_t{0xffff}}) {
      CAPTURE(s.command);
      failing_fixture t;
      t.spoil(s.command, [&](const fake_command& c) { c.on->respond(cid, {}); });
      CHECK_FALSE(t.bring_up());
      CHECK(t.failure().code == errc::protocol_violation);
      REQUIRE(t.failure().violation.has_value());
      CHECK(t.failure().violation->structure == "cqe");
      CHECK(t.failure().violation->offset == 12);
      CHECK(t.failure().violation->value == cid);
      t.check_failed(s);
    }
}

TEST_CASE("data that is wrong or missing in each step that has some") {
  for (const step_case& s : steps) {
    if (s.opcode != 0x06) continue;
    for (const bool digest : {true, false}) {
      CAPTURE(s.command);
      failing_fixture t;
      t.spoil(s.command, [&](const fake_command& c) {
        c.on->answer(
            c.cid, {.data = std::vector<std::byte>(digest ? 4096 : 4092),
                    .data_error = digest ? make_error_code(errc::data_digest) : std::error_code{}});
      });
      CHECK_FALSE(t.bring_up());
      CHECK(t.failure().code == (digest ? errc::data_digest : errc::data_incomplete));
      t.check_failed(s);
    }
  }
}

TEST_CASE("the user lets go in each step") {
  for (const step_case& s : steps) {
    CAPTURE(s.command);
    failing_fixture t;
    t.spoil(s.command, [&](const fake_command&) {});
    t.start();
    t.on.run();
    REQUIRE(t.ups == 0);
    t.host.reset();
    CHECK(t.ups == 1);
    CHECK(t.failure().code == errc::aborted);
    CHECK(t.failure().stage == s.stage);
    t.on.advance(1h);
    CHECK(t.ups == 1);
    CHECK(t.on.timers() == 0);
  }
}

TEST_CASE("the user stops it in each step") {
  for (const step_case& s : steps) {
    CAPTURE(s.command);
    failing_fixture t;
    t.spoil(s.command, [&](const fake_command&) {});
    t.start();
    t.on.run();
    int stopped = 0;
    t.host->shutdown([&](std::error_code e) {
      ++stopped;
      CHECK_FALSE(e);
    });
    CHECK(stopped == 0);
    CHECK(t.ups == 0);
    t.on.run();
    CHECK(stopped == 1);
    CHECK(t.ups == 1);
    CHECK(t.failure().code == errc::aborted);
    for (const auto& q : t.controller->queues_made) CHECK((q.expired() || q.lock()->closed()));
  }
}

TEST_CASE("the user lets go from within the report of each stage") {
  failing_fixture counted;
  REQUIRE(counted.bring_up());
  for (std::size_t n = 0; n < counted.stages.size(); ++n) {
    CAPTURE(n);
    failing_fixture t;
    t.when_stage = [&](const stage_report&) {
      if (t.stages.size() == n + 1) t.host.reset();
    };
    t.start();
    t.on.advance(1h);
    CHECK(t.ups == 1);
    CHECK(t.failure().code == errc::aborted);
    CHECK(t.on.timers() == 0);
  }
}

TEST_CASE("the transport connection fails, for the admin queue and for an I/O queue") {
  const struct {
    connect_stage stage;
    std::error_code code;
    host_stage admin;
  } ways[] = {
      {connect_stage::resolve, make_error_code(std::errc::host_unreachable), host_stage::resolve},
      {connect_stage::connect, make_error_code(std::errc::connection_refused), host_stage::connect},
      {connect_stage::exchange, errc::protocol_violation, host_stage::exchange},
      {connect_stage::exchange, errc::timed_out, host_stage::exchange},
  };
  for (const auto& w : ways)
    for (const std::uint16_t qid : {std::uint16_t{0}, std::uint16_t{2}}) {
      failing_fixture t;
      t.controller->refuse_connection = [&](std::uint16_t asked) -> std::optional<connect_error> {
        if (asked != qid) return std::nullopt;
        return connect_error{
            .stage = w.stage,
            .code = w.code,
            .violation = {.structure = "icresp", .offset = 8, .reason = {}, .value = 1},
            .detail = "no such luck"};
      };
      CHECK_FALSE(t.bring_up());
      CHECK(t.ups == 1);
      CHECK(t.failure().stage == (qid == 0 ? w.admin : host_stage::io_queues));
      CHECK(t.failure().code == w.code);
      CHECK(t.failure().violation.has_value() == (w.code == errc::protocol_violation));
      CHECK(t.failure().detail == (qid == 0 ? "no such luck" : "I/O queue 2: no such luck"));
      CHECK(t.stages.back().failed);
      CHECK(t.stages.back().stage == t.failure().stage);
    }
}

TEST_CASE("a transport that nobody knows, and options that no one can send") {
  host_fixture t;
  const auto fails = [&](std::string_view part) {
    CHECK_FALSE(t.bring_up());
    CHECK(t.ups == 1);
    CHECK(t.failure().detail.find(part) != std::string::npos);
    CHECK(t.controller->seen.empty());
    return t.failure().code;
  };
  SUBCASE("transport") {
    t.options.transport = "smoke";
    CHECK(fails("smoke") == errc::no_transport);
  }
  SUBCASE("subsystem NQN too long") {
    t.options.subsystem_nqn = std::string(224, 'x');
    CHECK(fails("224 bytes") == errc::invalid_argument);
  }
  SUBCASE("host NQN empty") {
    t.options.host_nqn.clear();
    CHECK(fails("host NQN has 0") == errc::invalid_argument);
  }
  SUBCASE("admin queue too small") {
    t.options.admin_queue_size = 1;
    CHECK(fails("not 1") == errc::invalid_argument);
  }
  SUBCASE("I/O queue too large") {
    t.options.io_queue_size = 65537;
    CHECK(fails("not 65537") == errc::invalid_argument);
  }
  SUBCASE("KATO beyond 32 bits") {
    t.options.keep_alive = std::chrono::milliseconds(4'294'967'296);
    CHECK(fails("KATO") == errc::invalid_argument);
  }
  SUBCASE("alignment") {
    t.options.transport_settings.alignment = 6;
    CHECK(fails("alignment") == errc::invalid_argument);
  }
}

TEST_CASE("a connection that never comes about is given up with the association") {
  host_fixture t;
  t.controller->silent_connection = true;
  t.start();
  t.on.run();
  CHECK(t.ups == 0);
  t.host.reset();
  CHECK(t.ups == 1);
  CHECK(t.failure().code == errc::aborted);
  t.on.run();
}
