// SPDX-License-Identifier: BSD-2-Clause
#include "trace/capture/packet_maker.hpp"

#include <doctest/doctest.h>

#include "support/packets.hpp"

using namespace nvmf;
using namespace nvmf::test;

namespace {

struct kept_packet {
  octets bytes;
  std::uint32_t wire_bytes;
  std::int64_t ns;
  unsigned from;
};

struct catcher final : trace::made_packet_sink {
  void on_made(const trace::made_packet& p) override {
    octets all(p.headers.begin(), p.headers.end());
    for (const wire::byte_span piece : p.data) add(all, piece);
    CHECK(all.size() == p.bytes);
    packets.push_back({all, p.wire_bytes, p.ns, p.from});
  }
  trace::segment segment_of(std::size_t i) const {
    trace::segment s;
    const trace::dissection d = trace::dissect({.bytes = packets[i].bytes,
                                                .wire_bytes = packets[i].wire_bytes,
                                                .link = trace::link_raw_ip,
                                                .at = {}},
                                               s);
    CHECK(d.what == trace::dissected::segment);
    return s;
  }
  std::vector<kept_packet> packets;
};

trace::endpoint v4(unsigned a, unsigned b, unsigned c, unsigned d, std::uint16_t port) {
  trace::endpoint e{.port = port};
  const unsigned parts[] = {a, b, c, d};
  for (std::size_t i = 0; i < 4; ++i) e.address[i] = static_cast<std::byte>(parts[i]);
  return e;
}
trace::endpoint v6(unsigned last, std::uint16_t port) {
  trace::endpoint e{.port = port, .family = trace::ip_family::v6};
  e.address[0] = std::byte{0xfe};
  e.address[1] = std::byte{0x80};
  e.address[15] = static_cast<std::byte>(last);
  return e;
}

const trace::endpoint host = v4(10, 0, 0, 1, 49153), controller = v4(192, 0, 2, 7, 4420);

}  // namespace

// Checksums by a program of its own, 16 bits at a time.
TEST_CASE("made packets are those of the RFCs, byte by byte") {
  catcher got;
  trace::packet_maker maker(host, controller, {}, got);
  const octets ab = hex("61 62"), c = hex("63"), de = hex("64 65");
  const wire::byte_span pieces[] = {ab, {}, c, de};
  maker.send(0, pieces, 1234);
  REQUIRE(got.packets.size() == 4);
  CHECK(got.packets[0].bytes == hex("45 00 00 30 00 00 40 00 40 06 6e c0 0a 00 00 01 c0 00 02 07"
                                    "c0 01 11 44 00 00 00 00 00 00 00 00 70 02 ff ff 02 17 00 00"
                                    "02 04 ea 60 01 03 03 0e"));
  CHECK(got.packets[3].bytes == hex("45 00 00 2d 00 00 40 00 40 06 6e c3 0a 00 00 01 c0 00 02 07"
                                    "c0 01 11 44 00 00 00 01 00 00 00 01 50 18 ff ff e8 b0 00 00"
                                    "61 62 63 64 65"));
  CHECK(got.packets[3].ns == 1234);
  CHECK(got.packets[3].from == 0);
  CHECK(got.packets[3].wire_bytes == 45);
}

TEST_CASE("made packets of IPv6") {
  catcher got;
  trace::packet_maker maker(v6(1, 50000), v6(2, 8009), {}, got);
  maker.send(0, hex("01 02 03"), 1);
  maker.send(1, hex("78 79 7a"), 2);
  maker.close(1, 3);
  REQUIRE(got.packets.size() == 6);
  CHECK(got.packets[4].bytes == hex("60 00 00 00 00 17 06 40 fe 80 00 00 00 00 00 00 00 00 00 00"
                                    "00 00 00 02 fe 80 00 00 00 00 00 00 00 00 00 00 00 00 00 01"
                                    "1f 49 c3 50 00 00 00 01 00 00 00 04 50 18 ff ff dd ac 00 00"
                                    "78 79 7a"));
  CHECK(got.packets[5].bytes == hex("60 00 00 00 00 14 06 40 fe 80 00 00 00 00 00 00 00 00 00 00"
                                    "00 00 00 02 fe 80 00 00 00 00 00 00 00 00 00 00 00 00 00 01"
                                    "1f 49 c3 50 00 00 00 04 00 00 00 04 50 11 ff ff d0 2d 00 00"));
}

TEST_CASE("a made connection: handshake, data in both directions, both ends close") {
  catcher got;
  trace::packet_maker maker(host, controller, {}, got);
  CHECK_FALSE(maker.is_open());
  maker.open(1);
  maker.open(2);  // it is
  CHECK(maker.is_open());
  maker.send(0, filled(100, 1), 3);
  maker.send(1, filled(7, 2), 4);
  maker.send(0, octets{}, 4);
  maker.close(0, 5);
  maker.close(0, 6);
  maker.send(1, filled(1, 3), 7);
  maker.close(1, 8);
  struct row {
    unsigned from;
    std::uint8_t flags;
    std::uint32_t sequence, acknowledged, bytes;
    std::int64_t ns;
  };
  const std::vector<row> wanted{
      {0, 0x02, 0, 0, 0, 1},   {1, 0x12, 0, 1, 0, 1},   {0, 0x10, 1, 1, 0, 1},
      {0, 0x18, 1, 1, 100, 3}, {1, 0x18, 1, 101, 7, 4}, {0, 0x11, 101, 8, 0, 5},
      {1, 0x18, 8, 102, 1, 7}, {1, 0x11, 9, 102, 0, 8}, {0, 0x10, 102, 10, 0, 8},
  };
  REQUIRE(got.packets.size() == wanted.size());
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    CAPTURE(i);
    const trace::segment s = got.segment_of(i);
    CHECK(got.packets[i].from == wanted[i].from);
    CHECK(s.flow.ports[s.from] == (wanted[i].from == 0 ? 49153 : 4420));
    CHECK(s.flags == wanted[i].flags);
    CHECK(s.sequence == wanted[i].sequence);
    CHECK(s.acknowledged == wanted[i].acknowledged);
    CHECK(s.payload_bytes == wanted[i].bytes);
    CHECK(got.packets[i].ns == wanted[i].ns);
  }
}

TEST_CASE("a reset ends a made connection once") {
  catcher got;
  trace::packet_maker maker(host, controller, {}, got);
  maker.send(0, filled(10, 1), 1);
  maker.reset(1, 2);
  maker.reset(0, 3);
  maker.close(0, 4);
  REQUIRE(got.packets.size() == 5);
  CHECK(got.segment_of(4).flags == 0x14);
  CHECK(got.segment_of(4).sequence == 1);
  CHECK(got.segment_of(4).acknowledged == 11);
}

TEST_CASE("much data takes several packets, and no data is copied") {
  catcher got;
  trace::packet_maker maker(host, controller, {}, got);
  octets data(150'000);
  for (std::size_t i = 0; i < data.size(); ++i) data[i] = static_cast<std::byte>(i * 7 % 251);
  maker.send(1, data, 1);
  REQUIRE(got.packets.size() == 6);
  octets joined;
  for (std::size_t i = 3; i < 6; ++i) {
    const trace::segment s = got.segment_of(i);
    CHECK(s.sequence == 1 + joined.size());
    add(joined, s.payload);
  }
  CHECK(joined == data);

  struct look final : trace::made_packet_sink {
    void on_made(const trace::made_packet& p) override {
      for (const wire::byte_span piece : p.data) starts.push_back(piece.data());
    }
    std::vector<const std::byte*> starts;
  } seen;
  trace::packet_maker second(host, controller, {}, seen);
  second.send(0, data, 1);
  REQUIRE(seen.starts.size() == 3);
  CHECK(seen.starts[0] == data.data());
  CHECK(seen.starts[2] == data.data() + 120'000);
}

TEST_CASE("a snap length keeps the first bytes of each packet's data and tells the length of all") {
  catcher got;
  trace::packet_maker maker(host, controller, {.data_bytes = 24}, got);
  const octets header = filled(20, 1), data = filled(100'000, 2), small = filled(24, 3);
  const wire::byte_span pieces[] = {header, data};
  maker.send(0, pieces, 1);
  maker.send(0, small, 2);
  maker.skip(1, 70'000, 3);
  maker.send(1, small, 4);
  REQUIRE(got.packets.size() == 9);
  CHECK(got.packets[3].bytes.size() == 64);
  CHECK(got.packets[3].wire_bytes == 60'040);
  CHECK(got.packets[3].bytes[59] == std::byte{1});
  CHECK(got.packets[3].bytes[60] == std::byte{2});
  CHECK(got.packets[4].bytes.size() == 64);
  CHECK(got.packets[4].wire_bytes == 40'060);
  const trace::segment cut = got.segment_of(3);
  CHECK(cut.payload_bytes == 60'000);
  CHECK(cut.payload.size() == 24);
  // Nobody can tell whether the checksum of a cut packet is right: it has none.
  CHECK(got.packets[3].bytes[36] == std::byte{0});
  CHECK(got.packets[3].bytes[37] == std::byte{0});
  CHECK(got.packets[5].bytes.size() == 64);
  CHECK(got.packets[5].wire_bytes == 64);
  CHECK(got.packets[5].bytes[36] != std::byte{0});
  CHECK(got.segment_of(5).sequence == 100'021);
  CHECK(got.packets[6].bytes.size() == 40);
  CHECK(got.packets[6].wire_bytes == 60'040);
  CHECK(got.packets[7].wire_bytes == 10'040);
  CHECK(got.segment_of(8).sequence == 70'001);
}
