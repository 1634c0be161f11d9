// SPDX-License-Identifier: BSD-2-Clause
// How a connection becomes a queue, or does not.
#include <doctest/doctest.h>

#include "support/target_fixture.hpp"

using namespace nvmf;
using namespace nvmf::test;
using namespace std::chrono_literals;

namespace {
constexpr std::uint32_t in_data = 0x10000;

bool told(const target_fixture& f, std::string_view text) {
  for (const auto& n : f.notices)
    if (n.find(text) != std::string::npos) return true;
  return false;
}
}  // namespace

TEST_CASE("only Connect is taken first, and nothing beside it") {
  target_fixture f;
  const auto w = f.net->arrive();
  f.run();
  f.submit(w, sqe(0x06, 1, 0, 4096));
  CHECK(w->status(1) == 0x00c);
  f.submit(w, property_get_sqe(2, 0x14));
  CHECK(w->status(2) == 0x00c);
  f.submit(w, block_sqe(0x01, 3, 1, 0, 1, 512));
  CHECK(w->status(3) == 0x00c);
  // Connect whose data has to be fetched, and a command that does not wait for its answer.
  w->hold_fetches = true;
  w->host_data[4] = connect_bytes(0xffff, sub_nqn, host_a);
  f.submit(w, connect_sqe(4, 0, 31));
  REQUIRE(w->fetches.size() == 1);
  f.submit(w, sqe(0x06, 5, 0, 4096));
  CHECK(w->status(5) == 0x00c);
  f.submit(w, connect_sqe(6, 0, 31));
  CHECK(w->status(6) == 0x00c);
  f.first.post([w] { fake_queue::serve(*w); });
  f.run();
  CHECK(w->status(4) == 0);
  f.submit(w, connect_sqe(7, 0, 31));
  CHECK(w->status(7) == 0x00c);  // a second Connect
}

TEST_CASE("Connect is refused by what the subsystem says") {
  subsystem_options o;
  o.allowed_hosts = {std::string(host_a)};
  target_fixture f({}, o);
  REQUIRE(f.t->listen({.transport = "tcp", .at = {"192.0.2.2", 8009}, .discovery_only = true}));
  struct row {
    const char* name;
    std::shared_ptr<fake_wire> w;
    unsigned status;
    std::uint32_t dw0;
  };
  const row rows[] = {
      {"unknown subsystem", f.connect(0, 31, 0xffff, host_a, "nqn.2026-11.io.example:none"), 0x182,
       in_data | 256},
      {"case differs", f.connect(0, 31, 0xffff, host_a, "nqn.2026-11.io.example:ONE"), 0x182,
       in_data | 256},
      {"host not allowed", f.connect(0, 31, 0xffff, host_b), 0x184, 0},
      {"discovery-only listener", f.connect(0, 31, 0xffff, host_a, sub_nqn, 0, 0, 1), 0x182,
       in_data | 256},
      {"no such controller", f.connect(1, 31, 5, host_a), 0x182, in_data | 16},
      {"static CNTLID", f.connect(0, 31, 0xfffe, host_a), 0x182, in_data | 16},
      {"I/O queue of discovery", f.connect(1, 31, 1, host_a, discovery_nqn), 0x182, 42},
      {"KATO too long", f.connect(0, 31, 0xffff, host_a, sub_nqn, 600'001), 0x01a, 0},
  };
  for (const row& r : rows) {
    CAPTURE(r.name);
    CHECK(r.w->status(1) == r.status);
    CHECK(r.w->dw0(1) == r.dw0);
    CHECK_FALSE(r.w->closed);  // the host may try again until its time is over
  }
  CHECK(told(f, "Connect of nqn.2026-11.io.example:host-b refused: Connect Invalid Host"));
  CHECK(f.t->controllers().empty());
  f.submit(rows[2].w, with(connect_sqe(9, 0, 31), 39, 1, 0x01),
           connect_bytes(0xffff, sub_nqn, host_a));
  CHECK(rows[2].w->status(9) == 0);
}

TEST_CASE("Connect data that does not arrive whole, or is too short") {
  target_fixture f;
  const auto w = f.net->arrive();
  f.run();
  w->fetch_error = make_error_code(errc::data_digest);
  f.submit(w, connect_sqe(1, 0, 31));
  CHECK(w->status(1) == 0x022);
  f.submit(w, with(connect_sqe(2, 0, 31), 32, 4, 1000));
  CHECK(w->status(2) == 0x00f);
  w->fetch_error = {};
  w->host_data[3] = connect_bytes(0xffff, sub_nqn, host_a);
  f.submit(w, connect_sqe(3, 0, 31));
  CHECK(w->status(3) == 0);
}

TEST_CASE("a connection without Connect ends in time; one with it does not") {
  target_fixture f({.connect_timeout = 3s});
  const auto silent = f.net->arrive();
  f.run();
  const auto refused = f.connect(0, 31, 0x1234);
  const auto good = f.connect(0, 31, 0xffff);
  f.time.advance(2999ms);
  CHECK_FALSE(silent->closed);
  f.time.advance(1ms);
  CHECK(silent->closed);
  CHECK(refused->closed);
  CHECK(told(f, "no Connect in time"));
  f.submit(good, property_set_sqe(4, 0x14, cc_enabled));  // in its own time
  CHECK(good->status(4) == 0);
  f.time.advance(std::chrono::hours(100));
  CHECK_FALSE(good->closed);
  CHECK(f.first.timers() + f.second.timers() == 0);
}

TEST_CASE("no more connections than the limit, and room again when one goes") {
  target_fixture f({.connections = 2});
  const auto a = f.connect(0, 31, 0xffff);
  const auto b = f.connect(0, 31, 0xffff);
  const auto c = f.connect(0, 31, 0xffff);
  CHECK(c->closed);
  CHECK(c->responses.empty());
  CHECK(told(f, "2 connections are the limit"));
  f.break_down(a, {});
  const auto d = f.connect(0, 31, 0xffff);
  CHECK(d->status(1) == 0);
  CHECK(b->status(1) == 0);
}

TEST_CASE("at the limit the longest silent connection goes, and none that is a queue") {
  target_fixture f({.connections = 4});
  const auto a = f.connect(0, 31, 0xffff);
  const auto b = f.connect(0, 31, 0xffff);
  const auto silent = f.net->arrive();
  const auto later = f.net->arrive();
  f.run();
  const auto c = f.connect(0, 31, 0xffff);  // on the executor of a and silent
  CHECK(c->status(1) == 0);
  CHECK(silent->closed);
  CHECK_FALSE(later->closed);
  CHECK(told(f, "closed to make room for another, it has sent no Connect"));
  const auto d = f.connect(0, 31, 0xffff);
  CHECK(d->status(1) == 0);
  CHECK(later->closed);
  const auto e = f.connect(0, 31, 0xffff);
  CHECK(e->closed);
  CHECK(told(f, "4 connections are the limit"));
  for (const auto& alive : {a, b, c, d}) CHECK_FALSE(alive->closed);
}

TEST_CASE("CNTLIDs are unique while alive and come again as late as can be") {
  target_fixture f({.connections = 100'000});
  std::vector<std::shared_ptr<fake_wire>> alive;
  for (std::uint32_t i = 1; i <= 5; ++i) {
    alive.push_back(f.connect(0, 31, 0xffff));
    CHECK(alive.back()->dw0(1) == i);
  }
  f.break_down(alive[2], {});
  const auto next = f.connect(0, 31, 0xffff);
  CHECK(next->dw0(1) == 6);  // not 3
}

TEST_CASE("the static model: its own CNTLID, any, and busy") {
  subsystem_options o;
  o.static_controllers = true;
  o.static_controller_count = 3;
  target_fixture f({}, o);
  const auto two = f.connect(0, 31, 2);
  CHECK(two->dw0(1) == 2);
  CHECK(f.connect(0, 31, 2)->status(1) == 0x181);  // Connect Controller Busy
  const auto any = f.connect(0, 31, 0xfffe);
  CHECK(any->dw0(1) == 1);
  CHECK(f.connect(0, 31, 0xfffe)->dw0(1) == 3);
  const auto busy = f.connect(0, 31, 0xfffe);
  CHECK(busy->status(1) == 0x181);
  CHECK((peek(*busy->response(1), 14, 2) & 0x8000) == 0);  // may be tried again: no DNR
  f.break_down(two, {});
  CHECK(f.connect(0, 31, 2)->dw0(1) == 2);
}

TEST_CASE("I/O queues join from any executor") {
  target_fixture f;
  auto a = f.bring_up(4);
  for (std::uint16_t q = 0; q < 4; ++q) {
    CHECK(a.io[q]->qid == q + 1);
    CHECK(a.io[q]->max_in_capsule == 8192);
  }
  REQUIRE(f.t->controllers().size() == 1);
  CHECK(f.t->controllers()[0].io_queues == 4);
  CHECK(f.t->controllers()[0].host_nqn == host_a);
  CHECK(f.t->controllers()[0].subsystem == sub_nqn);
  CHECK(f.t->controllers()[0].peer == "192.0.2.1:50000");
  CHECK(f.connect(2, 127, a.cntlid)->status(1) == 0x00c);  // in use
  CHECK(f.connect(5, 127, a.cntlid, host_b)->status(1) == 0x182);
  CHECK(f.connect(5, 1024, a.cntlid)->dw0(1) == 44);  // beyond MQES
  const auto big = f.connect(5, 1023, a.cntlid);
  CHECK(big->status(1) == 0);
  CHECK(big->queue_size == 1024);
}

TEST_CASE("an I/O queue that goes while its Connect is decided leaves its QID free") {
  target_fixture f;
  auto a = f.bring_up(0);
  for (int i = 0; i < 4; ++i) {
    // Both executors take turns, so the queue breaks at another moment each time.
    const auto w = f.net->arrive();
    f.run();
    f.post_command(w, with(connect_sqe(1, 1, 31), 39, 1, 0x01),
                   connect_bytes(a.cntlid, sub_nqn, host_a));
    for (int steps = 0; steps < i; ++steps) {
      f.first.step();
      f.second.step();
    }
    f.break_down(w, {});
    CHECK(w->closed);
    CHECK(f.t->controllers()[0].io_queues == 0);
  }
  CHECK(f.connect(1, 31, a.cntlid)->status(1) == 0);
}

TEST_CASE("a controller that goes while an I/O queue joins") {
  for (int i = 0; i < 5; ++i) {
    CAPTURE(i);
    target_fixture f;
    auto a = f.bring_up(0);
    const auto w = f.net->arrive();
    f.run();
    f.post_command(w, with(connect_sqe(1, 1, 31), 39, 1, 0x01),
                   connect_bytes(a.cntlid, sub_nqn, host_a));
    for (int steps = 0; steps < i; ++steps) {
      f.first.step();
      f.second.step();
    }
    f.break_down(a.admin, {});
    // Refused, or joined and then ended with its controller.
    CHECK((w->status(1) == 0x182 || w->closed));
    CHECK(a.admin->closed);
    CHECK(f.t->controllers().empty());
  }
}

TEST_CASE("a transport without room for a response loses the connection, not the target") {
  target_fixture f;
  auto a = f.bring_up(1);
  a.io[0]->fail_responses = true;
  f.submit(a.io[0], sqe(0x00, 5, 1));
  CHECK(a.io[0]->closed);
  CHECK_FALSE(a.admin->closed);
}

TEST_CASE("connections are refused while there is no memory for them, and taken again after") {
  target_fixture f;
  auto a = f.bring_up(1);
  f.admits = false;
  CHECK(f.net->arrive()->closed == false);
  f.run();
  CHECK(told(f, "refused, memory is short"));
  CHECK_FALSE(a.admin->closed);
  CHECK_FALSE(a.io[0]->closed);
  f.admits = true;
  CHECK(f.connect(2, 31, a.cntlid)->status(1) == 0);
}
