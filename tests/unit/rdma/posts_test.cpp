// SPDX-License-Identifier: BSD-2-Clause
// How often a device is called: work requests leave in chains, completion queues are armed once for
// all that has come, and nobody is woken by a request that was done.
#include "pair.hpp"

using namespace nvmf;
using namespace nvmf::test;

namespace {

constexpr int read_op = 2, write_op = 1;

// What commands after the first few cost either end.
struct cost {
  std::size_t posts, arms, events;
  bool operator==(const cost&) const = default;
};
doctest::String toString(const cost& c) {
  return doctest::toString(c.posts) + " posts, " + doctest::toString(c.arms) + " arms, " +
         doctest::toString(c.events) + " events";
}

struct counted : rdma_pair {
  explicit counted(const fake_fabric& with, std::uint32_t queue_size = 64)
      : rdma_pair(with, {}, queue_size) {
    REQUIRE(connect());
    start();
    for (int i = 0; i < 3; ++i) one_by_one(read_op, 4096, 1);
  }
  cost of(role side) const {
    const auto& c = fabric->calls[side == role::controller];
    return {c.posts, c.arms, c.events};
  }
  static cost since(const cost& then, const cost& now) {
    return {now.posts - then.posts, now.arms - then.arms, now.events - then.events};
  }
  void one_by_one(int code, std::size_t bytes, int count) {
    for (int i = 0; i < count; ++i) together(code, bytes, 1);
  }
  // What they cost the host, and the controller.
  std::array<cost, 2> together(int code, std::size_t bytes, int count, int times = 1) {
    const cost host_then = of(role::host), controller_then = of(role::controller);
    for (int t = 0; t < times; ++t) {
      const int before = responses;
      for (int i = 0; i < count; ++i) send(code, bytes).handle.reset();
      run();
      CHECK(responses == before + count);
    }
    CHECK(fabric->overruns == 0);
    CHECK(host_errors.empty());
    CHECK(controller_errors.empty());
    return {since(host_then, of(role::host)), since(controller_then, of(role::controller))};
  }
};

fake_fabric with_windows(bool windows) {
  fake_fabric with;
  with.limits.windows = windows;
  return with;
}

}  // namespace

TEST_CASE("rdma posts: at depth 1 a command is one post and one event for either end") {
  for (const bool windows : {false, true}) {
    CAPTURE(windows);
    counted p(with_windows(windows));
    // Its key and the command; its data and the response; so too with data in the capsule.
    for (const auto& [code, bytes] : {std::pair{read_op, 4096}, {write_op, 4096}, {0, 0}}) {
      CAPTURE(code);
      const auto [host, controller] = p.together(code, static_cast<std::size_t>(bytes), 1, 10);
      CHECK(host == cost{10, 10, 10});
      CHECK(controller == cost{10, 10, 10});
    }
    // An RDMA READ is waited for.
    const auto [host, controller] = p.together(write_op, 8192, 1, 10);
    CHECK(host == cost{10, 10, 10});
    CHECK(controller == cost{20, 20, 20});
  }
}

TEST_CASE("rdma posts: at depth 32 they are shared") {
  for (const bool windows : {false, true}) {
    CAPTURE(windows);
    fake_fabric with = with_windows(windows);
    with.at_once = 64;
    counted p(with);
    const std::size_t host_chains = windows ? 2 : 1;  // a bind with each command
    const auto read = p.together(read_op, 4096, 32);
    CHECK(read[0].posts == host_chains);
    CHECK(read[0].events <= 2);
    CHECK(read[1].posts == 2);  // 32 RDMA WRITEs, 32 responses
    CHECK(read[1].events == 1);
    const auto write = p.together(write_op, 4096, 32);
    CHECK(write[0] == cost{1, 1, 1});
    CHECK(write[1] == cost{1, 1, 1});
    CHECK(p.fabric->longest_chain == rdma::send_queue::chain_most);
  }
}

TEST_CASE("rdma posts: the last of a chain is signalled, and what is waited for") {
  counted p(fake_fabric{});
  const auto& at_host = p.fabric->calls[0];
  const auto& at_controller = p.fabric->calls[1];
  // All that is signalled is the last of a post.
  CHECK(at_host.signalled == at_host.posts);
  CHECK(at_controller.signalled == at_controller.posts);
  CHECK(at_controller.unsignalled == 3);  // the RDMA WRITE of each read
  const std::size_t signalled = at_controller.signalled;
  p.together(write_op, 8192, 8);
  CHECK(at_controller.signalled >= signalled + 8);
}

TEST_CASE("rdma posts: a send queue that is full of what nobody is told of empties all the same") {
  for (const std::uint32_t places : {3u, 4u, 7u, 40u}) {
    CAPTURE(places);
    fake_fabric with = with_windows(true);
    with.limits.max_work_requests = places;
    counted p(with, std::min(places, 33u));
    // The host's queue has places for so many; the controller's has no more either.
    const int depth = static_cast<int>(std::min(places, 33u)) - 1;
    for (const auto& [code, bytes] : {std::pair{read_op, 300'000}, {write_op, 300'000}, {0, 0}})
      for (int i = 0; i < 10; ++i) p.together(code, static_cast<std::size_t>(bytes), depth);
  }
}

TEST_CASE("rdma posts: a command can be followed by others at full depth, whoever is told when") {
  fake_fabric with;
  with.at_once = 8;
  counted q(with, 16);
  int left = 400;
  std::function<void()> next = [&] {
    if (left-- <= 0) return;
    auto made = q.host.allocate_command(opcode(0));
    REQUIRE(made.has_value());
    REQUIRE_FALSE(q.host.transmit(*made));
  };
  const int before = q.responses;
  for (int i = 0; i < 16; ++i) next();
  while (left > 0) {
    const int had = q.responses;
    q.run();
    for (int i = had; i < q.responses && left > 0; ++i) next();
    REQUIRE(q.responses > had);
  }
  q.run();
  CHECK(q.responses == before + 400);
}

TEST_CASE("rdma posts: a post that is refused, whole or in part, ends the queue once") {
  std::size_t runs = 0;
  for (const role side : {role::host, role::controller})
    for (const std::size_t takes : {0u, 1u, 5u})
      for (std::size_t n = 1;; ++n) {
        CAPTURE(static_cast<int>(side));
        CAPTURE(takes);
        CAPTURE(n);
        fake_fabric with = with_windows(true);
        with.refuses = {side, n, takes};
        rdma_pair p(with, {.piece_bytes = 4096}, 8);
        REQUIRE(p.connect());
        p.start();
        for (const auto& [code, bytes] :
             {std::pair{read_op, 9000}, {write_op, 9000}, {0, 0}, {write_op, 100}, {read_op, 100}})
          p.send(code, static_cast<std::size_t>(bytes));
        p.run();
        p.send(read_op, 5000);
        p.run();
        ++runs;
        const bool hit = p.fabric->calls[side == role::controller].posts >= n;
        CHECK(p.host_errors.size() == (hit ? 1 : 0));
        CHECK(p.controller_errors.size() == (hit ? 1 : 0));
        if (hit) {
          const auto& e = (side == role::host ? p.host_errors : p.controller_errors)[0];
          CHECK(e.code == std::errc::not_enough_memory);
          CHECK(e.violation.reason == "a work request could not be posted");
        }
        p.end();
        for (const auto& c : p.commands) CHECK(c.calls == (c.memory.empty() ? 0 : 1));
        CHECK(p.fetches == p.fetches_ended);
        CHECK(p.provider->qpairs() == 0);
        CHECK(p.fabric->regions == 0);
        CHECK(p.fabric->overruns == 0);
        if (!hit) {
          CHECK(p.responses == 6);
          break;
        }
      }
  CHECK(runs > 12);
}

TEST_CASE("rdma posts: a request that fails is heard of when no receive is left to be flushed") {
  rdma_pair p;
  REQUIRE(p.connect());
  p.start(false);
  for (int i = 0; i < 16; ++i) p.send(read_op, 4096);
  p.run();
  REQUIRE(p.got.size() == 16);
  p.fabric->fails = {.side = role::controller,
                     .number = p.fabric->work_done[1] + 1,
                     .status = rdma::work_status::retries_exceeded};
  std::vector<std::byte> data(4096, std::byte{0xc3});
  p.controller.send_controller_data(p.got[0], 0, buffer::copy_of(data));
  p.time.run();
  REQUIRE(p.controller_errors.size() == 1);
  CHECK(p.controller_errors[0].violation.reason == "transport retries exceeded");
}

TEST_CASE("rdma posts: the cause of an end may be told after what was flushed because of it") {
  rdma_pair p;
  REQUIRE(p.connect());
  p.start(false);
  // A receive of the host's fails while a command is on its way: each has a queue of its own.
  p.send(0, 0);
  p.run();
  REQUIRE(p.got.size() == 1);
  p.fabric->fails = {.side = role::host,
                     .number = p.fabric->work_done[0] + 2,  // after the first SEND
                     .status = rdma::work_status::local_length};
  p.respond(p.got[0].cid());
  for (int i = 0; i < 4; ++i) p.send(0, 0);
  p.run();
  REQUIRE(p.host_errors.size() == 1);
  CHECK(p.host_errors[0].code == errc::protocol_violation);
  CHECK(p.host_errors[0].violation.reason == "a response capsule is longer than 16 bytes");
}

TEST_CASE("rdma posts: a device with too little room is told of, and nothing is left") {
  struct row {
    const char* name;
    std::uint32_t work, completions, pieces;
    std::string_view says;
  };
  const row rows[] = {
      {"work requests", 15, 64, 2,
       "the device has queues of 15 work requests and 64 completions at most, too few for 16 "
       "entries"},
      {"completions", 64, 8, 2,
       "the device has queues of 64 work requests and 8 completions at most, too few for 16 "
       "entries"},
      {"pieces", 64, 64, 1,
       "a command and its data are 2 pieces of memory, and the device sends 1 at a time"},
  };
  for (const row& r : rows) {
    CAPTURE(std::string(r.name));
    fake_fabric with;
    with.limits.max_work_requests = r.work;
    with.limits.max_completions = r.completions;
    with.limits.max_pieces = r.pieces;
    rdma_pair p(with);
    CHECK_FALSE(p.connect());
    REQUIRE(p.outcome.has_value());
    REQUIRE_FALSE(p.outcome->has_value());
    CHECK((*p.outcome).error().detail == r.says);
    CHECK((*p.outcome).error().code == std::errc::value_too_large);
    p.end();
    CHECK(p.fabric->regions == 0);
    CHECK(p.fabric->links[0] + p.fabric->links[1] == 0);
  }
  // Just enough is enough.
  fake_fabric with;
  with.limits.max_work_requests = with.limits.max_completions = 16;
  with.limits.max_pieces = 2;
  counted p(with, 16);
  p.together(read_op, 10'000, 15);
}
