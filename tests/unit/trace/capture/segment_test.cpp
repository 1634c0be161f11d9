// SPDX-License-Identifier: BSD-2-Clause
#include "trace/capture/segment.hpp"

#include <doctest/doctest.h>

#include "support/packets.hpp"

using namespace nvmf;
using namespace nvmf::test;
using trace::dissected;

namespace {

struct seen {
  trace::dissection d;
  trace::segment s;
};

seen look(std::uint16_t link, const octets& frame, std::size_t snap = 1u << 20) {
  seen out;
  const std::size_t kept = std::min(snap, frame.size());
  out.d = trace::dissect({.bytes = std::span{frame}.first(kept),
                          .wire_bytes = static_cast<std::uint32_t>(frame.size()),
                          .link = link,
                          .at = {}},
                         out.s);
  return out;
}

const tcp_packet sample{.sequence = 77, .acknowledged = 99, .flags = 0x18, .payload = filled(5, 7)};

void check_sample(const seen& got) {
  REQUIRE(got.d.what == dissected::segment);
  CHECK(got.s.sequence == 77);
  CHECK(got.s.acknowledged == 99);
  CHECK(got.s.flags == 0x18);
  CHECK(got.s.payload_bytes == 5);
  CHECK(octets(got.s.payload.begin(), got.s.payload.end()) == filled(5, 7));
  CHECK(got.s.flow.ports[got.s.from] == 40000);
}

octets ip4(const tcp_packet& p = sample) {
  return ipv4_bytes(p.source, p.destination, 6, tcp_bytes(p));
}

}  // namespace

TEST_CASE("every link that is read leads to the same segment") {
  check_sample(look(1, ethernet(0x0800, ip4())));
  octets padded = ethernet(0x0800, ip4());
  padded.resize(padded.size() + 9);  // Ethernet pads short frames
  check_sample(look(1, padded));
  for (const int raw : {12, 14, 101, 228})
    check_sample(look(static_cast<std::uint16_t>(raw), ip4()));
  octets cooked(14);
  be(cooked, 0x0800, 2);
  check_sample(look(113, add(cooked, ip4())));
  octets cooked2;
  be(cooked2, 0x0800, 2);
  cooked2.resize(20);
  check_sample(look(276, add(cooked2, ip4())));
  octets null;
  le(null, 2, 4);
  check_sample(look(0, add(null, ip4())));
  octets loop;
  be(loop, 2, 4);
  check_sample(look(108, add(loop, ip4())));
  check_sample(look(0, add(loop, ip4())));  // captured on a machine of the other order
}

TEST_CASE("VLAN tags, one and two") {
  octets tagged;
  be(tagged, 0x0064, 2);
  be(tagged, 0x0800, 2);
  check_sample(look(1, ethernet(0x8100, add(tagged, ip4()))));
  octets twice;
  be(twice, 0x0065, 2);
  be(twice, 0x8100, 2);
  be(twice, 0x0064, 2);
  be(twice, 0x0800, 2);
  check_sample(look(1, ethernet(0x88a8, add(twice, ip4()))));
}

TEST_CASE("IPv6, plain and with extension headers") {
  const octets tcp = tcp_bytes(sample);
  check_sample(look(1, ethernet(0x86dd, ipv6_bytes(tcp))));
  octets chain;
  be(chain, 0x3c00, 2);  // hop-by-hop, 8 bytes, then destination options
  chain.resize(8);
  be(chain, 0x3301, 2);  // 16 bytes, then an authentication header
  chain.resize(24);
  be(chain, 0x0604, 2);  // (4 + 2) * 4 = 24 bytes, then TCP
  chain.resize(48);
  check_sample(look(1, ethernet(0x86dd, ipv6_bytes(add(chain, tcp), 0))));
  octets fragment;
  be(fragment, 0x0600, 2);
  fragment.resize(8);
  CHECK(look(1, ethernet(0x86dd, ipv6_bytes(add(fragment, tcp), 44))).d.what ==
        dissected::fragment);
}

TEST_CASE("both directions have one key, also when only the ports differ") {
  tcp_packet back = sample;
  std::swap(back.source, back.destination);
  std::swap(back.from, back.to);
  const seen a = look(1, frame_of(sample)), b = look(1, frame_of(back));
  CHECK(a.s.flow == b.s.flow);
  CHECK(a.s.from != b.s.from);
  tcp_packet loop = sample;
  loop.destination = loop.source;
  tcp_packet loop_back = loop;
  std::swap(loop_back.from, loop_back.to);
  const seen c = look(1, frame_of(loop)), d = look(1, frame_of(loop_back));
  CHECK(c.s.flow == d.s.flow);
  CHECK(c.s.from != d.s.from);
  CHECK(to_text(end_of(c.s.flow, c.s.from)) == "10.0.0.1:40000");
  const seen six = look(1, ethernet(0x86dd, ipv6_bytes(tcp_bytes(sample))));
  CHECK(to_text(end_of(six.s.flow, six.s.from)) == "[fe80::1]:40000");
}

TEST_CASE("a length of zero is that of the frame: segments larger than IP can say") {
  tcp_packet p = sample;
  p.payload = filled(100'000, 3);
  const seen got = look(1, frame_of(p));
  REQUIRE(got.d.what == dissected::segment);
  CHECK(got.s.payload_bytes == 100'000);
}

TEST_CASE("what is cut off is known by its length") {
  tcp_packet p = sample;
  p.payload = filled(1000, 3);
  const octets frame = frame_of(p);
  const seen got = look(1, frame, 100);
  REQUIRE(got.d.what == dissected::segment);
  CHECK(got.s.payload_bytes == 1000);
  CHECK(got.s.payload.size() == 100 - 66);
  // Up to the options, and then no more.
  CHECK(look(1, frame, 54).d.what == dissected::segment);
  CHECK(look(1, frame, 54).s.payload.empty());
  for (std::size_t n = 0; n < 54; ++n) {
    CAPTURE(n);
    CHECK(look(1, frame, n).d.what == dissected::cut_short);
  }
}

TEST_CASE("what is not a TCP segment is told apart") {
  CHECK(look(105, ip4()).d.what == dissected::other_link);
  CHECK(trace::link_name(105) == "IEEE 802.11");
  CHECK(trace::link_name(999) == "link type 999");
  CHECK(look(1, ethernet(0x0806, filled(28, 0))).d.what == dissected::other_network);
  octets udp;
  be(udp, 1000, 2);
  be(udp, 4791, 2);
  be(udp, 8, 2);
  be(udp, 0, 2);
  const seen roce = look(1, ethernet(0x0800, ipv4_bytes(1, 2, 17, udp)));
  CHECK(roce.d.what == dissected::other_transport);
  CHECK(roce.d.protocol == 17);
  CHECK(roce.d.udp_to == 4791);
  for (const std::uint16_t fragment : {std::uint16_t{0x2000}, std::uint16_t{1}})
    CHECK(look(1, ethernet(0x0800, ipv4_bytes(1, 2, 6, tcp_bytes(sample), fragment))).d.what ==
          dissected::fragment);
  // Don't Fragment is no fragment.
  CHECK(look(1, ethernet(0x0800, ipv4_bytes(1, 2, 6, tcp_bytes(sample), 0x4000))).d.what ==
        dissected::segment);
}

TEST_CASE("headers that cannot be") {
  octets frame = frame_of(sample);
  octets short_ip = frame;
  short_ip[14] = std::byte{0x44};  // IHL of 16 bytes
  CHECK(look(1, short_ip).d.what == dissected::malformed);
  octets long_ip = frame;
  long_ip[16] = std::byte{0x7f};  // longer than the frame
  CHECK(look(1, long_ip).d.what == dissected::malformed);
  octets short_tcp = frame;
  short_tcp[14 + 20 + 12] = std::byte{0x40};
  CHECK(look(1, short_tcp).d.what == dissected::malformed);
  octets long_tcp = frame;
  long_tcp[14 + 20 + 12] = std::byte{0xf0};  // 60 bytes of 37
  CHECK(look(1, long_tcp).d.what == dissected::malformed);
  octets endless = ethernet(0x86dd, ipv6_bytes(filled(8, 0xff), 60));
  CHECK(look(1, endless).d.what == dissected::malformed);
}
