// SPDX-License-Identifier: BSD-2-Clause
// What a controller refuses, rule by rule: the TermReq on the wire and the error for the engine.
#include "script.hpp"

using namespace nvmf;
using namespace nvmf::test;

namespace {

// A controller with MAXH2CDATA 4096 that has asked for bytes 1000 to 9999 of command 5 (tag 0) and
// for all 100 bytes of command 6 (tag 1); command 7 came with its data.
struct fixture {
  explicit fixture(tcp::negotiated n = {.max_h2c_data = 4096}) : b(role::controller, n) {
    const dress as{.header_digest = n.header_digest, .data_digest = n.data_digest};
    b.start();
    b.feed(command(1, 5, sgl::transport, 20'000, {}, as) +
           command(1, 6, sgl::transport, 100, {}, as) +
           command(1, 7, sgl::in_capsule, 100, fill(100, 1), as));
    REQUIRE(b.received.size() == 3);
    REQUIRE_FALSE(b.q.receive_controller_data(b.received[0], 1000, memdesc::of(std::span{place}),
                                              9000, large.hook()));
    REQUIRE_FALSE(b.q.receive_controller_data(b.received[1], 0, memdesc::of(std::span{little}), 100,
                                              small.hook()));
    b.drain();
    REQUIRE(b.take_out() == r2t(5, 0, 1000, 9000, as) + r2t(6, 1, 0, 100, as));
  }
  void refuses(const octets& before, const octets& bad, unsigned fes, std::uint64_t fei,
               std::size_t header = 24) {
    b.feed(before);
    REQUIRE(b.errors == 0);
    b.take_out();
    b.feed(bad);
    b.check_terminated(fes, fei,
                       octets(bad.begin(), bad.begin() + static_cast<std::ptrdiff_t>(header)));
    CHECK(large.calls == 1);
    CHECK(large.error);
    const std::size_t so_far = b.received.size();
    b.feed(command(0x18, 99));
    CHECK(b.received.size() == so_far);
  }
  outcome large, small;
  octets place = octets(9000), little = octets(100);
  bench b;
};

const octets kib = fill(1024, 2);
const octets four = fill(4096, 3);
const octets all = fill(100, 4);

}  // namespace

TEST_CASE("H2CData: tag and CID") {
  SUBCASE("a tag never given") { fixture{}.refuses({}, h2c(5, 2, 1000, kib), 1, 10); }
  SUBCASE("FFFFh") { fixture{}.refuses({}, h2c(5, 0xffff, 1000, kib), 1, 10); }
  SUBCASE("a tag that is done") {
    fixture{}.refuses(h2c(6, 1, 0, all, flag_last), h2c(6, 1, 0, all, flag_last), 1, 10);
  }
  SUBCASE("the CID of another command") { fixture{}.refuses({}, h2c(6, 0, 1000, kib), 1, 8); }
  SUBCASE("a CID of nothing") { fixture{}.refuses({}, h2c(0xffff, 0, 1000, kib), 1, 8); }
  SUBCASE("data that went in the capsule") { fixture{}.refuses({}, h2c(7, 2, 0, all), 1, 10); }
}

TEST_CASE("H2CData when nothing was asked for: tag 0 is not outstanding either") {
  for (const sgl kind : {sgl::in_capsule, sgl::transport}) {
    bench b(role::controller);
    b.start();
    b.feed(command(1, 7, kind, 100, kind == sgl::in_capsule ? all : octets{}));
    REQUIRE(b.received.size() == 1);
    const octets bad = h2c(7, 0, 0, all, flag_last);
    b.feed(bad);
    b.check_terminated(1, 10, octets(bad.begin(), bad.begin() + 24));
  }
}

TEST_CASE("H2CData: range, order, length, LAST") {
  SUBCASE("before what was asked for") { fixture{}.refuses({}, h2c(5, 0, 999, kib), 4, 0); }
  SUBCASE("after it") { fixture{}.refuses({}, h2c(5, 0, 10'000, kib), 4, 0); }
  SUBCASE("across its end") {
    fixture{}.refuses(h2c(5, 0, 1000, four) + h2c(5, 0, 5096, four), h2c(5, 0, 9192, kib), 4, 0);
  }
  SUBCASE("an offset that wraps") { fixture{}.refuses({}, h2c(5, 0, 0xffff'fc00, kib), 4, 0); }
  SUBCASE("a gap") { fixture{}.refuses({}, h2c(5, 0, 2000, kib), 2, 0); }
  SUBCASE("a gap, and a DATAL that is wrong as well: the first in the header is told") {
    octets bad = h2c(5, 0, 2000, kib);
    put(bad, 16, 1020, 4);
    fixture{}.refuses({}, bad, 2, 0);
  }
  SUBCASE("a repeat") { fixture{}.refuses(h2c(5, 0, 1000, kib), h2c(5, 0, 1000, kib), 2, 0); }
  SUBCASE("more than MAXH2CDATA, from eight bytes") {
    fixture f;
    const octets whole = h2c(5, 0, 1000, fill(4100, 1));
    f.refuses({}, octets(whole.begin(), whole.begin() + 8), 5, 0, 8);
  }
  SUBCASE("DATAL alone says more than MAXH2CDATA") {
    octets bad = h2c(5, 0, 1000, kib);
    put(bad, 16, 4100, 4);
    fixture{}.refuses({}, bad, 5, 0);
  }
  SUBCASE("DATAL below what PLEN carries") {
    octets bad = h2c(5, 0, 1000, kib);
    put(bad, 16, 1020, 4);
    fixture{}.refuses({}, bad, 1, 16);
  }
  SUBCASE("DATAL above what PLEN carries") {
    octets bad = h2c(5, 0, 1000, kib);
    put(bad, 16, 1028, 4);
    fixture{}.refuses({}, bad, 1, 16);
  }
  SUBCASE("no data") {
    fixture{}.refuses({}, pdu(6, 0, le(5, 2) + le(0, 2) + le(1000, 4) + le(0, 4) + hex("4*00")), 1,
                      16);
  }
  SUBCASE("LAST too early") { fixture{}.refuses({}, h2c(5, 0, 1000, kib, flag_last), 2, 0); }
  SUBCASE("LAST missing") { fixture{}.refuses({}, h2c(6, 1, 0, all), 2, 0); }
}

TEST_CASE("command capsules") {
  SUBCASE("more data than any command may carry: a limit, from eight bytes") {
    fixture{}.refuses({}, hex("04 00 48 48 49 20 00 00"), 5, 0, 8);
  }
  SUBCASE("a PLEN of 4 GiB") { fixture{}.refuses({}, hex("04 00 48 48 ff ff ff ff"), 1, 4, 8); }
  SUBCASE("a second ICReq") {
    const octets bad = hex("00 00 80 00 80 00 00 00  120*00");
    fixture{}.refuses({}, bad, 2, 0, 128);
  }
  SUBCASE("a response") { fixture{}.refuses({}, response(5), 1, 0); }
  SUBCASE("header digest of data") {
    fixture f({.header_digest = true, .max_h2c_data = 4096});
    octets bad = h2c(5, 0, 1000, kib, 0, {.header_digest = true});
    bad[12] ^= std::byte{4};
    f.refuses({}, bad, 3, number(bad, 24, 4));
  }
  SUBCASE("header digest") {
    fixture f({.header_digest = true, .max_h2c_data = 4096});
    octets bad = command(2, 8, sgl::none, 0, {}, {.header_digest = true});
    bad[30] ^= std::byte{4};
    f.refuses({}, bad, 3, number(bad, 72, 4), 72);
  }
}

TEST_CASE("a TermReq from the host: closed, nothing more is sent") {
  for (unsigned fes = 1; fes <= 7; ++fes) {
    fixture f;
    f.b.hold = true;
    f.b.answer(7);
    f.b.hold = false;
    f.b.machine->enter_turn();
    f.b.machine->consume(termreq(2, fes, 20, response(7)));
    f.b.machine->leave_turn();
    f.b.drain();
    CHECK(f.b.take_out().empty());
    CHECK(f.b.errors == 1);
    CHECK(f.b.error.code == errc::terminated);
    CHECK(f.b.error.violation.fes == fes);
    CHECK(f.b.error.violation.fei == 20);
    CHECK(f.b.error.violation.structure == "capsule-resp");
    CHECK(f.b.machine->after() == tcp::session::aftermath::drop);
    CHECK(f.large.error == errc::terminated);
  }
}

TEST_CASE("a TermReq with 23 or 153 bytes: closed at once without an answer") {
  for (const char* plen : {"17", "99"}) {
    fixture f;
    f.b.feed(hex(std::string("02 00 18 00 ") + plen + " 00 00 00"));
    CHECK(f.b.take_out().empty());
    CHECK(f.b.errors == 1);
    CHECK(f.b.machine->after() == tcp::session::aftermath::drop);
  }
}

TEST_CASE("commands before a violation are delivered before the error") {
  fixture f;
  f.b.order.clear();
  f.b.feed(command(0x18, 20) + command(0x18, 21) + hex("ff 00 18 00 18 00 00 00"));
  CHECK(f.b.order == "CCE");
}
