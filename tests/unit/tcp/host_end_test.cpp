// SPDX-License-Identifier: BSD-2-Clause
// The host's side: how a connection ends.
#include "session_cases.hpp"

using namespace nvmf;
using namespace nvmf::test;
using namespace nvmf::test::session_cases;

TEST_CASE("closing completes everything in flight, once, before it returns") {
  bench b(role::host, plain, {.queue_size = 1001});
  b.start();
  std::vector<std::unique_ptr<outcome>> all;
  std::vector<capsule> capsules;
  octets place(1000 * 16);
  octets data = fill(10'000, 15);
  b.hold = true;
  for (unsigned i = 0; i < 1000; ++i) {
    auto& o = *all.emplace_back(std::make_unique<outcome>());
    const auto mem = i % 2 == 0 ? memdesc::of(std::span{place}.subspan(i * 16, 16)) : of(data);
    capsules.push_back(b.send(2, mem, i % 2 == 0 ? direction::receive : direction::send, o.hook()));
  }
  b.drain(72 * 10 + 30);
  b.feed(r2t(1, 1, 0, 10'000));
  octets half = c2h(0, 0, fill(16, 1), flag_last);
  half.resize(30);
  b.feed(half);
  b.q.close();
  for (const auto& o : all) {
    CHECK(o->calls == 1);
    CHECK(o->error == errc::aborted);
  }
  CHECK(b.link->finished == 1);
  CHECK(b.link->clean);
  // Nothing of what may still leave lies in the user's memory: ASan sees it if it does.
  place = {};
  data = {};
  b.drain();
  CHECK(b.take_out().size() % 72 == 0);
}

TEST_CASE(
    "a capsule that is let go of, or is held at close, with data that was never transmitted") {
  bench b(role::host, plain);
  b.start();
  octets data = fill(10, 16);
  outcome dropped, held;
  std::array<std::byte, 64> sqe{};
  auto c = b.q.allocate_command(sqe);
  auto d = b.q.allocate_command(sqe);
  REQUIRE_FALSE(b.q.append_data(*c, of(data), 10, direction::send, dropped.hook()));
  CHECK(b.q.append_data(*c, of(data), 5, direction::send, held.hook()) == errc::busy);
  REQUIRE_FALSE(b.q.append_data(*d, of(data), 10, direction::send, held.hook()));
  c->reset();
  CHECK(dropped.calls == 0);
  b.on.run();
  CHECK(dropped.calls == 1);
  CHECK(dropped.error == errc::aborted);
  b.q.close();
  CHECK(held.calls == 1);
  CHECK(held.error == errc::aborted);
}

TEST_CASE("the end of the stream") {
  bench b(role::host, plain);
  b.start();
  octets place(4096);
  outcome done;
  auto c = b.send(2, of(place), direction::receive, done.hook());
  SUBCASE("at a boundary: a clean close, after all that came before") {
    auto d = b.send(0x18);
    b.machine->enter_turn();
    b.machine->consume(response(1));
    b.machine->end_of_input();
    b.machine->leave_turn();
    CHECK(b.order == "RE");
    CHECK_FALSE(b.error.code);
    CHECK(done.calls == 1);
    CHECK(done.error == errc::closed);
  }
  SUBCASE("within a header") {
    b.feed(hex("07 04 18"));
    b.eof();
    CHECK(b.error.code == errc::reset);
    CHECK(done.error == errc::reset);
  }
  SUBCASE("within data") {
    octets part = c2h(0, 0, fill(4096, 1), flag_last);
    part.resize(1000);
    b.feed(part);
    b.eof();
    CHECK(b.error.code == errc::reset);
    CHECK(done.calls == 1);
  }
  CHECK(b.errors == 1);
  std::array<std::byte, 64> sqe{};
  auto late = b.q.allocate_command(sqe);
  REQUIRE(late.has_value());
  CHECK(b.q.transmit(*late));
}

TEST_CASE("a TermReq with every reason there is, and one that is not: nothing more is sent") {
  for (unsigned fes = 0; fes <= 8; ++fes) {
    bench b(role::host, plain);
    b.start();
    outcome done;
    octets data = fill(10'000, 1);
    auto c = b.send(1, of(data), direction::send, done.hook());
    b.hold = true;
    auto d = b.send(0x19);
    b.feed(termreq(3, fes, 20, {}));
    b.take_out();
    b.drain();
    CHECK(b.take_out().empty());
    CHECK(b.errors == 1);
    CHECK(b.error.code == errc::terminated);
    CHECK(b.error.violation.fes == fes);
    CHECK(b.error.violation.fei == 20);
    CHECK(b.machine->after() == tcp::session::aftermath::drop);
    CHECK(done.error == errc::terminated);
    CHECK(done.calls == 1);
  }
}

TEST_CASE("a TermReq from the controller ends it with the controller's reason") {
  bench b(role::host, plain);
  b.start();
  auto c = b.send(0x18);
  const octets offending = b.take_out();
  auto d = b.send(0x19);
  b.take_out();
  b.feed(response(1) + termreq(3, 1, 4, offending));
  CHECK(b.order == "RE");
  CHECK(b.error.code == errc::terminated);
  CHECK(b.error.violation.fes == 1);
  CHECK(b.error.violation.fei == 4);
  CHECK(b.error.violation.offset == 4);
  CHECK(b.error.violation.structure == "capsule-cmd");
  CHECK(b.take_out().empty());
  CHECK(b.machine->after() == tcp::session::aftermath::drop);
}
