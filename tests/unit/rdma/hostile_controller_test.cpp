// SPDX-License-Identifier: BSD-2-Clause
// A controller that breaks the rules, its bytes made by hand (NVMe/RDMA Transport 1.0): what the
// host says of it, once, that all that was in flight ends once, and that nothing is left over.
#include <algorithm>

#include "raw_controller.hpp"

using namespace nvmf;
using namespace nvmf::test;

namespace {

fake_fabric with_windows(bool windows) {
  fake_fabric with;
  with.limits.windows = windows;
  return with;
}

}  // namespace

TEST_CASE(
    "rdma: a host's bytes, its private data and its capsules, as the specification has them") {
  for (const bool windows : {false, true}) {
    CAPTURE(windows);
    rdma_pair p(with_windows(windows));
    raw_controller c(p, 16, raw_controller::accept(taken()));
    REQUIRE(c.connect());
    // RECFMT 0, QID 1, HRQSIZE 16, HSQSIZE 15, CNTLID 0, reserved.
    CHECK(c.asked == octets_of({0, 0, 1, 0, 16, 0, 15, 0}, 32));
    p.start();
    p.send(0, 0);
    p.send(2, 0x3000);
    p.send(1, 300);
    p.run();
    REQUIRE(c.capsules.size() == 3);
    // CID 0: nothing moves, and a keyed descriptor says so.
    CHECK(c.capsules[0] ==
          octets_of({0, 0x40, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                     0, 0,    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x40},
                    64));
    // CID 1: address, a length of 24 bits, a key, keyed data block; with subtype Fh where the key
    // is to be taken back.
    const octets& read = c.capsules[1];
    REQUIRE(read.size() == 64);
    CHECK(number(read, 0, 4) == 0x0001'4002);
    CHECK(number(read, 24, 8) != 0);
    CHECK(number(read, 32, 3) == 0x3000);
    CHECK(number(read, 35, 4) != 0);
    CHECK(number(read, 39, 1) == (windows ? 0x4f : 0x40));
    // CID 2: data block with an offset of 0, and the data behind.
    const octets& write = c.capsules[2];
    REQUIRE(write.size() == 64 + 300);
    CHECK(number(write, 0, 4) == 0x0002'4001);
    CHECK(number(write, 24, 8) == 0);
    CHECK(number(write, 32, 4) == 300);
    CHECK(number(write, 36, 4) == 0x0100'0000);
    CHECK(std::ranges::count(std::span{write}.subspan(64), std::byte{0x5a}) == 300);

    // The controller writes, and then responds.
    for (const std::uint64_t cid : {0u, 2u}) c.send(raw_controller::response(cid));
    c.post({.kind = rdma::work_kind::write,
            .remote_address = number(read, 24, 8),
            .remote_key = static_cast<std::uint32_t>(number(read, 35, 4))},
           octets(4096, std::byte{0xc3}));
    if (windows)
      c.send_taking(raw_controller::response(1), number(read, 35, 4));
    else
      c.send(raw_controller::response(1));
    p.run();
    CHECK(p.responses == 3);
    CHECK(p.commands[1].bytes == 0x3000);
    CHECK(p.commands[2].bytes == 300);
    CHECK(std::ranges::count(p.commands[1].memory, std::byte{0xc3}) == 4096);
    CHECK(p.host_errors.empty());
    check_nothing_left(p, c);
  }
}

TEST_CASE("rdma: each way in which a controller's response can be wrong") {
  using keys = const std::array<std::uint64_t, 2>&;  // of CIDs 0 and 1
  struct row {
    const char* name;
    bool windows;
    std::function<void(raw_controller&, keys)> does;
    std::string_view structure, reason;
    std::uint32_t offset;
    std::uint64_t value;
    int responses = 0;  // that were good, before
    bool blames_key = false;
    std::size_t at_once = 1;  // done by the device before the host looks
  };
  constexpr std::string_view resp = "capsule-resp";
  constexpr std::string_view nobody = "no command with this CID is outstanding";
  constexpr std::string_view sixteen = "a response capsule has 16 bytes";
  constexpr std::string_view not_lent = "it takes back a key that its command has not lent";
  const auto answer = [](std::uint64_t cid) { return raw_controller::response(cid); };
  const auto bytes = [](std::size_t n) {
    return [n](raw_controller& c, keys) { c.send(octets(n)); };
  };
  const auto of_cid = [&](std::uint64_t cid) {
    return [&, cid](raw_controller& c, keys) { c.send(answer(cid)); };
  };
  const row rows[] = {
      {"no bytes at all", false, bytes(0), resp, sixteen, 0, 0},
      {"a byte too few", false, bytes(15), resp, sixteen, 15, 15},
      {"a byte too few, keys lent", true, bytes(15), resp, sixteen, 15, 15},
      {"a byte too many", false, bytes(17), resp, "a response capsule is longer than 16 bytes", 16,
       0},
      {"a CID that is not in use", false, of_cid(3), resp, nobody, 12, 3},
      {"the last CID that there can be", false, of_cid(0xffff), resp, nobody, 12, 0xffff},
      {"one beyond the queue", true, of_cid(16), resp, nobody, 12, 16},
      {"twice", false,
       [&](raw_controller& c, keys) {
         c.send(answer(0));
         c.send(answer(0));
       },
       resp, nobody, 12, 0, 1},
      // The first came whole, and nothing was wrong with it yet: it counts, as it does when the
      // host looks in between. A response is the controller's word that the command is done
      // (Base 3.3.3); what it says afterwards ends the queue, and takes nothing back.
      {"twice, while the host takes its key back", true,
       [&](raw_controller& c, keys) {
         c.send(answer(0));
         c.send(raw_controller::response(0, 0x80));
       },
       resp, "a second response to a command", 12, 0, 1, false, 2},
      {"twice, and the host looks in between", true,
       [&](raw_controller& c, keys) {
         c.send(answer(0));
         c.send(raw_controller::response(0, 0x80));
       },
       resp, nobody, 12, 0, 1},
      {"twice, and takes the key back each time", true,
       [&](raw_controller& c, keys k) {
         c.send_taking(answer(0), k[0]);
         c.send(answer(0));
       },
       resp, nobody, 12, 0, 1},
      {"takes the key of another command", true,
       [&](raw_controller& c, keys k) { c.send_taking(answer(0), k[1]); }, resp, not_lent, 12, 1, 0,
       true},
      {"takes a key with the response of a command that has none", true,
       [&](raw_controller& c, keys k) { c.send_taking(answer(2), k[0]); }, resp, not_lent, 12, 0, 0,
       true},
      {"takes a key with a response of no command", true,
       [&](raw_controller& c, keys k) { c.send_taking(answer(9), k[0]); }, resp, not_lent, 12, 0, 0,
       true},
      {"takes a key with half a response", true,
       [&](raw_controller& c, keys k) { c.send_taking(octets(8), k[0]); }, resp, not_lent, 12, 0, 0,
       true},
      {"takes back a key that never was", true,
       [&](raw_controller& c, keys) { c.send_taking(answer(0), 0xbeef00); }, "RECEIVE",
       "local protection error", 0, 0},
      {"takes back the key of all blocks", false,
       [&](raw_controller& c, keys k) { c.send_taking(answer(0), k[0]); }, "RECEIVE",
       "local protection error", 0, 0},
      {"takes back a key twice", true,
       [&](raw_controller& c, keys k) {
         c.send_taking(answer(0), k[0]);
         c.send_taking(answer(1), k[0]);
       },
       "RECEIVE", "local protection error", 0, 0, 1},
      {"more than the host has receives", false,
       [&](raw_controller& c, keys) {
         for (std::uint64_t cid = 0; cid < 3; ++cid) c.send(answer(cid));
         for (int i = 0; i < 40; ++i) c.send(answer(0));
       },
       resp, nobody, 12, 0, 3},
  };
  for (const row& r : rows) {
    CAPTURE(std::string(r.name));
    rdma_pair p(with_windows(r.windows));
    raw_controller c(p, 16, raw_controller::accept(taken()));
    REQUIRE(c.connect());
    p.start();
    p.send(2, 4096);
    p.send(2, 4096);
    p.send(0, 0);
    p.run();
    REQUIRE(c.capsules.size() == 3);
    const std::array<std::uint64_t, 2> lent{number(c.capsules[0], 35, 4),
                                            number(c.capsules[1], 35, 4)};
    p.fabric->at_once = r.at_once;
    r.does(c, lent);
    p.run();
    REQUIRE(p.host_errors.size() == 1);
    const qpair_error& e = p.host_errors[0];
    if (r.structure == resp)
      CHECK(e.code == errc::protocol_violation);
    else
      CHECK(e.code == std::errc::io_error);
    CHECK(e.violation.structure == r.structure);
    CHECK(e.violation.reason == r.reason);
    CHECK(e.violation.offset == r.offset);
    CHECK(e.violation.value == (r.blames_key ? lent[r.value] : r.value));
    CHECK(p.responses == r.responses);
    CHECK(p.commands[0].calls == 1);
    CHECK(p.commands[1].calls == 1);
    CHECK(p.commands[0].bytes == (r.responses > 0 ? 4096 : 0));
    CHECK(p.commands[1].bytes == (r.responses > 1 ? 4096 : 0));
    check_nothing_left(p, c);
  }
}

TEST_CASE("rdma: a response that came before the end counts, its key taken back or not") {
  // The device has done so much when the host looks: the end finds its taking back on the way.
  for (const bool twice : {false, true}) {
    CAPTURE(twice);
    rdma_pair p(with_windows(true));
    raw_controller c(p, 16, raw_controller::accept(taken()));
    REQUIRE(c.connect());
    p.start();
    auto& read = p.send(2, 4096);
    auto& write = p.send(1, 8192);
    p.send(2, 4096);
    p.run();
    REQUIRE(c.capsules.size() == 3);
    c.post({.kind = rdma::work_kind::write,
            .remote_address = number(c.capsules[0], 24, 8),
            .remote_key = static_cast<std::uint32_t>(number(c.capsules[0], 35, 4))},
           octets(4096, std::byte{0xc3}));
    p.run();
    p.fabric->at_once = 3;
    c.send(raw_controller::response(0));
    if (twice) c.send(raw_controller::response(1, 0x80));
    // It is gone at the moment when they have arrived.
    p.right.step();
    c.wire->disconnect();
    p.run();
    CHECK(p.responses == (twice ? 2 : 1));
    CHECK(read.calls == 1);
    CHECK(read.bytes == 4096);
    CHECK(std::ranges::count(read.memory, std::byte{0xc3}) == 4096);
    CHECK(write.calls == 1);
    CHECK(write.bytes == 0);  // a failure moved nothing, and an end knows of nothing
    CHECK(bool(write.error) == !twice);
    REQUIRE(p.host_errors.size() == 1);
    CHECK_FALSE(p.host_errors[0].code);
    check_nothing_left(p, c);
  }
}

TEST_CASE("rdma: responses that find no receive wait at the controller, and fail there") {
  rdma_pair p;
  raw_controller c(p, 16, raw_controller::accept(taken()));
  REQUIRE(c.connect());
  // The host's program is not there yet, so nothing that comes is taken: 16 receives.
  for (std::uint64_t i = 0; i < 17; ++i) c.send(raw_controller::response(0));
  p.run();
  REQUIRE_FALSE(c.done.empty());
  CHECK(c.done[0] == rdma::work_status::not_ready_exceeded);
  p.start();
  p.run();
  REQUIRE(p.host_errors.size() == 1);
  CHECK(p.host_errors[0].violation.reason == "no command with this CID is outstanding");
  check_nothing_left(p, c);
}

TEST_CASE("rdma: data that never comes cannot be told from data that came") {
  rdma_pair p;
  raw_controller c(p, 16, raw_controller::accept(taken()));
  REQUIRE(c.connect());
  p.start();
  CHECK(p.host.caps().unseen_data);
  auto& read = p.send(2, 4096);
  auto& failed = p.send(2, 4096);
  p.run();
  c.send(raw_controller::response(0));
  c.send(raw_controller::response(1, 0x80));
  p.run();
  CHECK(p.responses == 2);
  CHECK(read.bytes == 4096);
  CHECK_FALSE(read.error);
  // With an error there is none, and the user's memory has not been touched.
  CHECK(failed.bytes == 0);
  CHECK(std::ranges::count(failed.memory, std::byte{0x5a}) == 4096);
  CHECK(p.host_errors.empty());
  check_nothing_left(p, c);
}

TEST_CASE("rdma: data that comes behind its response never reaches the user's memory") {
  for (const bool windows : {false, true}) {
    CAPTURE(windows);
    rdma_pair p(with_windows(windows));
    raw_controller c(p, 16, raw_controller::accept(taken()));
    REQUIRE(c.connect());
    p.start();
    auto& read = p.send(2, 4096);
    auto& other = p.send(2, 4096);
    p.run();
    const rdma::work_request late{
        .kind = rdma::work_kind::write,
        .remote_address = number(c.capsules[0], 24, 8),
        .remote_key = static_cast<std::uint32_t>(number(c.capsules[0], 35, 4))};
    c.send(raw_controller::response(0));
    p.run();
    REQUIRE(read.calls == 1);
    std::ranges::fill(read.memory, std::byte{0x11});
    c.post(late, octets(4096, std::byte{0xc3}));
    p.run();
    CHECK(std::ranges::count(read.memory, std::byte{0x11}) == 4096);
    // A key that was lent is no more; without keys of their own a block of ours is hit.
    CHECK(c.done.empty() == !windows);
    if (windows) CHECK(c.done.at(0) == rdma::work_status::remote_access);
    CHECK(p.host_errors.size() == (windows ? 1 : 0));
    CHECK(other.calls == (windows ? 1 : 0));
    if (windows) CHECK(p.host_errors.at(0).code == errc::reset);
    check_nothing_left(p, c);
  }
}

TEST_CASE("rdma: a host obeys CRQSIZE when it is small, and its own queue when it is large") {
  struct row {
    unsigned low, high;
    std::size_t receives, out;
  };
  for (const row& r : {row{1, 0, 1, 1}, row{5, 0, 5, 5}, row{0xff, 0xff, 16, 16}}) {
    CAPTURE(r.out);
    rdma_pair p;
    raw_controller c(p, r.receives, raw_controller::accept(octets_of({0, 0, r.low, r.high}, 196)));
    REQUIRE(c.connect());
    p.start();
    for (int i = 0; i < 16; ++i) p.send(0, 0);
    p.run();
    CHECK_FALSE(p.host.allocate_command(opcode(0)).has_value());
    CHECK(c.capsules.size() == r.out);
    // Each response lets one more leave.
    for (std::size_t i = 0; i < 16; ++i) {
      c.send(raw_controller::response(number(c.capsules.at(i), 2, 2)));
      p.run();
    }
    CHECK(c.capsules.size() == 16);
    CHECK(p.responses == 16);
    CHECK(p.fabric->not_ready == 0);
    CHECK(p.host_errors.empty());
    check_nothing_left(p, c);
  }
}

TEST_CASE("rdma: a response to nothing, there before the host knows of its queue") {
  rdma_pair p;
  raw_controller c(p, 16, [](raw_controller& by) {
    raw_controller::accept(taken())(by);
    by.send(raw_controller::response(0));
  });
  REQUIRE(c.connect());
  p.start();
  p.run();
  REQUIRE(p.host_errors.size() == 1);
  CHECK(p.host_errors[0].violation.reason == "no command with this CID is outstanding");
  CHECK(p.host_errors[0].violation.value == 0);
  check_nothing_left(p, c);
}

TEST_CASE("rdma: a controller that is gone after any step of a queue's life") {
  for (const bool windows : {false, true})
    for (int steps = 0;; ++steps) {
      CAPTURE(windows);
      CAPTURE(steps);
      rdma_pair p(with_windows(windows));
      int taken_steps = 0;
      bool all = false;
      p.connect();
      if (p.host) p.start();
      for (const auto& [code, size] : {std::pair{2, 9000}, {1, 9000}, {0, 0}, {1, 100}})
        p.send(code, static_cast<std::size_t>(size));
      while (taken_steps < steps && !all) {
        all = !(p.left.step() | p.right.step());
        ++taken_steps;
      }
      // Not clean: at once, whatever was on its way.
      p.controller.close(false);
      p.run();
      REQUIRE(p.host_errors.size() == 1);
      CHECK(p.controller_errors.empty());
      for (const auto& each : p.commands) CHECK(each.calls == (each.memory.empty() ? 0 : 1));
      p.end();
      CHECK(p.fetches == p.fetches_ended);
      CHECK(p.provider->qpairs() == 0);
      CHECK(p.fabric->regions == 0);
      CHECK(p.fabric->links[0] + p.fabric->links[1] == 0);
      if (all) {
        CHECK(p.responses == 4);
        CHECK(steps > 10);
        break;
      }
    }
}
