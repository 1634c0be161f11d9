// SPDX-License-Identifier: BSD-2-Clause
// A host that stands still in the middle of something ends its own connection.
#include "session_cases.hpp"

using namespace nvmf;
using namespace nvmf::test;
using namespace nvmf::test::session_cases;
using namespace std::chrono_literals;
using std::chrono::milliseconds;

namespace {

constexpr auto limit = 8s;

qpair_params patient(milliseconds stall = limit) {
  qpair_params p;
  p.options.stall_timeout = stall;
  return p;
}

// It is over no sooner than the limit after now, and no later than a quarter more.
void ends_in_time(bench& b) {
  b.on.advance(limit - 1ms);
  CHECK(b.errors == 0);
  b.on.advance(limit / 4 + 1ms);
  CHECK(b.errors == 1);
  CHECK(b.error.code == errc::timed_out);
  CHECK(b.machine->after() == tcp::session::aftermath::drop);
  CHECK_FALSE(b.machine->has_output());
  CHECK(b.on.timers() == 0);
}

}  // namespace

TEST_CASE("stall: the rest of a PDU") {
  const octets whole = command(2, 7, sgl::transport, 512);
  for (const std::size_t part : {1u, 8u, 71u}) {
    CAPTURE(part);
    bench b(role::controller, plain, patient());
    b.start();
    b.feed(octets(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(part)));
    ends_in_time(b);
  }
}

TEST_CASE("stall: data that an R2T has asked for, which ends its command once") {
  bench b(role::controller, plain, patient());
  b.start();
  b.feed(command(1, 7, sgl::transport, 1000));
  octets memory(1000);
  test::outcome got;
  REQUIRE_FALSE(b.q.receive_controller_data(b.received.at(0), 0, memdesc::of(std::span{memory}),
                                            1000, got.hook()));
  b.feed({});
  CHECK(b.take_out() == r2t(7, 0, 0, 1000));
  b.on.advance(limit - 1ms);
  // A byte is progress.
  const octets data = h2c(7, 0, 0, fill(1000, 3), flag_last);
  b.feed(octets(data.begin(), data.begin() + 1));
  b.on.advance(limit - 1ms);
  CHECK(b.errors == 0);
  CHECK(got.calls == 0);
  b.on.advance(limit / 2);
  CHECK(b.errors == 1);
  CHECK(b.error.code == errc::timed_out);
  CHECK(got.calls == 1);
  CHECK(got.error == errc::timed_out);
}

TEST_CASE("stall: a host that does not read") {
  bench b(role::controller, plain, patient());
  b.start();
  b.hold = true;
  b.feed(command(2, 7, sgl::transport, 1000));
  const octets data = fill(1000, 7);
  released r;
  b.q.send_controller_data(b.received.at(0), 0, r.of(data));
  b.feed({});
  b.on.advance(limit - 1ms);
  b.drain(5);  // it does, a little
  ends_in_time(b);
  CHECK(r.times == 1);
}

TEST_CASE("stall: who owes nothing may be silent for ever, and costs no timer") {
  bench b(role::controller, plain, patient());
  b.start();
  b.feed(command(2, 7));
  b.answer(7);
  b.feed(command(2, 8));  // ours to answer
  b.on.advance(24h);
  CHECK(b.errors == 0);
  CHECK(b.on.timers() == 0);
  b.answer(8);
  CHECK(b.errors == 0);
}

TEST_CASE("stall: 0 is no limit, and hosts wait for their commands instead") {
  for (const role side : {role::controller, role::host}) {
    bench b(side, plain, patient(side == role::host ? limit : milliseconds(0)));
    b.start();
    const octets whole = side == role::host ? response(0) : command(2, 7);
    b.feed(octets(whole.begin(), whole.begin() + 9));
    b.on.advance(24h);
    CHECK(b.errors == 0);
    CHECK(b.on.timers() == 0);
  }
}

TEST_CASE("stall: a connection that is closed meanwhile is forgotten") {
  bench b(role::controller, plain, patient());
  b.start();
  b.feed(hex("04 00"));
  CHECK(b.on.timers() == 1);
  b.q = {};
  CHECK(b.on.timers() == 0);
  b.on.advance(1h);
  CHECK(b.errors == 0);
}
