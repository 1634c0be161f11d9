// SPDX-License-Identifier: BSD-2-Clause
// Registering, listening, connecting, and all the ways in which they fail. Items 1 to 3.
#include <optional>

#include "rig.hpp"

using namespace nvmf;
using namespace nvmf::test;
using namespace std::chrono_literals;

namespace {

// A transport and its world, not connected yet.
struct bare {
  explicit bare(const profile& p) : at(p.at), place(p.make_world()), provider(p.make()) {
    params.options = p.settings;
  }
  ~bare() {
    accepted.clear();
    outcome.reset();
    passive.reset();
    place->spin();
  }
  std::error_code listen() {
    qpair_params own = params;
    own.side = role::controller;
    auto made = provider->listen(
        place->controller_on(), at, own, [this]() -> executor& { return place->controller_on(); },
        [this](qpair q) { accepted.push_back(std::move(q)); });
    if (!made) return made.error();
    passive = std::move(*made);
    at = passive->where();
    return {};
  }
  std::shared_ptr<connect_attempt> connect() {
    auto attempt = provider->connect(place->host_on(), at, params, [this](auto result) {
      CHECK(in_call::depth == 0);
      ++outcomes;
      outcome = std::move(result);
    });
    CHECK(outcomes == 0);
    return attempt;
  }
  bool until(const std::function<bool()>& done) { return place->until(done); }

  endpoint at;
  std::unique_ptr<world> place;
  std::shared_ptr<transport> provider;
  qpair_params params{};
  std::unique_ptr<listener> passive;
  std::vector<qpair> accepted;
  int outcomes = 0;
  std::optional<std::expected<connected, connect_error>> outcome;
};

}  // namespace

CONTRACT("a provider stays registered while a qpair of it lives") {
  rig r(p);
  transport_registry registry;
  registry.add(r.provider);
  CHECK(registry.find(r.provider->type(), {}).value() == r.provider);
  CHECK(registry.remove(r.provider.get()) == errc::busy);
  r.host.queue = {};
  CHECK(registry.remove(r.provider.get()) == errc::busy);
  r.controller.queue = {};
  REQUIRE(r.until([&] { return r.provider->qpairs() == 0; }));
  CHECK_FALSE(registry.remove(r.provider.get()));
  CHECK(registry.find(r.provider->type(), {}).error() == errc::no_transport);
}

CONTRACT("connected: who the ends are and what was done") {
  bare b(p);
  REQUIRE_FALSE(b.listen());
  b.connect();
  REQUIRE(b.until([&] { return b.outcome && !b.accepted.empty(); }));
  REQUIRE(b.outcome->has_value());
  const connected& up = **b.outcome;
  CHECK_FALSE(up.steps.empty());
  for (const connect_step& s : up.steps) CHECK_FALSE(s.name.empty());
  const qpair& host = up.queue;
  const qpair& controller = b.accepted.front();
  CHECK(host.id() != controller.id());
  CHECK(host.peer() == controller.local());
  CHECK(host.local() == controller.peer());
  CHECK(host.peer() != host.local());
  CHECK(b.provider->qpairs() == 2);
  CHECK(b.outcomes == 1);
}

CONTRACT("nobody listens there: refused, once, not within the call") {
  bare b(p);
  REQUIRE_FALSE(b.listen());
  b.passive.reset();
  b.place->spin();
  b.connect();
  REQUIRE(b.until([&] { return b.outcome.has_value(); }));
  REQUIRE_FALSE(b.outcome->has_value());
  CHECK(b.outcome->error().stage == connect_stage::connect);
  CHECK(b.outcome->error().code == std::errc::connection_refused);
  CHECK_FALSE(b.outcome->error().detail.empty());
  b.place->spin();
  CHECK(b.outcomes == 1);
  CHECK(b.provider->qpairs() == 0);
}

CONTRACT("a connect that is cancelled ends as aborted, once") {
  bare b(p);
  REQUIRE_FALSE(b.listen());
  const auto attempt = b.connect();
  {
    const in_call guard;
    attempt->cancel();
    attempt->cancel();
  }
  CHECK(b.outcomes == 0);
  REQUIRE(b.until([&] { return b.outcome.has_value(); }));
  REQUIRE_FALSE(b.outcome->has_value());
  CHECK(b.outcome->error().code == errc::aborted);
  b.place->spin();
  attempt->cancel();
  b.place->spin();
  CHECK(b.outcomes == 1);
}

CONTRACT("cancelling what is done changes nothing") {
  bare b(p);
  REQUIRE_FALSE(b.listen());
  const auto attempt = b.connect();
  REQUIRE(b.until([&] { return b.outcome && !b.accepted.empty(); }));
  REQUIRE(b.outcome->has_value());
  attempt->cancel();
  b.place->spin();
  CHECK(b.outcomes == 1);
  CHECK(b.provider->qpairs() == 2);
}

CONTRACT("a listener that is gone accepts no more; what it accepted lives on") {
  bare b(p);
  REQUIRE_FALSE(b.listen());
  b.connect();
  REQUIRE(b.until([&] { return b.outcome && !b.accepted.empty(); }));
  REQUIRE(b.outcome->has_value());
  b.passive.reset();
  b.place->spin();
  qpair host = std::move((*b.outcome)->queue);
  bool arrived = false;
  const auto ignore = [](const auto&) {};
  b.accepted[0].start({.on_receive = [&](const capsule&) { arrived = true; }, .on_error = ignore});
  host.start({.on_receive = ignore, .on_error = ignore});
  auto c = host.allocate_command(sqe_bytes{});
  REQUIRE(c.has_value());
  CHECK_FALSE(host.transmit(*c));
  REQUIRE(b.until([&] { return arrived; }));
  b.outcome.reset();
  b.outcomes = 0;
  b.connect();
  REQUIRE(b.until([&] { return b.outcome.has_value(); }));
  CHECK_FALSE(b.outcome->has_value());
  CHECK(b.accepted.size() == 1);
}

CONTRACT("two listeners at one place: the second is refused") {
  bare b(p);
  REQUIRE_FALSE(b.listen());
  const auto first = std::move(b.passive);
  CHECK(b.listen() == std::errc::address_in_use);
}

CONTRACT("parameters out of range: refused at both ends") {
  bare b(p);
  REQUIRE_FALSE(b.listen());
  const auto wrong = [&](auto change) {
    const qpair_params good = b.params;
    change(b.params);
    b.outcome.reset();
    b.outcomes = 0;
    b.connect();
    REQUIRE(b.until([&] { return b.outcome.has_value(); }));
    REQUIRE_FALSE(b.outcome->has_value());
    CHECK(b.outcome->error().code == errc::invalid_argument);
    CHECK_FALSE(b.outcome->error().detail.empty());
    const auto kept = std::move(b.passive);
    CHECK(b.listen() == errc::invalid_argument);
    b.passive = nullptr;
    b.params = good;
  };
  wrong([](qpair_params& q) { q.queue_size = 1; });
  REQUIRE_FALSE(b.listen());
  wrong([](qpair_params& q) { q.queue_size = 4097; });
  REQUIRE_FALSE(b.listen());
  wrong([](qpair_params& q) { q.options.alignment = 0; });
  REQUIRE_FALSE(b.listen());
  wrong([](qpair_params& q) { q.options.max_r2t = 0; });
  CHECK(b.provider->qpairs() == 0);
}
