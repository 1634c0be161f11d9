// SPDX-License-Identifier: BSD-2-Clause
// The IC exchange with bytes written by hand from NVMe/TCP 3.6.2.2 and 3.6.2.3.
#include "tcp/session/ic_exchange.hpp"
#include "script.hpp"

using namespace nvmf;
using namespace nvmf::test;
using tcp::ic_exchange;

namespace {

using standing = ic_exchange::standing;

octets icreq(unsigned hpda, unsigned digests, std::uint64_t maxr2t) {
  return hex("00 00 80 00 80 00 00 00  00 00") + le(hpda, 1) + le(digests, 1) + le(maxr2t, 4) +
         hex("112*00");
}
octets icresp(unsigned cpda, unsigned digests, std::uint64_t maxh2cdata) {
  return hex("01 00 80 00 80 00 00 00  00 00") + le(cpda, 1) + le(digests, 1) + le(maxh2cdata, 4) +
         hex("112*00");
}

octets take(ic_exchange& x) {
  const auto out = x.output();
  octets b(out.begin(), out.end());
  x.sent(b.size());
  return b;
}

ic_exchange host_with(transport_options o) {
  ic_exchange x(role::host, o, {});
  take(x);
  return x;
}
ic_exchange controller_with(transport_options o) { return {role::controller, o, {}}; }

// As a socket does it: never more than it wants.
void feed(ic_exchange& x, std::span<const std::byte> in) {
  while (!in.empty() && x.wanted() > 0) {
    const auto n = std::min(in.size(), x.wanted());
    x.consume(in.first(n));
    in = in.subspan(n);
  }
}

// The exchange failed with exactly this TermReq, whose error data is what of `bad` had been read.
void check_refused(ic_exchange& x, const octets& bad, unsigned fes, std::uint64_t fei,
                   std::size_t seen, unsigned type) {
  REQUIRE(x.stands() == standing::failed);
  CHECK(x.wanted() == 0);
  CHECK(x.error().code == errc::protocol_violation);
  CHECK(x.error().violation.fes == fes);
  CHECK(x.error().violation.fei == fei);
  CHECK_FALSE(x.error().violation.reason.empty());
  CHECK(take(x) == termreq(type, fes, fei,
                           octets(bad.begin(), bad.begin() + static_cast<std::ptrdiff_t>(seen))));
}

}  // namespace

TEST_CASE("what a host asks, bit for bit") {
  const auto asked = [](std::uint32_t alignment, bool header, bool data, std::uint32_t r2ts) {
    transport_options o;
    o.alignment = alignment;
    o.header_digest = header;
    o.data_digest = data;
    o.max_r2t = r2ts;
    ic_exchange x(role::host, o, {});
    return take(x);
  };
  CHECK(asked(4, false, false, 1) == icreq(0, 0, 0));
  CHECK(asked(8, true, false, 2) == icreq(1, 1, 1));
  CHECK(asked(64, false, true, 16) == icreq(15, 2, 15));
  CHECK(asked(128, true, true, 65536) == icreq(31, 3, 65535));
}

TEST_CASE("what a controller answers: digests it allows and was asked for, its own limits") {
  for (unsigned asked = 0; asked < 4; ++asked)
    for (unsigned allowed = 0; allowed < 4; ++allowed) {
      transport_options o;
      o.header_digest = (allowed & 1) != 0;
      o.data_digest = (allowed & 2) != 0;
      o.alignment = 32;
      o.max_h2c_data = 131'072;
      auto x = controller_with(o);
      feed(x, icreq(31, asked, 65535));
      REQUIRE(x.stands() == standing::done);
      CHECK(take(x) == icresp(7, asked & allowed, 131'072));
      CHECK(x.agreed().header_digest == ((asked & allowed & 1) != 0));
      CHECK(x.agreed().data_digest == ((asked & allowed & 2) != 0));
      CHECK(x.agreed().host_alignment == 128);
      CHECK(x.agreed().controller_alignment == 32);
      CHECK(x.agreed().max_r2t == 65536);
      CHECK(x.agreed().max_h2c_data == 131'072);
    }
}

TEST_CASE("what a controller offers unless it is told otherwise") {
  auto x = controller_with({});
  feed(x, icreq(0, 0, 0));
  const octets answer = take(x);
  REQUIRE(answer.size() == 128);
  CHECK(number(answer, 10, 1) <= 31);
  CHECK(number(answer, 12, 4) >= 4096);
  CHECK(number(answer, 12, 4) % 4 == 0);
  // The rest is as it must be, whatever these two are.
  CHECK(answer == icresp(static_cast<unsigned>(number(answer, 10, 1)), 0, number(answer, 12, 4)));
}

TEST_CASE("every MAXR2T is accepted; more than there are tags means as many") {
  for (const auto& [sent, kept] : std::vector<std::pair<std::uint64_t, std::uint32_t>>{
           {0, 1}, {3, 4}, {65535, 65536}, {65536, 65536}, {0xffff'ffff, 65536}}) {
    auto x = controller_with({});
    feed(x, icreq(0, 0, sent));
    REQUIRE(x.stands() == standing::done);
    CHECK(x.agreed().max_r2t == kept);
  }
}

TEST_CASE("what a host makes of a good answer, whole and byte by byte") {
  transport_options o;
  o.header_digest = o.data_digest = true;
  o.alignment = 16;
  o.max_r2t = 5;
  for (const std::size_t step : {1u, 7u, 128u}) {
    auto x = host_with(o);
    const octets answer = icresp(3, 2, 4096);
    for (std::size_t at = 0; at < answer.size(); at += step)
      feed(x, std::span{answer}.subspan(at, std::min(step, answer.size() - at)));
    REQUIRE(x.stands() == standing::done);
    CHECK_FALSE(x.agreed().header_digest);
    CHECK(x.agreed().data_digest);
    CHECK(x.agreed().host_alignment == 16);
    CHECK(x.agreed().controller_alignment == 16);
    CHECK(x.agreed().max_r2t == 5);
    CHECK(x.agreed().max_h2c_data == 4096);
    CHECK(x.wanted() == 0);
    CHECK(std::ranges::equal(x.response(), answer));
    CHECK(std::ranges::equal(x.request(), icreq(3, 3, 4)));
  }
}

TEST_CASE("nothing beyond the exchange is taken from the stream") {
  auto x = controller_with({});
  CHECK(x.wanted() == 8);
  const octets request = icreq(0, 0, 0);
  feed(x, std::span{request}.first(8));
  CHECK(x.wanted() == 120);
  feed(x, std::span{request}.subspan(8, 119));
  CHECK(x.wanted() == 1);
}

TEST_CASE("a controller refuses") {
  const auto refused = [](octets bad, unsigned fes, std::uint64_t fei, std::size_t seen) {
    auto x = controller_with({});
    feed(x, bad);
    check_refused(x, bad, fes, fei, seen, 3);
  };
  const auto with = [](std::size_t at, std::uint64_t value, std::size_t size = 1) {
    octets b = icreq(0, 0, 0);
    put(b, at, value, size);
    return b;
  };
  refused(with(1, 1), 1, 1, 8);
  refused(with(1, 0x80), 1, 1, 8);
  refused(with(2, 127), 1, 2, 8);
  refused(with(2, 24), 1, 2, 8);
  refused(with(3, 4), 1, 3, 8);
  refused(with(4, 132, 4), 1, 4, 8);
  refused(with(4, 0xffff'ffff, 4), 1, 4, 8);
  refused(with(8, 1, 2), 6, 8, 128);
  refused(with(8, 0x100, 2), 6, 8, 128);
  refused(with(10, 32), 1, 10, 128);
  refused(with(10, 255), 1, 10, 128);
  refused(with(11, 4), 1, 11, 128);
  refused(with(11, 0x83), 1, 11, 128);
  refused(command(0x7f, 0), 2, 0, 8);  // a capsule before the ICReq
  refused(h2c(0, 0, 0, fill(4, 1)), 2, 0, 8);
  refused(icresp(0, 0, 4096), 1, 0, 8);  // the controller's own
  refused(response(0), 1, 0, 8);
  refused(hex("47 45 54 20 2f 20 48 54 54 50"), 1, 0, 8);  // "GET / HTTP"
  // The first of several.
  octets several = with(8, 1, 2);
  several[10] = several[11] = std::byte{0xff};
  refused(several, 6, 8, 128);
}

TEST_CASE("a host refuses") {
  const auto refused = [](octets bad, unsigned fes, std::uint64_t fei, std::size_t seen,
                          transport_options o = {}) {
    auto x = host_with(o);
    feed(x, bad);
    check_refused(x, bad, fes, fei, seen, 2);
  };
  const auto with = [](std::size_t at, std::uint64_t value, std::size_t size = 1) {
    octets b = icresp(0, 0, 131'072);
    put(b, at, value, size);
    return b;
  };
  refused(with(1, 1), 1, 1, 8);
  refused(with(2, 129), 1, 2, 8);
  refused(with(3, 1), 1, 3, 8);
  refused(with(4, 127, 4), 1, 4, 8);
  refused(with(8, 1, 2), 6, 8, 128);
  refused(with(10, 32), 1, 10, 128);
  refused(with(11, 4), 1, 11, 128);
  refused(with(11, 1), 6, 11, 128);  // digests that were not asked for
  refused(with(11, 2), 6, 11, 128);
  transport_options one;
  one.header_digest = true;
  refused(with(11, 3), 6, 11, 128, one);
  refused(with(12, 0, 4), 1, 12, 128);
  refused(with(12, 4095, 4), 1, 12, 128);
  refused(with(12, 4098, 4), 1, 12, 128);
  refused(response(0), 2, 0, 8);
  refused(icreq(0, 0, 0), 1, 0, 8);
  refused(hex("53 53 48 2d 32 2e 30 2d"), 1, 0, 8);  // "SSH-2.0-"
  auto x = host_with(one);
  feed(x, with(11, 1));
  CHECK(x.stands() == standing::done);
}

TEST_CASE("a TermReq instead of the answer is not answered") {
  auto x = host_with({});
  feed(x, termreq(3, 1, 10, icreq(32, 0, 0)));
  REQUIRE(x.stands() == standing::failed);
  CHECK(x.error().code == errc::terminated);
  CHECK(x.error().violation.fes == 1);
  CHECK(x.error().violation.fei == 10);
  CHECK(x.error().violation.structure == "icreq");
  CHECK(x.output().empty());

  auto y = controller_with({});
  feed(y, termreq(2, 6, 8, {}));
  CHECK(y.error().code == errc::terminated);
  CHECK(y.output().empty());

  for (const unsigned plen : {23u, 153u}) {
    auto z = host_with({});
    octets bad = termreq(3, 1, 10, {});
    put(bad, 4, plen, 4);
    feed(z, bad);
    REQUIRE(z.stands() == standing::failed);
    CHECK(z.error().code == errc::protocol_violation);
    CHECK(z.error().violation.fes == 0);
    CHECK(z.output().empty());
  }
}

TEST_CASE("a peer that closes") {
  auto x = host_with({});
  x.end_of_input();
  CHECK(x.error().code == errc::closed);
  auto y = host_with({});
  const octets answer = icresp(0, 0, 4096);
  feed(y, std::span{answer}.first(127));
  y.end_of_input();
  CHECK(y.error().code == errc::reset);
}
