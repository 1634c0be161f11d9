// SPDX-License-Identifier: BSD-2-Clause
// Commands that are late: their memory comes back at once, Abort names them, their CID waits.
#include <doctest/doctest.h>

#include "support/host_fixture.hpp"

using namespace nvmf;
using namespace nvmf::test;
using namespace std::chrono_literals;

namespace {

struct timeout_fixture : host_fixture {
  std::vector<fake_command> held;
  std::vector<fake_command> aborts;  // held back too when asked for
  bool hold_aborts = false;
  std::vector<command_result> results;
  std::vector<time_point> ended;

  ~timeout_fixture() { host.reset(); }  // what is in flight ends in the members of this
  explicit timeout_fixture(std::uint32_t entries = 8) {
    options.io_queue_size = entries;
    options.timeout = 10s;
    REQUIRE(bring_up());
    controller->script = [this](const fake_command& c) {
      if (c.name() == "abort") {
        aborts.push_back(c);
        return hold_aborts;
      }
      if (c.qid == 0) return false;
      held.push_back(c);
      return true;
    };
  }
  void submit(std::span<std::byte> memory, std::chrono::milliseconds timeout = 0ms,
              std::uint16_t qid = 1) {
    sqe_bytes s{};
    s[0] = std::byte{0x02};
    host->submit(qid, s, memdesc::of(memory), memory.empty() ? direction::none : direction::receive,
                 timeout, [this](const command_result& r) {
                   results.push_back(r);
                   ended.push_back(on.now());
                 });
  }
  fake_qpair& queue() { return *controller->queue(1); }
};

}  // namespace

TEST_CASE("a late command ends on time, and Abort names its queue and CID") {
  timeout_fixture t;
  const time_point began = t.on.now();
  auto memory = std::make_unique<std::array<std::byte, 512>>();
  t.submit({});  // takes CID 0
  t.submit(*memory, 250ms);
  t.on.advance(249ms);
  CHECK(t.results.empty());
  t.on.advance(1ms);
  REQUIRE(t.results.size() == 1);
  CHECK(t.results[0].error == errc::timed_out);
  CHECK_FALSE(t.results[0].has_cqe);
  CHECK(t.ended[0] - began == 250ms);
  REQUIRE(t.aborts.size() == 1);
  CHECK((t.aborts[0].dword(10) & 0xffff) == 1);           // SQID
  CHECK((t.aborts[0].dword(10) >> 16) == t.held[1].cid);  // CID
  // The memory is ours again: what comes late finds none of it (ASan watches).
  memory.reset();
  t.queue().answer(t.held[1].cid, {.data = std::vector<std::byte>(512, std::byte{1})});
  CHECK(t.results.size() == 1);
  CHECK(t.host->up());
}

TEST_CASE("the default timeout is that of the options") {
  timeout_fixture t;
  t.submit({});
  t.on.advance(9999ms);
  CHECK(t.results.empty());
  t.on.advance(1ms);
  CHECK(t.results.size() == 1);
}

TEST_CASE("the CID of a late command is taken until its answer and that of its Abort have come") {
  for (const bool abort_first : {true, false}) {
    CAPTURE(abort_first);
    timeout_fixture t(3);
    t.hold_aborts = true;
    t.submit({}, 1s);
    t.on.advance(1s);
    REQUIRE(t.results.size() == 1);
    REQUIRE(t.aborts.size() == 1);
    const std::uint16_t cid = t.held[0].cid;
    const auto reused = [&] {
      // Two places: the late command holds one of them.
      const std::size_t before = t.held.size();
      t.submit({}, 5s);
      t.submit({}, 5s);
      t.on.run();
      bool again = false;
      for (std::size_t i = before; i < t.held.size(); ++i) {
        again |= t.held[i].cid == cid;
        t.queue().answer(t.held[i].cid, {});
        t.on.run();
      }
      return again;
    };
    CHECK_FALSE(reused());
    const auto answer_abort = [&] { t.aborts[0].on->answer(t.aborts[0].cid, {}); };
    const auto answer_command = [&] { t.queue().answer(cid, {.status = 0x007}); };
    abort_first ? answer_abort() : answer_command();
    CHECK_FALSE(reused());
    abort_first ? answer_command() : answer_abort();
    CHECK(reused());
    CHECK(t.host->up());
  }
}

TEST_CASE("a command that waits for a place can be late as well; no Abort is sent for it") {
  timeout_fixture t(2);
  t.submit({}, 60s);
  t.submit({}, 1s);
  t.submit({}, 2s);
  t.on.advance(1s);
  CHECK(t.results.size() == 1);
  t.on.advance(1s);
  CHECK(t.results.size() == 2);
  CHECK(t.results[1].error == errc::timed_out);
  CHECK(t.aborts.empty());
  CHECK(t.held.size() == 1);
}

TEST_CASE("commands that are late together are aborted as ACL allows") {
  timeout_fixture t;
  put(t.controller->identify, 258, 1, 3);
  t.hold_aborts = true;
  for (int i = 0; i < 6; ++i) t.submit({}, 1s);
  t.on.advance(1s);
  CHECK(t.results.size() == 6);
  CHECK(t.aborts.size() == 4);  // ACL 3 is 0's based
  t.aborts[0].on->answer(t.aborts[0].cid, {});
  t.on.run();
  CHECK(t.aborts.size() == 5);
  // What has been answered meanwhile needs no Abort any more.
  t.queue().answer(t.held[5].cid, {});
  t.aborts[1].on->answer(t.aborts[1].cid, {});
  t.aborts[2].on->answer(t.aborts[2].cid, {});
  t.on.run();
  CHECK(t.aborts.size() == 5);
  CHECK(t.host->up());
}

TEST_CASE("an Abort that fails with a status is an answer; one that is not answered is the end") {
  timeout_fixture t;
  t.hold_aborts = true;
  t.submit({}, 1s);
  t.on.advance(1s);
  REQUIRE(t.aborts.size() == 1);
  SUBCASE("status") {
    t.aborts[0].on->answer(t.aborts[0].cid, {.status = 0x103});
    t.on.advance(1h);
    CHECK(t.host->up());
  }
  SUBCASE("silence") {
    t.on.advance(9999ms);
    CHECK(t.host->up());
    t.on.advance(1ms);
    REQUIRE(t.lost.size() == 1);
    CHECK(t.lost[0].code == errc::timed_out);
    CHECK(t.lost[0].opcode == 0x08);
    CHECK(t.lost[0].detail.find("neither was its Abort") != std::string::npos);
    CHECK(t.on.timers() == 0);
  }
  CHECK(t.results.size() == 1);
}

TEST_CASE("a late admin command is aborted on queue 0") {
  timeout_fixture t;
  std::optional<fake_command> identify;
  t.controller->script = [&](const fake_command& c) {
    if (c.opcode() == 0x06) identify = c;
    if (c.name() == "abort") t.aborts.push_back(c);
    return c.opcode() == 0x06;
  };
  sqe_bytes s{};
  s[0] = std::byte{0x06};
  t.host->submit(0, s, {}, direction::none, 1s,
                 [&](const command_result& r) { t.results.push_back(r); });
  t.on.advance(1s);
  REQUIRE(t.results.size() == 1);
  REQUIRE(t.aborts.size() == 1);
  CHECK((t.aborts[0].dword(10) & 0xffff) == 0);
  CHECK((t.aborts[0].dword(10) >> 16) == identify->cid);
}

TEST_CASE(
    "memory that the peer writes itself cannot be taken back: the command waits for its end") {
  timeout_fixture t;
  t.queue().withdraws = false;
  std::array<std::byte, 512> memory{};
  t.submit(memory, 1s);
  t.on.advance(1s);
  REQUIRE(t.aborts.size() == 1);
  CHECK(t.results.empty());
  SUBCASE("the Abort works") {
    t.queue().answer(t.held[0].cid, {.status = 0x007});
    REQUIRE(t.results.size() == 1);
    CHECK(t.results[0].error == errc::timed_out);
    CHECK(t.host->up());
  }
  SUBCASE("nothing works: the connection ends, and with it the peer's access") {
    t.on.advance(9999ms);
    CHECK(t.results.empty());
    t.on.advance(1ms);
    REQUIRE(t.results.size() == 1);
    CHECK(t.results[0].error == errc::timed_out);
    REQUIRE(t.lost.size() == 1);
    CHECK(t.lost[0].code == errc::timed_out);
    CHECK(t.controller->queues_made[1].expired());
  }
}

TEST_CASE("one timer serves a queue, however many commands it carries") {
  timeout_fixture t;
  t.on.advance(1h);
  CHECK(t.on.timers() == 0);
  for (int i = 0; i < 6; ++i) t.submit({});
  CHECK(t.on.timers() == 1);
  t.on.run();
  for (const auto& c : t.held) t.queue().answer(c.cid, {});
  t.on.advance(1h);
  CHECK(t.on.timers() == 0);
  CHECK(t.results.size() == 6);
}
