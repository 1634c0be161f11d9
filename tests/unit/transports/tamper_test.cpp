// SPDX-License-Identifier: BSD-2-Clause
// Rules broken on purpose, over every transport: what the one end does to what it sends, the other
// end sees.
#include "rig.hpp"
#include "wire/layouts/entries.hpp"

using namespace nvmf;
using namespace nvmf::test;

namespace {

constexpr std::size_t size = 20'000;

struct hand final : tamperer {
  std::function<void(outgoing&)> what;
  explicit hand(std::function<void(outgoing&)> does) : what(std::move(does)) {}
  void on_outgoing(outgoing& o) noexcept override { what(o); }
};

}  // namespace

CONTRACT("tamper: a response that is dropped never comes, and the next does") {
  rig r(p);
  int seen = 0;
  hand by([&](outgoing& o) { o.drop = o.kind == outgoing_kind::response && seen++ == 0; });
  REQUIRE_FALSE(r.controller.queue.tamper(&by));
  capsule first = r.send(op_none);
  r.respond(r.command().cid());
  capsule second = r.send(op_none);
  r.respond(r.command().cid());
  CHECK(r.response().cid() == second.cid());
  r.settle();
  CHECK(r.host.got.empty());
  CHECK(r.host.errors.empty());
}

CONTRACT("tamper: a response for a command that nobody sent is a breach") {
  rig r(p);
  hand by([](outgoing& o) { o.cid = 30; });
  REQUIRE_FALSE(r.controller.queue.tamper(&by));
  capsule c = r.send(op_none);
  r.respond(r.command().cid());
  REQUIRE(r.until([&] { return !r.host.errors.empty() && !r.controller.errors.empty(); }));
  CHECK(r.host.errors[0].code == errc::protocol_violation);
  CHECK(r.heard(r.controller, errc::terminated));
}

CONTRACT("tamper: data that ends early") {
  rig r(p);
  hand by([](outgoing& o) {
    if (o.kind != outgoing_kind::controller_data || o.offset + o.length < 19'000) return;
    o.drop = o.offset >= 19'000;
    o.length = 19'000 - std::min(o.offset, 19'000u);
    o.last = true;
  });
  REQUIRE_FALSE(r.controller.queue.tamper(&by));
  guarded memory(size);
  const auto content = pattern(size);
  watch data;
  capsule c = r.send(op_read, memory.mem(), size, data);
  capsule there = r.command();
  r.give(there, 0, content);
  r.respond(there.cid());
  capsule back = r.response();
  REQUIRE(r.until([&] { return data.done(); }));
  CHECK(data.ended(r.told(19'000, size, true), {}));
  CHECK(memory.holds(std::span{content}.first(19'000)));
  CHECK(memory.zones_intact());
}

CONTRACT("tamper: a command that is dropped is never seen, and closing ends it") {
  rig r(p);
  int seen = 0;
  hand by([&](outgoing& o) { o.drop = o.kind == outgoing_kind::command && seen++ == 0; });
  REQUIRE_FALSE(r.host.queue.tamper(&by));
  guarded memory(size);
  watch data;
  capsule c = r.send(op_read, memory.mem(), size, data);
  r.settle();
  CHECK(r.controller.got.empty());
  r.host.queue.close();
  r.spin();
  REQUIRE(data.done());
  CHECK(data.error == errc::aborted);
}

CONTRACT("misbehave: a termination without a cause is one's own doing, and the peer's bad news") {
  rig r(p);
  capsule c = r.send(op_none);
  r.command();
  REQUIRE_FALSE(r.controller.queue.misbehave(misdeed::terminate, 3));
  REQUIRE(r.until([&] { return !r.host.errors.empty() && !r.controller.errors.empty(); }));
  CHECK(r.controller.errors[0].code == errc::aborted);
  CHECK(r.heard(r.host, errc::terminated));
  if (!r.host.queue.caps().unseen_cause) CHECK(r.host.errors[0].violation.fes == 3);
}

CONTRACT("misbehave: reset") {
  rig r(p);
  capsule c = r.send(op_none);
  r.command();
  REQUIRE_FALSE(r.host.queue.misbehave(misdeed::reset));
  REQUIRE(r.until([&] { return !r.host.errors.empty() && !r.controller.errors.empty(); }));
  CHECK(r.host.errors[0].code == errc::reset);
  CHECK(r.heard(r.controller, errc::reset));
}

CONTRACT("misbehave: who does not read receives what has waited once it reads again") {
  rig r(p);
  REQUIRE_FALSE(r.controller.queue.misbehave(misdeed::stop_reading));
  capsule c = r.send(op_none);
  r.spin();
  CHECK(r.controller.got.empty());
  REQUIRE_FALSE(r.controller.queue.misbehave(misdeed::resume_reading));
  CHECK(r.command().cid() == c.cid());
}
