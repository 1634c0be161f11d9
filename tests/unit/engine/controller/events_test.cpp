// SPDX-License-Identifier: BSD-2-Clause
// Asynchronous events, Abort, keep alive, I/O queues joining and leaving.
#include "support/engine_host.hpp"

using namespace nvmf;
using namespace nvmf::test;
using namespace std::chrono_literals;

namespace {
using wish_kind = engine::wish::kind;
constexpr std::uint32_t ns_changed = 0x0004'0002;  // notice, 00h, log page 04h
constexpr std::uint32_t one[] = {1}, two[] = {2};
}  // namespace

TEST_CASE("eight requests are held, the ninth is one too many") {
  engine_host h;
  h.enable();
  for (std::uint16_t cid = 1; cid <= 8; ++cid) CHECK(h.send(sqe(0x0c, cid)).held);
  CHECK(h.status(sqe(0x0c, 9)) == 0x105);
  CHECK(h.wishes().empty());  // none completes without an event
}

TEST_CASE("one event is told once until its log page is read") {
  engine_host h;
  h.enable();
  CHECK(h.set_feature(0x0b, 0x100).status.ok());
  for (std::uint16_t cid = 1; cid <= 3; ++cid) CHECK(h.send(sqe(0x0c, cid)).held);
  h.c.on_namespaces_changed(one);
  auto w = h.wishes();
  REQUIRE(w.size() == 1);
  CHECK(w[0].cid == 1);
  CHECK(w[0].status.ok());
  CHECK(w[0].dw0 == ns_changed);
  h.c.on_namespaces_changed(two);
  CHECK(h.wishes().empty());
  h.log_page(0x04, 0, 4096, true);  // RAE: still masked
  h.c.on_namespaces_changed(one);
  CHECK(h.wishes().empty());
  h.log_page(0x04, 0, 4096);
  h.c.on_namespaces_changed(two);
  w = h.wishes();
  REQUIRE(w.size() == 1);
  CHECK(w[0].cid == 2);
}

TEST_CASE("an event without a request waits for one; a masked one does not happen") {
  engine_host h;
  h.enable();
  h.c.on_namespaces_changed(one);  // not enabled
  CHECK(h.set_feature(0x0b, 0x100).status.ok());
  CHECK(h.send(sqe(0x0c, 1)).held);
  CHECK(h.wishes().empty());
  CHECK(h.status(with(with(sqe(0x08, 2), 40, 2, 0), 42, 2, 1)) == 0);  // take it back
  CHECK(h.wishes().size() == 1);
  h.c.on_namespaces_changed(two);
  CHECK(h.wishes().empty());
  CHECK(h.send(sqe(0x0c, 3)).held);
  const auto w = h.wishes();
  REQUIRE(w.size() == 1);
  CHECK(w[0].cid == 3);
  CHECK(w[0].dw0 == ns_changed);
  // The list told of both, enabled or not.
  CHECK(peek(h.log_page(0x04, 0, 4096).data, 4, 4) == 2);
}

TEST_CASE("discovery controllers tell of the discovery log") {
  engine_host h(engine_host::discovery_config());
  h.enable();
  CHECK(h.set_feature(0x0b, 0x8000'0000).status.ok());
  CHECK(h.send(sqe(0x0c, 4)).held);
  h.c.on_namespaces_changed(one);
  CHECK(h.wishes().empty());
  h.c.on_discovery_changed();
  h.c.on_discovery_changed();
  auto w = h.wishes();
  REQUIRE(w.size() == 1);
  CHECK(w[0].dw0 == 0x0070'f002);
  CHECK(h.send(sqe(0x0c, 5)).held);
  CHECK(h.wishes().empty());
  h.log_page(0x70, 0, 1024);
  h.c.on_discovery_changed();
  CHECK(h.wishes().size() == 1);
}

TEST_CASE("Abort takes back an Asynchronous Event Request and nothing else") {
  engine_host h;
  h.enable();
  CHECK(h.send(sqe(0x0c, 7)).held);
  const auto abort = [](std::uint16_t sqid, std::uint16_t cid) {
    return with(with(sqe(0x08, 1), 40, 2, sqid), 42, 2, cid);
  };
  CHECK(h.send(abort(0, 8)).dw0 == 1);  // no such command: not aborted
  CHECK(h.send(abort(1, 7)).dw0 == 1);
  CHECK(h.wishes().empty());
  const auto r = h.send(abort(0, 7));
  CHECK(r.status.ok());
  CHECK(r.dw0 == 0);
  const auto w = h.wishes();
  REQUIRE(w.size() == 1);
  CHECK(w[0].cid == 7);
  CHECK(w[0].status.raw_code() == 0x007);
  CHECK(h.send(abort(0, 7)).dw0 == 1);
  engine_host d(engine_host::discovery_config());
  d.enable();
  CHECK(d.status(abort(0, 7)) == 0x001);
}

TEST_CASE("keep alive: given up between one and two KATO after the last command") {
  for (int step = 0; step < 10; ++step) {
    auto k = engine_host::io_config();
    k.kato_ms = 1000;
    engine_host h(k);
    h.enable();
    // Speaks for a while, then falls silent somewhere within a period.
    const duration last = 3s + step * 100ms;
    const time_point start = h.now;
    while (h.now < start + last) {
      CHECK(h.status(sqe(0x18, 1)) == 0);
      h.pass(100ms);
      CHECK_FALSE(h.ended());
    }
    CHECK(h.status(sqe(0x18, 1)) == 0);
    duration silent{};
    while (!h.ended()) {
      h.pass(100ms);
      silent += 100ms;
      REQUIRE(silent <= 2s);
    }
    CHECK(silent >= 1s);
  }
}

TEST_CASE("keep alive: any command counts, of I/O queues too") {
  auto k = engine_host::io_config();
  k.kato_ms = 1000;
  engine_host h(k);
  h.enable();
  for (int i = 0; i < 60; ++i) {
    if (i % 2 == 0)
      h.traffic = true;
    else
      CHECK(h.send(property_get_sqe(1, 0x1c)).status.ok());
    h.pass(1s);
    CHECK_FALSE(h.ended());
  }
  h.pass(1s);
  CHECK(h.ended());
  CHECK((h.csts() & 2) == 2);  // CFS
}

TEST_CASE("keep alive: off, rounded up, changed, and watched after a reset") {
  engine_host off;
  off.enable();
  CHECK_FALSE(off.c.deadline().has_value());
  off.pass(std::chrono::hours(1000));
  CHECK_FALSE(off.ended());

  auto k = engine_host::io_config();
  k.kato_ms = 1001;
  engine_host h(k);
  CHECK(h.c.deadline() == h.now + 1100ms);
  h.enable();
  CHECK(h.get_feature(0x0f).dw0 == 1100);
  CHECK(h.set_feature(0x0f, 300).status.ok());
  CHECK(h.c.deadline() == h.now + 300ms);
  CHECK(h.set_feature(0x0f, 0).status.ok());
  CHECK_FALSE(h.c.deadline().has_value());
  CHECK(h.set_feature(0x0f, 2000).status.ok());
  CHECK(h.status(property_set_sqe(1, 0x14, cc_disabled)) == 0);
  h.enable();
  CHECK(h.get_feature(0x0f).dw0 == 2000);
  h.pass(2s);
  CHECK_FALSE(h.ended());
  h.pass(2s);
  CHECK(h.ended());
}

TEST_CASE("keep alive: when we slept ourselves, the host gets another period") {
  auto k = engine_host::io_config();
  k.kato_ms = 1000;
  engine_host h(k);
  h.enable();
  h.pass(1s);
  h.pass(60s);  // nobody ran us for a minute
  CHECK_FALSE(h.ended());
  h.pass(1s);
  CHECK(h.ended());
}

TEST_CASE("I/O queues join the controller of their host") {
  engine_host h;
  CHECK(h.join(1) == 0x00c);  // not enabled
  h.enable();
  CHECK(h.join(1) == 0x00c);  // Number of Queues not asked
  CHECK(h.set_feature(0x07, 0x0001'0001).status.ok());
  auto r = h.io_request(1);
  r.host[15] = std::byte{0x12};
  auto ok = h.c.on_io_connect(r);
  REQUIRE_FALSE(ok.has_value());
  CHECK(ok.error().status.raw_code() == 0x182);
  CHECK(ok.error().dw0 == 0x1'0000);
  r = h.io_request(1);
  r.host_nqn += "x";
  ok = h.c.on_io_connect(r);
  REQUIRE_FALSE(ok.has_value());
  CHECK(ok.error().dw0 == 0x1'0200);
  ok = h.c.on_io_connect(h.io_request(3));
  REQUIRE_FALSE(ok.has_value());
  CHECK(ok.error().status.raw_code() == 0x182);
  CHECK(ok.error().dw0 == 42);
  CHECK(h.join(1) == 0);
  CHECK(h.join(2) == 0);
  CHECK(h.join(1) == 0x00c);  // in use
  CHECK(h.c.io_queues() == 2);
  h.c.on_io_queue_gone(1, h.now);
  CHECK(h.join(1) == 0);
}

TEST_CASE("an I/O queue that breaks down ends the association once") {
  engine_host h;
  h.enable();
  h.c.on_fatal("garbage");
  h.c.on_fatal("more garbage");
  const auto w = h.wishes();
  REQUIRE(w.size() == 1);
  CHECK(w[0].what == wish_kind::end_association);
  CHECK(h.csts() == 3);  // RDY, CFS
  CHECK(h.identify(0x01).status.raw_code() == 0x00c);
  CHECK_FALSE(h.c.deadline().has_value());
}

TEST_CASE("fused admin commands are refused") {
  engine_host h;
  h.enable();
  CHECK(h.status(with(sqe(0x18, 1), 1, 1, 0x41)) == 0x002);
}
