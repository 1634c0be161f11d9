// SPDX-License-Identifier: BSD-2-Clause
// A queue that is closed with something yet to leave belongs to its executor, and goes with it.
#include <doctest/doctest.h>

#include "core/reactor.hpp"
#include "rdma/rdma.hpp"
#include "support/fake_verbs.hpp"

using namespace nvmf;
using namespace nvmf::test;
using namespace std::chrono_literals;

namespace {

struct ends {
  qpair host, controller;
  std::unique_ptr<listener> passive;
};

qpair_params on_queue_1(role side) {
  qpair_params params;
  params.side = side;
  params.admin = false;
  params.qid = 1;
  params.queue_size = 16;
  return params;
}

ends connect(reactor& on, transport& over) {
  ends made;
  const endpoint at{.host = "fake:here", .port = 0};
  auto listening = over.listen(
      on, at, on_queue_1(role::controller), [&]() -> executor& { return on; },
      [&](qpair q) { made.controller = std::move(q); });
  REQUIRE(listening.has_value());
  made.passive = std::move(*listening);
  auto attempt = over.connect(on, at, on_queue_1(role::host), [&](auto result) {
    REQUIRE(result.has_value());
    made.host = std::move(result->queue);
  });
  while (!made.host || !made.controller) REQUIRE(on.run_one_until(clock::now() + 10s));
  return made;
}

}  // namespace

TEST_CASE("rdma: an executor that ends while a closed queue lingers takes the queue with it") {
  const auto fabric = std::make_shared<fake_fabric>();
  const auto provider = make_rdma_transport(std::make_shared<fake_verbs>(fabric), {});
  {
    reactor on;
    ends both = connect(on, *provider);
    both.host.start({.on_receive = [](const capsule&) {}, .on_error = [](const qpair_error&) {}});
    auto command = both.host.allocate_command(sqe_bytes{});
    REQUIRE(command.has_value());
    REQUIRE_FALSE(both.host.transmit(*command));
    command->reset();
    both = {};  // the command has not left
    CHECK(provider->qpairs() >= 1);
    CHECK(fabric->links[0] == 1);
  }
  CHECK(provider->qpairs() == 0);
  CHECK(fabric->links[0] == 0);
  CHECK(fabric->links[1] == 0);
  CHECK(fabric->registered == 0);
}
