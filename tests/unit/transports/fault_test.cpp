// SPDX-License-Identifier: BSD-2-Clause
// Fault plans at work, over loop in virtual time: what the other end sees of each action, and that
// the end with the plan comes through it whole.
#include <nvmf/fault.hpp>

#include "rig.hpp"
#include "wire/layouts/pdu.hpp"

using namespace nvmf;
using namespace nvmf::test;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t size = 20'000;

struct recorder final : observer {
  std::vector<std::string> faults;
  void on_event(const event& e) noexcept override {
    if (e.type == event_type::fault) faults.emplace_back(e.text);
  }
};

// A rig over loop with a plan; its own profile, since rig keeps a reference.
struct planned {
  planned(std::string_view plan, role side, loop_options options = {}, rig_options ro = {})
      : p(loop_profile("loop", std::move(options), false)) {
    auto made = faults::make(plan, {.side = side});
    REQUIRE_MESSAGE(made.has_value(), (made ? "" : to_text(made.error())));
    work = *made;
    p.watched_by = &seen;
    p.make = [make = p.make, w = work] { return with_faults(make(), w); };
    r = std::make_unique<rig>(p, ro);
  }
  // A read of `size` bytes that the controller serves wholly; what became of it.
  void serve_read() {
    capsule c = r->send(op_read, memory.mem(), size, data);
    capsule there = r->command();
    const auto answer = r->give(there, 0, content);
    if (answer.result == send_result::success) r->respond(there.cid());
    r->spin();
  }

  recorder seen;
  profile p;
  std::shared_ptr<faults> work;
  guarded memory{size};
  std::vector<std::byte> content = pattern(size);
  watch data;
  std::unique_ptr<rig> r;
};

}  // namespace

TEST_CASE("fault plan: every third command is answered with a status and not done") {
  planned x("when every 3: status lba-out-of-range dnr", role::controller);
  for (int n = 1; n <= 6; ++n) {
    CAPTURE(n);
    capsule c = x.r->send(op_none);
    x.r->spin();
    if (n % 3 != 0) {
      x.r->respond(x.r->command().cid());
      CHECK(status_of(x.r->response()) == 0);
      continue;
    }
    CHECK(x.r->controller.got.empty());
    CHECK(status_of(x.r->response()) == 0x080);
  }
  CHECK(x.seen.faults == std::vector<std::string>(2, "when every 3: status lba-out-of-range dnr"));
  const auto rows = x.work->report();
  REQUIRE(rows.size() == 1);
  CHECK(rows[0].fired == 2);
  CHECK(rows[0].never_fired.empty());
}

TEST_CASE("fault plan: a controller's delay lets others pass") {
  planned x("when cmd == read: delay 5s", role::controller);
  guarded place(100);
  watch data;
  capsule slow = x.r->send(op_read, place.mem(), 100, data);
  capsule quick = x.r->send(op_none);
  x.r->spin();
  REQUIRE(x.r->controller.got.size() == 1);
  CHECK(x.r->command().cid() == quick.cid());
  REQUIRE(x.r->until([&] { return !x.r->controller.got.empty(); }));
  CHECK(x.r->command().cid() == slow.cid());
}

TEST_CASE("fault plan: a delayed command dies with its connection") {
  planned x("delay 5s", role::controller);
  capsule c = x.r->send(op_none);
  x.r->spin();
  SUBCASE("that the host closed") { x.r->host.queue.close(); }
  SUBCASE("that its owner closed") { x.r->controller.queue.close(); }
  x.r->spin();
  CHECK(x.r->controller.got.empty());
}

TEST_CASE("fault plan: a host's delay, and what its owner may do meanwhile") {
  planned x("delay 5s", role::host);
  capsule c = x.r->send(op_read, x.memory.mem(), size, x.data);
  x.r->spin();
  CHECK(x.r->controller.got.empty());
  SUBCASE("wait") {
    REQUIRE(x.r->until([&] { return !x.r->controller.got.empty(); }));
    CHECK(x.r->command().cid() == c.cid());
  }
  SUBCASE("transmit again") { CHECK(x.r->host.queue.transmit(c) == errc::busy); }
  SUBCASE("let go") {
    c.reset();
    x.r->spin();
    CHECK(x.data.ended(0, errc::aborted));
    x.memory.seal();
  }
  SUBCASE("withdraw") {
    CHECK_FALSE(x.r->host.queue.withdraw_data(c, errc::timed_out));
    x.r->spin();
    CHECK(x.data.ended(0, errc::timed_out));
    x.memory.seal();
    REQUIRE(x.r->until([&] { return !x.r->controller.got.empty(); }));
  }
  SUBCASE("close") {
    x.r->host.queue.close();
    CHECK(x.data.ended(0, errc::aborted));
  }
  SUBCASE("lose the connection") {
    x.r->controller.queue.close(false);
    REQUIRE(x.r->until([&] { return !x.r->host.errors.empty(); }));
    x.r->host.queue.close();
    CHECK(x.data.ended(0, errc::aborted));
  }
}

TEST_CASE("fault plan: drop, with a response capsule and with a SUCCESS flag") {
  for (const bool flow_control : {true, false}) {
    CAPTURE(flow_control);
    planned x("when cmd == read && count 1: drop", role::controller, {},
              {.sq_flow_control = flow_control});
    x.serve_read();
    CHECK(x.data.ended(size, {}));
    CHECK(x.r->host.got.empty());
    // The CID was used up at the host, not at the controller: the next is served.
    watch again;
    capsule c = x.r->send(op_read, x.memory.mem(), size, again);
    capsule there = x.r->command();
    if (x.r->give(there, 0, x.content).result == send_result::success) x.r->respond(there.cid());
    CHECK(x.r->response().cid() == c.cid());
  }
}

TEST_CASE("fault plan: a response that comes twice") {
  for (const bool flow_control : {true, false}) {
    CAPTURE(flow_control);
    planned x("when cmd == read: duplicate", role::controller, {},
              {.sq_flow_control = flow_control});
    x.serve_read();
    CHECK(x.r->response().cid() == 0);
    REQUIRE(x.r->until([&] { return !x.r->host.errors.empty(); }));
    CHECK(x.r->host.errors[0].code == errc::protocol_violation);
  }
}

TEST_CASE("fault plan: a response with another CID") {
  planned x("when cmd == read: wrong-cid 9", role::controller);
  x.serve_read();
  REQUIRE(x.r->until([&] { return !x.r->host.errors.empty(); }));
  CHECK(x.r->host.errors[0].violation.value == 9);
}

TEST_CASE("fault plan: data that falls short") {
  for (const bool flow_control : {true, false}) {
    for (const std::uint32_t chunk : {0u, 1000u, 700u}) {
      CAPTURE(flow_control);
      CAPTURE(chunk);
      planned x("short-data 1500", role::controller, {.data_chunk = chunk},
                {.sq_flow_control = flow_control});
      x.serve_read();
      CHECK(x.data.ended(size - 1500, {}));
      CHECK(x.memory.holds(std::span{x.content}.first(size - 1500)));
      CHECK(x.r->response().cid() == 0);
      CHECK(x.r->host.errors.empty());
    }
  }
}

TEST_CASE("fault plan: SUCCESS before the data went") {
  planned x("early-success", role::controller, {}, {.sq_flow_control = false});
  x.serve_read();
  CHECK(x.r->response().cid() == 0);
  CHECK(x.data.ended(size / 2, {}));
}

TEST_CASE("fault plan: a digest that does not match fails the command, not the connection") {
  planned x("when cmd == read && count 1: flip-digest data", role::controller);
  x.serve_read();
  CHECK(x.data.ended(0, errc::data_digest));
  CHECK(x.r->host.errors.empty());
}

TEST_CASE("fault plan: reset and TermReq") {
  for (const auto& [plan, seen] :
       {std::pair{"when count 1: reset", errc::reset}, {"termreq 3", errc::terminated}}) {
    CAPTURE(plan);
    planned x(plan, role::controller);
    capsule c = x.r->send(op_read, x.memory.mem(), size, x.data);
    REQUIRE(
        x.r->until([&] { return !x.r->host.errors.empty() && !x.r->controller.errors.empty(); }));
    CHECK(x.r->host.errors[0].code == seen);
    CHECK(x.data.ended(0, seen));
    CHECK(x.r->controller.got.empty());
  }
}

TEST_CASE("fault plan: silence, for a time") {
  planned x("when count 1: silence 5s", role::controller);
  capsule lost = x.r->send(op_none);
  x.r->respond(x.r->command().cid());
  x.r->spin();
  CHECK(x.r->host.got.empty());
  // Time moves to the end of the silence, the next thing that is due.
  x.r->until([] { return false; });
  capsule c = x.r->send(op_none);
  x.r->respond(x.r->command().cid());
  CHECK(x.r->response().cid() == c.cid());
}

TEST_CASE("fault plan: a controller that stops reading, for a time") {
  planned x("when count 1: stop-reading 5s", role::controller);
  capsule first = x.r->send(op_none);
  x.r->spin();
  x.r->command();
  capsule c = x.r->send(op_none);
  x.r->spin();
  CHECK(x.r->controller.got.empty());
  REQUIRE(x.r->until([&] { return !x.r->controller.got.empty(); }));
  CHECK(x.r->command().cid() == c.cid());
}

TEST_CASE("fault plan: a host's command twice, with another CID, or never") {
  SUBCASE("twice") {
    planned x("duplicate", role::host);
    capsule c = x.r->send(op_none);
    x.r->spin();
    CHECK(x.r->command().cid() == x.r->command().cid());
  }
  SUBCASE("another CID") {
    planned x("wrong-cid 30", role::host);
    capsule c = x.r->send(op_none);
    CHECK(x.r->command().cid() == 30);
  }
  SUBCASE("never") {
    planned x("drop", role::host);
    capsule c = x.r->send(op_none);
    x.r->spin();
    CHECK(x.r->controller.got.empty());
  }
}

TEST_CASE("fault plan: conditions see the queue, the connection and the host") {
  planned x("when conn == 1 && queue == 1 && bytes == 20000 && cmd == read: status internal-error",
            role::controller);
  capsule none = x.r->send(op_none);
  x.r->respond(x.r->command().cid());
  CHECK(status_of(x.r->response()) == 0);
  capsule c = x.r->send(op_read, x.memory.mem(), size, x.data);
  x.r->spin();
  CHECK(status_of(x.r->response()) == 0x006);
}

TEST_CASE("fault plan: one that never fired says why") {
  planned x("when cmd == compare: reset\nwhen every 100: drop", role::controller);
  capsule c = x.r->send(op_none);
  x.r->respond(x.r->command().cid());
  const auto rows = x.work->report();
  REQUIRE(rows.size() == 2);
  CHECK(rows[0].never_fired.find("no command matched") != std::string::npos);
  CHECK(rows[1].never_fired.find("every 100") != std::string::npos);
}

TEST_CASE("fault plan: what a role or a transport cannot do is refused") {
  CHECK(faults::make("early-success", {.side = role::host}).error().reason.find("controller") !=
        std::string::npos);
  CHECK_FALSE(faults::make("wrong-length", {.side = role::controller, .pdus = false}));
}

TEST_CASE("fault plan: what it does is an event to break at") {
  planned x("when cmd == read: delay 5s", role::controller);
  qpair& q = x.r->controller.queue;
  std::vector<pause_report> told;
  REQUIRE_FALSE(q.break_when([](const event& e) noexcept { return e.type == event_type::fault; },
                             [&](const pause_report& r) { told.push_back(r); }));
  capsule other = x.r->send(op_none);
  x.r->spin();
  CHECK_FALSE(q.paused());
  guarded place(100);
  watch data;
  capsule slow = x.r->send(op_read, place.mem(), 100, data);
  capsule behind = x.r->send(op_none);
  x.r->spin();
  CHECK(q.paused());
  REQUIRE(told.size() == 1);
  CHECK(told[0].cause == pause_cause::break_point);
  CHECK(told[0].event == event_type::fault);
  CHECK(x.r->controller.got.size() == 1);  // what was sent behind waits
  REQUIRE_FALSE(q.resume());
  x.r->spin();
  CHECK(x.r->controller.got.size() == 2);

  REQUIRE_FALSE(q.break_when({}));
  capsule again = x.r->send(op_read, place.mem(), 0, data);
  x.r->spin();
  CHECK_FALSE(q.paused());
  CHECK(told.size() == 1);
}
