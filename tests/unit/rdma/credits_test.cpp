// SPDX-License-Identifier: BSD-2-Clause
// Never more on its way than the other end has room for; keys that are lent and taken back; what
// comes before the connection is established.
#include "pair.hpp"

using namespace nvmf;
using namespace nvmf::test;

namespace {

std::size_t done(const rdma_pair& p, rdma::work_kind kind) {
  return p.fabric->kinds[static_cast<int>(kind)];
}

struct hand final : tamperer {
  std::function<void(outgoing&)> what;
  explicit hand(std::function<void(outgoing&)> does) : what(std::move(does)) {}
  void on_outgoing(outgoing& o) noexcept override { what(o); }
};

void mixed(rdma_pair& p, int commands) {
  for (int i = 0; i < commands; ++i) p.send(i % 3, i % 3 == 0 ? 0 : 10'000);
  p.run();
  CHECK(p.responses == commands);
  for (const auto& c : p.commands)
    if (!c.memory.empty()) CHECK(c.bytes == 10'000);
  CHECK(p.host_errors.empty());
  CHECK(p.controller_errors.empty());
  CHECK(p.fabric->overruns == 0);
  CHECK(p.fabric->not_ready == 0);
}

}  // namespace

TEST_CASE("rdma: an RDMA READ is done when it has completed, whatever has before") {
  fake_fabric with;
  with.reads_overtaken = true;
  rdma_pair p(with);
  REQUIRE(p.connect());
  p.start();
  // Responses to others leave while the data of a write is on its way.
  for (int i = 0; i < 12; ++i) p.send(i % 3, i % 3 == 0 ? 0 : 10'000);
  p.run();
  CHECK(p.responses == 12);
  REQUIRE(p.fetched.size() == 4);
  for (const auto& data : p.fetched) CHECK(std::ranges::count(data, std::byte{0x5a}) == 10'000);
  CHECK(p.controller_errors.empty());
}

TEST_CASE("rdma: no more READs than the devices agreed on, no more work than the queue has") {
  for (const std::uint32_t reads : {1u, 4u}) {
    fake_fabric with;
    with.limits.max_reads_in = reads;
    rdma_pair p(with, {.piece_bytes = 1000}, 64);
    REQUIRE(p.connect());
    p.start();
    mixed(p, 63);
    CHECK(p.fabric->most_reads <= reads);
    CHECK(done(p, rdma::work_kind::read) == 21 * 10);
    CHECK(done(p, rdma::work_kind::write) == 21 * 10);
  }
}

TEST_CASE("rdma: with little registered memory commands wait for each other") {
  rdma_pair p({}, {.pool_bytes = 64 * 1024, .piece_bytes = 4096}, 64);
  REQUIRE(p.connect());
  p.start();
  mixed(p, 63);
  CHECK(p.fabric->most_sends[0] < 20);
}

TEST_CASE("rdma: a transfer beyond what can be registered is refused at once") {
  rdma_pair p({}, {.pool_bytes = 64 * 1024});
  REQUIRE(p.connect());
  p.start();
  CHECK(p.host.limits().max_transfer == 64 * 1024);
  auto& c = p.send(2, 64 * 1024 + 1);
  CHECK(p.host.transmit(c.handle) == errc::limit_exceeded);
  c.handle.reset();
  p.run();
  CHECK(c.calls == 1);
  CHECK(c.error == errc::aborted);
}

TEST_CASE("rdma: a key is lent for each command, and taken back by its response") {
  fake_fabric with;
  with.limits.windows = true;
  rdma_pair p(with);
  REQUIRE(p.connect());
  p.start();
  mixed(p, 12);
  CHECK(done(p, rdma::work_kind::bind) == 8);
  CHECK(done(p, rdma::work_kind::send_invalidate) == 8);
  CHECK(done(p, rdma::work_kind::invalidate) == 0);
}

TEST_CASE("rdma: a controller that does not take the key back leaves that to the host") {
  fake_fabric with;
  with.limits.windows = true;
  rdma_pair p(with);
  REQUIRE(p.connect());
  p.start();
  // Keyed data block without its sub type: the controller is not asked.
  hand by([](outgoing& o) { o.header[39] = std::byte{0x40}; });
  REQUIRE_FALSE(p.host.tamper(&by));
  mixed(p, 12);
  CHECK(done(p, rdma::work_kind::bind) == 8);
  CHECK(done(p, rdma::work_kind::send_invalidate) == 0);
  CHECK(done(p, rdma::work_kind::invalidate) == 8);
}

TEST_CASE("rdma: capsules that come before the connection is established are kept in order") {
  fake_fabric with;
  with.establish_delay = 5s;
  rdma_pair p(with);
  p.listen();
  p.provider->connect(p.left, {.host = "fake:here", .port = 0}, p.params,
                      [&](auto result) { p.outcome = std::move(result); });
  p.time.run();
  REQUIRE(p.outcome.has_value());
  REQUIRE(p.outcome->has_value());
  p.host = std::move((*p.outcome)->queue);
  p.start(false);
  std::vector<std::uint16_t> sent;
  for (int i = 0; i < 16; ++i) sent.push_back(p.send(0, 0).handle.cid());
  p.time.advance(1s);
  CHECK_FALSE(p.controller);
  p.time.advance(5s);
  REQUIRE(p.controller);
  p.controller.start({.on_receive = [&](capsule c) { p.got.push_back(std::move(c)); },
                      .on_error = [](const qpair_error&) {}});
  p.time.run();
  std::vector<std::uint16_t> seen;
  for (const capsule& c : p.got) seen.push_back(c.cid());
  CHECK(seen == sent);
}

TEST_CASE("rdma: no registered memory at all: connecting says so, and nothing is left") {
  for (const std::size_t most : {0u, 600u, 2000u}) {
    fake_fabric with;
    with.max_registered = most;
    rdma_pair p(with);
    CHECK_FALSE(p.connect());
    REQUIRE(p.outcome.has_value());
    CHECK_FALSE(p.outcome->has_value());
    p.end();
    CHECK(p.provider->qpairs() == 0);
    CHECK(p.fabric->regions == 0);
    CHECK(p.fabric->links[0] + p.fabric->links[1] == 0);
  }
}
