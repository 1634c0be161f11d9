// SPDX-License-Identifier: BSD-2-Clause
// Commands on an association that is up: order, depth, what ends a command, and how often.
#include <doctest/doctest.h>

#include "support/host_fixture.hpp"

using namespace nvmf;
using namespace nvmf::test;
using namespace std::chrono_literals;

namespace {

sqe_bytes read_command(std::uint32_t mark = 0) {
  sqe_bytes s{};
  s[0] = std::byte{0x02};
  put(s, 40, 4, mark);  // SLBA
  return s;
}

// Holds back the commands of I/O queues.
struct command_fixture : host_fixture {
  std::vector<fake_command> held;
  std::vector<command_result> results;
  std::vector<std::byte> memory = std::vector<std::byte>(4096);

  ~command_fixture() { host.reset(); }  // what is in flight ends in the members of this
  explicit command_fixture(std::uint32_t entries = 128) {
    options.io_queue_size = entries;
    REQUIRE(bring_up());
    controller->script = [this](const fake_command& c) {
      if (c.qid == 0) return false;
      held.push_back(c);
      return true;
    };
  }
  void read(std::uint32_t mark = 0, std::chrono::milliseconds timeout = 0ms) {
    host->submit(1, read_command(mark), memdesc::of(std::span(memory)), direction::receive, timeout,
                 [this](const command_result& r) { results.push_back(r); });
  }
  fake_qpair& queue() { return *controller->queue(1); }
};

}  // namespace

TEST_CASE("a command ends after its data and its CQE, in either order") {
  for (const bool data_last : {false, true}) {
    CAPTURE(data_last);
    command_fixture t;
    t.read();
    CHECK(t.results.empty());
    t.on.run();
    REQUIRE(t.held.size() == 1);
    CHECK(t.results.empty());
    t.queue().answer(t.held[0].cid, {.result = 0x1122334455667788,
                                     .data = std::vector<std::byte>(4096, std::byte{0x5a}),
                                     .sqhd = 9,
                                     .data_last = data_last});
    REQUIRE(t.results.size() == 1);
    CHECK(t.results[0].ok());
    CHECK(t.results[0].has_cqe);
    CHECK(t.results[0].sqhd_valid);
    CHECK(t.results[0].bytes == 4096);
    CHECK(peek(t.results[0].cqe, 0, 8) == 0x1122334455667788);
    CHECK(peek(t.results[0].cqe, 8, 2) == 9);
    CHECK(t.memory == std::vector<std::byte>(4096, std::byte{0x5a}));
    CHECK(t.queue().taken() == 0);
  }
}

TEST_CASE("an error status without data is not a failure of the transport") {
  command_fixture t;
  t.read();
  t.on.run();
  t.queue().answer(t.held[0].cid, {.status = 0x080, .dnr = true});
  REQUIRE(t.results.size() == 1);
  CHECK_FALSE(t.results[0].ok());
  CHECK_FALSE(t.results[0].error);
  CHECK(t.results[0].status.raw_code() == 0x080);
  CHECK(t.results[0].status.dnr);
  CHECK(t.results[0].bytes == 0);
}

TEST_CASE("a data error with a good CQE fails that command alone") {
  for (const bool data_last : {false, true}) {
    command_fixture t;
    t.read();
    t.read();
    t.on.run();
    t.queue().answer(t.held[0].cid, {.data = std::vector<std::byte>(4096),
                                     .data_error = errc::data_digest,
                                     .data_last = data_last});
    REQUIRE(t.results.size() == 1);
    CHECK(t.results[0].error == errc::data_digest);
    CHECK(t.results[0].has_cqe);
    t.queue().answer(t.held[1].cid, {.data = std::vector<std::byte>(4096)});
    REQUIRE(t.results.size() == 2);
    CHECK(t.results[1].ok());
    CHECK(t.host->up());
  }
}

TEST_CASE("a queue of n entries holds n - 1 commands; the rest wait and go in order") {
  command_fixture t(4);
  for (std::uint32_t i = 0; i < 10; ++i) t.read(i);
  t.on.run();
  CHECK(t.held.size() == 3);
  for (std::size_t i = 0; i < 10; ++i) {
    REQUIRE(t.held.size() == std::min<std::size_t>(10, i + 3));
    CHECK(t.held[i].dword(10) == i);
    t.queue().answer(t.held[i].cid, {.data = std::vector<std::byte>(4096)});
    t.on.run();
    CHECK(t.queue().taken() <= 3);
  }
  CHECK(t.results.size() == 10);
}

TEST_CASE("MAXCMD bounds what is outstanding") {
  host_fixture t;
  put(t.controller->identify, 514, 2, 2);
  REQUIRE(t.bring_up());
  std::size_t held = 0;
  t.controller->script = [&](const fake_command& c) { return c.qid == 1 && ++held > 0; };
  for (int i = 0; i < 5; ++i)
    t.host->submit(1, read_command(), {}, direction::none, 0ms, [](const command_result&) {});
  t.on.run();
  CHECK(held == 2);
  // SQSIZE, 0's based: three entries hold two commands.
  for (const auto& c : t.controller->seen)
    if (c.name() == "connect 1") CHECK(peek(c.sqe, 44, 2) == 2);
}

TEST_CASE("a callback may send the next command, and finds the place of its own free") {
  command_fixture t(2);
  int rounds = 0;
  std::function<void()> next = [&] {
    t.host->submit(1, read_command(), {}, direction::none, 0ms, [&](const command_result& r) {
      CHECK(r.ok());
      if (++rounds < 100) next();
    });
  };
  t.controller->script = nullptr;
  next();
  t.on.run();
  CHECK(rounds == 100);
}

TEST_CASE("a queue that does not exist, and data that cannot be received") {
  command_fixture t;
  const auto ends = [&](std::uint16_t qid, const memdesc& mem) {
    std::optional<command_result> got;
    t.host->submit(qid, read_command(), mem, direction::receive, 0ms,
                   [&](const command_result& r) { got = r; });
    CHECK_FALSE(got.has_value());
    t.on.run();
    REQUIRE(got.has_value());
    CHECK_FALSE(got->has_cqe);
    return got->error;
  };
  CHECK(ends(2, memdesc::of(std::span(t.memory))) == errc::invalid_argument);
  const std::span<const std::byte> constant(t.memory);
  CHECK(ends(1, memdesc::of(constant)) == errc::invalid_argument);
  CHECK(t.queue().taken() == 0);
  CHECK(t.held.empty());
}

TEST_CASE("a transport that refuses to transmit fails that command once, later") {
  for (const bool with_data : {true, false}) {
    command_fixture t;
    t.queue().refuse_transmit = true;
    int ended = 0;
    t.host->submit(1, read_command(), with_data ? memdesc::of(std::span(t.memory)) : memdesc{},
                   with_data ? direction::receive : direction::none, 0ms,
                   [&](const command_result& r) {
                     ++ended;
                     CHECK(r.error == errc::closed);
                   });
    CHECK(ended == 0);
    t.on.run();
    CHECK(ended == 1);
    CHECK(t.queue().taken() == 0);
  }
}

TEST_CASE("what was refused is told before the association is lost, and before it is gone") {
  for (const std::uint16_t qid : std::initializer_list<std::uint16_t>{1, 9}) {
    for (const bool lost : {true, false}) {
      CAPTURE(qid);
      command_fixture t;
      t.queue().refuse_transmit = true;
      int ended = 0;
      t.host->submit(qid, read_command(), {}, direction::none, 0ms, [&](const command_result& r) {
        ++ended;
        CHECK(r.error);
        CHECK(t.lost.empty());
      });
      CHECK(ended == 0);
      if (lost)
        t.queue().fail({.code = errc::reset});
      else
        t.host.reset();
      CHECK(ended == 1);
      CHECK(t.lost.size() == (lost ? 1 : 0));
      t.on.run();
      CHECK(ended == 1);
    }
  }
}

TEST_CASE("who sends again whenever he is refused does not keep the end from coming") {
  command_fixture t;
  t.queue().refuse_transmit = true;
  int refused = 0;
  std::function<void(const command_result&)> again = [&](const command_result&) {
    if (++refused == 1000) return;
    t.host->submit(1, read_command(), {}, direction::none, 0ms, again);
  };
  t.host->submit(1, read_command(), {}, direction::none, 0ms, again);
  t.queue().fail({.code = errc::reset});
  CHECK(t.lost.size() == 1);
  CHECK(refused == 1);
  t.on.run();
  CHECK(refused == 1000);
}

TEST_CASE("the loss of one queue ends every command of every queue, then the association") {
  host_fixture t;
  t.options.io_queues = 2;
  REQUIRE(t.bring_up());
  t.controller->script = [](const fake_command&) { return true; };
  std::vector<std::byte> memory(512);
  std::vector<std::error_code> ends;
  for (const std::uint16_t qid : std::initializer_list<std::uint16_t>{0, 1, 2, 1, 2})
    t.host->submit(qid, read_command(), memdesc::of(std::span(memory)), direction::receive, 0ms,
                   [&](const command_result& r) {
                     CHECK(t.lost.empty());
                     ends.push_back(r.error);
                   });
  t.on.run();
  t.controller->queue(2)->fail({.code = errc::reset, .violation = {}});
  CHECK(ends.size() == 5);
  for (const auto& e : ends) CHECK((e == errc::reset || e == errc::aborted));
  REQUIRE(t.lost.size() == 1);
  CHECK(t.lost[0].code == errc::reset);
  CHECK(t.lost[0].stage == host_stage::ready);
  CHECK(t.lost[0].detail.find("I/O queue 2") != std::string::npos);
  CHECK_FALSE(t.host->up());
  CHECK(t.ups == 1);
  CHECK(t.on.timers() == 0);
}

TEST_CASE("what waits for a place ends with the association too") {
  command_fixture t(2);
  for (int i = 0; i < 4; ++i) t.read();
  t.on.run();
  REQUIRE(t.held.size() == 1);
  SUBCASE("lost") {
    t.queue().fail({.code = errc::closed, .violation = {}});
    REQUIRE(t.lost.size() == 1);
  }
  SUBCASE("let go") { t.host.reset(); }
  CHECK(t.results.size() == 4);
  for (const auto& r : t.results) CHECK(r.error);
}

TEST_CASE("a second answer to a command is the end of the association") {
  command_fixture t;
  t.read();
  t.read();
  t.on.run();
  t.queue().answer(t.held[0].cid, {.data = std::vector<std::byte>(4096)});
  t.queue().respond(t.held[0].cid, {});
  REQUIRE(t.lost.size() == 1);
  CHECK(t.lost[0].code == errc::protocol_violation);
  CHECK(t.results.size() == 2);
}

TEST_CASE("the association may be let go from any callback") {
  SUBCASE("of a command, with others in flight") {
    command_fixture t;
    int ended = 0;
    for (int i = 0; i < 3; ++i)
      t.host->submit(1, read_command(), memdesc::of(std::span(t.memory)), direction::receive, 0ms,
                     [&](const command_result&) {
                       if (++ended == 1) t.host.reset();
                     });
    t.on.run();
    t.queue().answer(t.held[1].cid, {.data = std::vector<std::byte>(4096)});
    CHECK(ended == 3);
    CHECK(t.lost.empty());
  }
  SUBCASE("of the loss") {
    command_fixture t;
    t.read();
    t.on.run();
    t.when_lost = [&] { t.host.reset(); };
    t.queue().fail({.code = errc::reset, .violation = {}});
    CHECK(t.lost.size() == 1);
    CHECK(t.results.size() == 1);
  }
  SUBCASE("of its coming up") {
    host_fixture t;
    t.when_up = [&] { t.host.reset(); };
    t.start();
    t.on.advance(1h);
    CHECK(t.ups == 1);
    CHECK(t.on.timers() == 0);
  }
  SUBCASE("of a command that ends because of the loss") {
    command_fixture t;
    int ended = 0;
    for (int i = 0; i < 3; ++i)
      t.host->submit(1, read_command(), memdesc::of(std::span(t.memory)), direction::receive, 0ms,
                     [&](const command_result&) {
                       if (++ended == 2) t.host.reset();
                     });
    t.on.run();
    t.queue().fail({.code = errc::reset, .violation = {}});
    CHECK(ended == 3);
    CHECK(t.lost.empty());
  }
}

TEST_CASE("a command that a callback of the loss sends is refused, not lost") {
  command_fixture t;
  int later = 0;
  t.host->submit(1, read_command(), {}, direction::none, 0ms, [&](const command_result&) {
    t.host->submit(1, read_command(), {}, direction::none, 0ms, [&](const command_result& r) {
      ++later;
      CHECK(r.error == errc::aborted);
    });
  });
  t.on.run();
  t.queue().fail({.code = errc::reset, .violation = {}});
  CHECK(later == 0);
  t.on.run();
  CHECK(later == 1);
}
