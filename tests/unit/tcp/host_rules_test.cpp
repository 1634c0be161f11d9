// SPDX-License-Identifier: BSD-2-Clause
// What a host refuses, rule by rule: the TermReq on the wire and the error for the user.
#include "script.hpp"

using namespace nvmf;
using namespace nvmf::test;

namespace {

// A host with a read of 4096 bytes (CID 0), a write of 20000 by R2T (CID 1), a write of 100 bytes
// in its capsule (CID 2) and a command without data (CID 3).
struct fixture {
  explicit fixture(tcp::negotiated n = {.max_h2c_data = 4096}) : b(role::host, n) {
    b.start();
    capsules.push_back(b.send(2, memdesc::of(std::span{place}), direction::receive, read.hook()));
    capsules.push_back(b.send(1, memdesc::of(std::span{data}), direction::send, write.hook()));
    capsules.push_back(
        b.send(1, memdesc::of(std::span{data}.first(100)), direction::send, inside.hook()));
    capsules.push_back(b.send(0x18));
    b.take_out();
  }
  // `before` is fine, `bad` ends the connection; the header of `bad` comes back.
  void refuses(const octets& before, const octets& bad, unsigned fes, std::uint64_t fei,
               std::size_t header = 24) {
    b.feed(before);
    REQUIRE(b.errors == 0);
    b.take_out();
    const bool had_ended = read.calls == 1;
    b.feed(bad);
    b.check_terminated(fes, fei,
                       octets(bad.begin(), bad.begin() + static_cast<std::ptrdiff_t>(header)));
    for (const outcome* o : {&read, &write}) CHECK(o->calls == 1);
    // What had come of the data is not told to be good.
    CHECK((had_ended || read.error));
    CHECK(write.error);
    // What follows is not looked at.
    b.feed(response(3));
    CHECK(b.order.find('R') == std::string::npos);
  }
  outcome read, write, inside;
  octets place = octets(4096), data = fill(20'000, 1);
  bench b;
  std::vector<capsule> capsules;
};

const octets kib = fill(1024, 2);
const octets four = fill(4096, 3);

}  // namespace

TEST_CASE("responses to what is not outstanding: FES 1 at the CID") {
  SUBCASE("a CID never given") { fixture{}.refuses({}, response(4), 1, 20); }
  SUBCASE("the CID one past the queue") { fixture{}.refuses({}, response(31), 1, 20); }
  SUBCASE("FFFFh") { fixture{}.refuses({}, response(0xffff), 1, 20); }
  SUBCASE("one that was answered") {
    fixture f;
    f.b.feed(response(3));
    f.b.take_out();
    f.b.feed(response(3));
    f.b.check_terminated(1, 20, response(3));
  }
}

TEST_CASE("C2HData") {
  SUBCASE("unknown CCCID") { fixture{}.refuses({}, c2h(9, 0, kib), 1, 8); }
  SUBCASE("a write's CCCID") { fixture{}.refuses({}, c2h(1, 0, kib), 1, 8); }
  SUBCASE("a command without data") { fixture{}.refuses({}, c2h(3, 0, kib), 1, 8); }
  SUBCASE("a gap") { fixture{}.refuses(c2h(0, 0, kib), c2h(0, 2048, kib), 2, 0); }
  SUBCASE("not at the start") { fixture{}.refuses({}, c2h(0, 4, kib), 2, 0); }
  SUBCASE("a repeat") { fixture{}.refuses(c2h(0, 0, kib), c2h(0, 0, kib), 2, 0); }
  SUBCASE("an offset beyond the memory") { fixture{}.refuses({}, c2h(0, 4097, kib), 4, 0); }
  SUBCASE("more than the memory") { fixture{}.refuses(c2h(0, 0, kib), c2h(0, 1024, four), 4, 0); }
  SUBCASE("the end without LAST") { fixture{}.refuses({}, c2h(0, 0, four), 2, 0); }
  SUBCASE("data after LAST") {
    fixture{}.refuses(c2h(0, 0, kib, flag_last), c2h(0, 1024, kib), 2, 0);
  }
  SUBCASE("no data") {
    fixture{}.refuses({}, pdu(7, 0, le(0, 4) + le(0, 4) + le(0, 4) + hex("4*00")), 1, 16);
  }
  SUBCASE("DATAL below what PLEN carries") {
    octets bad = c2h(0, 0, kib);
    put(bad, 16, 1020, 4);
    fixture{}.refuses({}, bad, 1, 16);
  }
  SUBCASE("DATAL above what PLEN carries") {
    octets bad = c2h(0, 0, kib);
    put(bad, 16, 4096, 4);
    fixture{}.refuses({}, bad, 1, 16);
  }
  SUBCASE("SUCCESS without LAST") { fixture{}.refuses({}, c2h(0, 0, four, flag_success), 1, 1); }
  SUBCASE("an offset that wraps") {
    octets bad = c2h(0, 0, kib);
    put(bad, 12, 0xffff'fc00, 4);
    fixture{}.refuses({}, bad, 4, 0);
  }
}

TEST_CASE("R2T") {
  SUBCASE("unknown CCCID") { fixture{}.refuses({}, r2t(9, 0, 0, 4), 1, 8); }
  SUBCASE("for a read") { fixture{}.refuses({}, r2t(0, 0, 0, 4), 1, 8); }
  SUBCASE("for data that went in the capsule") { fixture{}.refuses({}, r2t(2, 0, 0, 4), 1, 8); }
  SUBCASE("for a command without data") { fixture{}.refuses({}, r2t(3, 0, 0, 4), 1, 8); }
  SUBCASE("not from the start") { fixture{}.refuses({}, r2t(1, 0, 4, 4), 2, 0); }
  SUBCASE("a gap") { fixture{}.refuses(r2t(1, 0, 0, 4), r2t(1, 0, 8, 4), 2, 0); }
  SUBCASE("a repeat") { fixture{}.refuses(r2t(1, 0, 0, 4), r2t(1, 0, 0, 4), 2, 0); }
  SUBCASE("an offset beyond the data") { fixture{}.refuses({}, r2t(1, 0, 20'001, 4), 4, 0); }
  SUBCASE("beyond the data") { fixture{}.refuses({}, r2t(1, 0, 0, 20'001), 4, 0); }
  SUBCASE("a range that wraps 32 bits") {
    fixture{}.refuses(r2t(1, 0, 0, 10'000), r2t(1, 1, 10'000, 0xffff'ffff), 4, 0);
  }
  SUBCASE("no length") { fixture{}.refuses({}, r2t(1, 0, 0, 0), 1, 16); }
  SUBCASE("more than MAXR2T") {
    fixture f;
    f.b.hold = true;
    f.b.feed(r2t(1, 0, 0, 4));
    REQUIRE(f.b.errors == 0);
    const octets bad = r2t(1, 1, 4, 4);
    f.b.hold = false;
    f.b.machine->enter_turn();
    f.b.machine->consume(bad);
    f.b.machine->leave_turn();
    f.b.drain();
    f.b.check_terminated(5, 0, bad);
  }
}

TEST_CASE("R2Ts of one byte each: 65,536 are kept, the next is one too many") {
  bench b(role::host, {.max_r2t = 0x10000, .max_h2c_data = 4096});
  b.start();
  octets data(0x20000);
  outcome done, other;
  const auto send = [&](outcome& o) {
    return b.send(1, memdesc::of(std::span{data}), direction::send, o.hook());
  };
  const auto first = send(done), second = send(other);
  b.take_out();
  b.hold = true;
  octets all;
  for (unsigned i = 0; i < 0x10000; ++i) {
    const octets one = r2t(0, i & 0xffff, i, 1);
    all.insert(all.end(), one.begin(), one.end());
  }
  b.feed(all);
  REQUIRE(b.errors == 0);
  const octets bad = r2t(1, 0, 0, 1);
  b.feed(bad);
  b.drain();
  b.check_terminated(5, 0, bad);
  CHECK(done.calls == 1);
  CHECK(done.bytes == 0);
  CHECK(other.calls == 1);
}

TEST_CASE("header digest: FES 3 with the digest that was received") {
  fixture f({.header_digest = true, .max_h2c_data = 4096});
  octets bad = response(3, 0, 0, {.header_digest = true});
  put(bad, 24, 0xdeadbeef, 4);
  f.refuses({}, bad, 3, 0xdeadbeef);
}

TEST_CASE("the common header: what has arrived of the header comes back") {
  SUBCASE("unknown type, at once from eight bytes") {
    fixture f;
    const octets bad = hex("08 00 18 00 18 00 00 00");
    f.b.feed(bad);
    f.b.check_terminated(1, 0, bad);
  }
  SUBCASE("PLEN of 4 GiB, at once from eight bytes") {
    fixture f;
    const octets bad = hex("07 00 18 18 ff ff ff ff");
    f.b.feed(bad);
    f.b.check_terminated(1, 4, bad);
  }
  SUBCASE("a header that says it is very long") {
    fixture f;
    const octets bad = hex("05 00 ff 00 ff 00 00 00") + fill(300, 1);
    f.b.feed(bad);
    f.b.check_terminated(1, 2, octets(bad.begin(), bad.begin() + 128));
  }
  SUBCASE("one byte at a time") {
    fixture f;
    f.b.feed_bytewise(hex("09 00 18 00 17 00 00 00"));
    f.b.check_terminated(1, 4, hex("09 00 18 00 17 00 00 00"));
  }
}

TEST_CASE("a TermReq of impossible length: no answer, closed at once") {
  fixture f;
  f.b.feed(hex("03 00 18 00 17 00 00 00"));
  CHECK(f.b.take_out().empty());
  CHECK(f.b.errors == 1);
  CHECK(f.b.error.code == errc::protocol_violation);
  CHECK(f.b.machine->after() == tcp::session::aftermath::drop);
}

TEST_CASE("our TermReq waits for the PDU that has begun, and nothing else leaves") {
  fixture f;
  f.b.hold = true;
  auto more =
      f.b.send(1, memdesc::of(std::span{f.data}.first(500)), direction::send, [](auto, auto) {});
  auto never = f.b.send(0x19);
  f.b.drain(100);
  const octets bad = response(77);
  f.b.feed(bad);
  const octets whole =
      command(1, 4, sgl::in_capsule, 500, octets(f.data.begin(), f.data.begin() + 500));
  f.data.assign(f.data.size(), std::byte{0});
  f.b.drain();
  CHECK(f.b.take_out() == whole + termreq(2, 1, 20, bad));
}

TEST_CASE("the qpair may be closed from the error callback; the TermReq still leaves") {
  fixture f;
  SUBCASE("let go of") {
    f.b.on_error = [&] { f.b.q = {}; };
  }
  SUBCASE("closed at once: there is nobody to talk to, but the TermReq is owed") {
    f.b.on_error = [&] { f.b.q.close(false); };
  }
  f.b.hold = true;
  f.b.feed(response(77));
  CHECK(f.b.errors == 1);
  CHECK(f.b.link->clean);
  f.b.drain();
  CHECK(f.b.take_out() == termreq(2, 1, 20, response(77)));
  f.capsules.clear();
}
