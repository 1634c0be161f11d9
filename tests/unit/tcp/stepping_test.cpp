// SPDX-License-Identifier: BSD-2-Clause
// Single steps of a session, byte by byte: what it takes of a segment that holds several PDUs, of
// PDUs that come in pieces, and where what it writes is cut.
#include <functional>

#include "session_cases.hpp"

using namespace nvmf;
using namespace nvmf::test;
using namespace nvmf::test::session_cases;

namespace {

// A bench whose link has a socket buffer: bytes stay there until the session wants them.
struct socketed : bench {
  explicit socketed(role side, tcp::negotiated agreed = plain) : bench(side, agreed) {
    link->kernel = &kernel;
    hold = true;
    start();
  }
  void arrive(const octets& bytes) {
    kernel = kernel + bytes;
    pump();
  }
  // What the driver does, until nothing moves any more.
  void pump() {
    on.run();
    for (bool moved = true; moved;) {
      moved = false;
      machine->enter_turn();
      if (machine->wants_input() && !kernel.empty()) {
        const std::size_t n = std::min(machine->input_room(), kernel.size());
        REQUIRE(n > 0);
        const octets now = part(kernel, 0, n);
        kernel.erase(kernel.begin(), kernel.begin() + static_cast<std::ptrdiff_t>(n));
        machine->consume(now);
        moved = true;
      }
      machine->leave_turn();
      const std::size_t before = writes.size();
      write_all();
      moved = moved || writes.size() != before;
      on.run();
    }
  }
  void write_all() {
    while (machine->has_output()) {
      std::array<segment, 8> pieces;
      const std::size_t count = machine->gather(pieces, 100'000);
      if (count == 0) return;
      octets one;
      for (const segment& s : std::span{pieces}.first(count))
        one.insert(one.end(), s.data, s.data + s.size);
      writes.push_back(one);
      out = out + one;
      machine->enter_turn();
      machine->sent(one.size());
      machine->leave_turn();
    }
  }
  qpair_action step(action_kind which = action_kind::nothing) {
    std::vector<pause_report> told;
    REQUIRE_FALSE(q.step([&](const pause_report& r) { told.push_back(r); }, which));
    pump();
    REQUIRE(told.size() == 1);
    return told[0].done;
  }
  std::vector<std::size_t> write_sizes() {
    std::vector<std::size_t> sizes;
    for (const octets& w : std::exchange(writes, {})) sizes.push_back(w.size());
    return sizes;
  }

  octets kernel;
  std::vector<octets> writes;
};

}  // namespace

TEST_CASE("stepping: of a segment with three PDUs one is taken at a time, the rest stays") {
  for (const bool dressed_up : {false, true}) {
    CAPTURE(dressed_up);
    const dress as = dressed_up ? dressed : dress{};
    socketed b(role::controller, dressed_up ? digests : plain);
    REQUIRE_FALSE(b.q.pause());
    const octets data = fill(512, 1);
    const octets one = command(1, 7, sgl::in_capsule, 512, data, as);
    const octets two = command(2, 8, sgl::transport, 100, {}, as);
    const octets three = command(0, 9, sgl::none, 0, {}, as);
    b.arrive(one + two + three);
    CHECK(b.received.empty());
    CHECK(b.kernel == one + two + three);

    const qpair_action next = b.q.next_action();
    CHECK(next.kind == action_kind::receive);
    CHECK(next.unit == outgoing_kind::command);
    CHECK(next.has_cid);
    CHECK(next.cid == 7);
    const qpair_action done = b.step();
    CHECK(done.kind == action_kind::receive);
    CHECK(done.unit == outgoing_kind::command);
    CHECK(done.cid == 7);
    CHECK(done.bytes == one.size());
    REQUIRE(b.received.size() == 1);
    CHECK(std::ranges::equal(b.q.in_capsule_data(b.received[0]), data));
    CHECK(b.kernel == two + three);

    CHECK(b.step().cid == 8);
    CHECK(b.kernel == three);
    CHECK(b.received.size() == 2);
    REQUIRE_FALSE(b.q.resume());
    b.pump();
    CHECK(b.received.size() == 3);
    CHECK(b.kernel.empty());
  }
}

TEST_CASE("stepping: a PDU that comes byte by byte is one action") {
  socketed b(role::host, digests);
  octets memory(300);
  outcome data;
  auto c = b.send(2, of(memory), direction::receive, data.hook());
  b.pump();
  b.take_out();
  REQUIRE_FALSE(b.q.pause());
  std::vector<pause_report> told;
  REQUIRE_FALSE(b.q.step([&](const pause_report& r) { told.push_back(r); }));
  const octets content = fill(300, 2);
  const octets bytes = c2h(0, 0, content, flag_last, dressed);
  auto other = b.send(0);  // must wait now that a PDU is half taken
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    CHECK(told.empty());
    CHECK(data.calls == 0);
    if (i == 0) {
      // Sending came first: it was there first.
      b.pump();
      REQUIRE(told.size() == 1);
      CHECK(told[0].done.kind == action_kind::send);
      told.clear();
      REQUIRE_FALSE(b.q.step([&](const pause_report& r) { told.push_back(r); }));
    }
    b.arrive(part(bytes, i, 1));
    if (i == 20) {
      CHECK(b.q.inside().bytes_of_pdu == 21);
      b.take_out();
      auto late = b.send(0);
      b.pump();
      CHECK(b.take_out().empty());
    }
  }
  REQUIRE(told.size() == 1);
  CHECK(told[0].done.kind == action_kind::receive);
  CHECK(told[0].done.unit == outgoing_kind::controller_data);
  CHECK(told[0].done.cid == 0);
  CHECK(told[0].done.bytes == bytes.size());
  CHECK(data.calls == 1);
  CHECK(memory == content);
  CHECK(b.take_out().empty());
  CHECK(b.q.paused());
}

TEST_CASE("stepping: paused in the middle of a PDU, it goes on there") {
  socketed b(role::controller, plain);
  const octets bytes = command(1, 7, sgl::in_capsule, 512, fill(512, 1));
  b.arrive(part(bytes, 0, 100));
  REQUIRE_FALSE(b.q.pause());
  CHECK(b.q.inside().bytes_of_pdu == 100);
  b.arrive(part(bytes, 100, bytes.size() - 100));
  CHECK(b.kernel.size() == bytes.size() - 100);
  const qpair_action next = b.q.next_action();
  CHECK(next.kind == action_kind::receive);
  CHECK(next.unit == outgoing_kind::command);
  CHECK(next.cid == 7);
  CHECK(b.step().bytes == bytes.size());
  CHECK(b.received.size() == 1);
}

TEST_CASE("stepping: a break point on an R2T, and the data it asks for PDU by PDU") {
  socketed b(role::host, plain);
  octets data = fill(10'000, 1);
  outcome moved;
  auto c = b.send(1, of(data), direction::send, moved.hook());
  b.pump();
  b.take_out();
  std::vector<pause_report> told;
  REQUIRE_FALSE(b.q.break_when(
      [](const event& e) noexcept {
        return e.type == event_type::pdu_in && e.header[0] == std::byte{9};
      },
      [&](const pause_report& r) { told.push_back(r); }));
  b.arrive(r2t(0, 5, 0, 10'000) + response(0));
  REQUIRE(told.size() == 1);
  CHECK(told[0].cause == pause_cause::break_point);
  CHECK(told[0].event == event_type::pdu_in);
  CHECK(told[0].done.unit == outgoing_kind::request);
  CHECK(b.kernel == response(0));
  CHECK(b.take_out().empty());

  const qpair_inside in = b.q.inside();
  CHECK(in.break_point);
  REQUIRE(in.r2ts.size() == 1);
  CHECK(in.r2ts[0].cid == 0);
  CHECK(in.r2ts[0].ttag == 5);
  CHECK(in.r2ts[0].length == 10'000);
  REQUIRE(in.commands.size() == 1);
  CHECK(in.commands[0].awaits == "its data to leave");

  const std::array<octets, 3> pdus = {h2c(0, 5, 0, part(data, 0, 4096), 0),
                                      h2c(0, 5, 4096, part(data, 4096, 4096), 0),
                                      h2c(0, 5, 8192, part(data, 8192, 1808), flag_last)};
  for (const octets& pdu : pdus) {
    CHECK(moved.calls == 0);
    CHECK(b.q.next_action().unit == outgoing_kind::host_data);
    CHECK(b.q.next_action().bytes == pdu.size());
    CHECK(b.step().unit == outgoing_kind::host_data);
    CHECK(b.take_out() == pdu);
  }
  CHECK(moved.calls == 1);
  CHECK(b.step().unit == outgoing_kind::response);
  CHECK(b.received.size() == 1);
}

TEST_CASE("stepping: a break point in the data of a PDU waits for the rest of it") {
  socketed b(role::controller, plain);
  std::vector<pause_report> told;
  REQUIRE_FALSE(b.q.break_when([](const event& e) noexcept { return e.type == event_type::pdu_in; },
                               [&](const pause_report& r) { told.push_back(r); }));
  const octets bytes = command(1, 7, sgl::in_capsule, 512, fill(512, 1));
  b.arrive(part(bytes, 0, 100));
  CHECK(told.empty());
  CHECK(b.q.paused());  // but for the rest of it
  b.arrive(part(bytes, 100, bytes.size() - 100) + command(0, 8));
  REQUIRE(told.size() == 1);
  CHECK(told[0].done.cid == 7);
  CHECK(b.received.size() == 1);
  CHECK(b.kernel == command(0, 8));
}

TEST_CASE("stepping: a breach is taken, its TermReq waits, and closing sends it") {
  socketed b(role::controller, plain);
  REQUIRE_FALSE(b.q.pause());
  octets bad = command(0, 1);
  bad[4] = std::byte{0xff};  // PLEN
  b.arrive(bad);
  CHECK(b.step().kind == action_kind::receive);
  CHECK(b.errors == 1);
  CHECK(b.take_out().empty());
  CHECK(b.q.next_action().unit == outgoing_kind::termination);
  b.step();
  CHECK(b.take_out().size() == 24 + 8);
}

TEST_CASE("stepping: the peer's end is an action") {
  socketed b(role::host, plain);
  REQUIRE_FALSE(b.q.pause());
  b.link->ended = true;
  CHECK(b.q.next_action().kind == action_kind::end);
  std::vector<pause_report> told;
  REQUIRE_FALSE(b.q.step([&](const pause_report& r) { told.push_back(r); }));
  b.eof();
  b.on.run();
  REQUIRE(told.size() == 1);
  CHECK(told[0].done.kind == action_kind::end);
  CHECK(b.errors == 1);
}

TEST_CASE("cut: writes end where they are told to, over PDUs, and go on as usual") {
  socketed b(role::host, plain);
  const std::array<std::size_t, 4> sizes{1, 7, 70, 5};
  REQUIRE_FALSE(b.q.cut_writes(sizes));
  auto first = b.send(0);
  b.pump();  // 72 bytes: 1, 7 and 64 of the 70
  CHECK(b.write_sizes() == std::vector<std::size_t>{1, 7, 64});
  auto second = b.send(0);
  auto third = b.send(0);
  b.pump();
  CHECK(b.write_sizes() == std::vector<std::size_t>{6, 5, 133});
  const octets all = b.take_out();
  CHECK(part(all, 0, 72) == command(0, 0));
  CHECK(part(all, 72, 72) == command(0, 1));
  CHECK(part(all, 144, 72) == command(0, 2));

  const std::array<std::size_t, 1> none{0};
  CHECK(b.q.cut_writes(none) == errc::invalid_argument);
  REQUIRE_FALSE(b.q.cut_writes(std::array<std::size_t, 1>{3}));
  REQUIRE_FALSE(b.q.cut_writes({}));
  auto fourth = b.send(0);
  b.pump();
  CHECK(b.write_sizes() == std::vector<std::size_t>{72});
}

TEST_CASE("join: what was sent while paused leaves in one write") {
  socketed b(role::host, plain);
  REQUIRE_FALSE(b.q.pause());
  auto first = b.send(0);
  auto second = b.send(0);
  b.pump();
  CHECK(b.writes.empty());
  REQUIRE_FALSE(b.q.resume());
  b.pump();
  CHECK(b.write_sizes() == std::vector<std::size_t>{144});
}

TEST_CASE("raw bytes leave as they are, in their place") {
  socketed b(role::host, digests);
  REQUIRE_FALSE(b.q.pause());
  auto first = b.send(0);
  octets raw = fill(33, 9);
  REQUIRE_FALSE(b.q.send_raw(raw));
  const octets kept = std::exchange(raw, {});
  auto second = b.send(0);
  CHECK(b.q.send_raw({}) == errc::invalid_argument);
  const qpair_inside in = b.q.inside();
  REQUIRE(in.to_send.size() == 3);
  CHECK_FALSE(in.to_send[1].kind.has_value());
  CHECK(in.to_send[1].size == 33);
  CHECK(in.bytes_to_send == 76 + 33 + 76);
  b.step();
  CHECK_FALSE(b.q.next_action().unit.has_value());
  CHECK(b.q.next_action().bytes == 33);
  b.step();
  b.step();
  CHECK(b.take_out() ==
        command(0, 0, sgl::none, 0, {}, dressed) + kept + command(0, 1, sgl::none, 0, {}, dressed));
}
