// SPDX-License-Identifier: BSD-2-Clause
#include "trace/capture/reader.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include <fmt/format.h>

#include "support/packets.hpp"

using namespace nvmf;
using namespace nvmf::test;
using step = trace::capture_reader::step;

namespace {

struct outcome {
  std::vector<trace::packet> packets;  // spans cleared
  std::vector<octets> bytes;
  std::string error;  // of the reader, or of its end
};

// Reads `file` as if it came in pieces of that size.
outcome read(const octets& file, std::size_t piece = 1u << 30) {
  outcome out;
  trace::capture_reader reader;
  octets held;
  std::size_t fed = 0;
  while (true) {
    wire::byte_span left = held;
    trace::packet p;
    step s = step::more;
    while ((s = reader.next(left, p)) == step::packet) {
      out.bytes.emplace_back(p.bytes.begin(), p.bytes.end());
      p.bytes = {};
      out.packets.push_back(p);
    }
    if (s == step::failed) {
      out.error = reader.error();
      return out;
    }
    held = octets(left.begin(), left.end());
    if (fed == file.size()) {
      out.error = reader.finish(held.size()).value_or("");
      return out;
    }
    CHECK(reader.wanted() > held.size());
    const std::size_t n = std::min(piece, file.size() - fed);
    held.insert(held.end(), file.begin() + static_cast<std::ptrdiff_t>(fed),
                file.begin() + static_cast<std::ptrdiff_t>(fed + n));
    fed += n;
  }
}

// pcapng, in either byte order.
class ng_file {
 public:
  explicit ng_file(bool big = false) : big_(big) {}
  ng_file& u(octets& to, std::uint64_t v, unsigned size) {
    big_ ? be(to, v, size) : le(to, v, size);
    return *this;
  }
  ng_file& block(std::uint32_t type, octets body) {
    body.resize((body.size() + 3) / 4 * 4);
    u(bytes, type, 4).u(bytes, body.size() + 12, 4);
    add(bytes, body);
    return u(bytes, body.size() + 12, 4);
  }
  ng_file& section() {
    octets b;
    u(b, 0x1a2b3c4d, 4).u(b, 1, 2).u(b, 0, 2).u(b, ~std::uint64_t{0}, 8);
    return block(0x0a0d0d0a, b);
  }
  ng_file& interface(unsigned link, int resolution = -1, std::int64_t offset = 0,
                     std::uint32_t snap = 0) {
    octets b;
    u(b, link, 2).u(b, 0, 2).u(b, snap, 4);
    u(b, 2, 2).u(b, 3, 2).u(b, 0x6f6c00, 4);  // if_name, padded
    if (resolution >= 0)
      u(b, 9, 2).u(b, 1, 2), add8(b, static_cast<unsigned>(resolution)), b.resize(b.size() + 3);
    if (offset != 0) u(b, 14, 2).u(b, 8, 2).u(b, static_cast<std::uint64_t>(offset), 8);
    u(b, 0, 4);
    return block(1, b);
  }
  ng_file& enhanced(unsigned interface, std::uint64_t ticks, const octets& frame,
                    std::size_t whole = 0) {
    octets b;
    u(b, interface, 4).u(b, ticks >> 32, 4).u(b, ticks & 0xffffffff, 4);
    u(b, frame.size(), 4).u(b, std::max(whole, frame.size()), 4);
    return block(6, add(b, frame));
  }
  octets bytes;

 private:
  bool big_;
};

}  // namespace

TEST_CASE("pcap in four forms: both byte orders, micro- and nanoseconds") {
  for (const bool big : {false, true})
    for (const bool nano : {false, true}) {
      CAPTURE(big);
      CAPTURE(nano);
      pcap_file f(113, big, nano);
      f.packet(1'700'000'000'123'456'789, filled(60, 1)).packet(1'700'000'001'000'000'001, {});
      for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, std::size_t{1000}}) {
        const outcome o = read(f.bytes, piece);
        CHECK(o.error == "");
        REQUIRE(o.packets.size() == 2);
        CHECK(o.packets[0].at.ns == (nano ? 1'700'000'000'123'456'789 : 1'700'000'000'123'456'000));
        CHECK(o.packets[0].link == 113);
        CHECK(o.bytes[0] == filled(60, 1));
        CHECK(o.packets[1].at.packet == 2);
        CHECK(o.packets[1].wire_bytes == 0);
      }
    }
}

TEST_CASE(
    "pcap: a frame check sequence length in the link word, a snap length, a length of nonsense") {
  pcap_file f(0x14000001, false, false, 40);
  f.packet(0, filled(100, 2));
  const outcome o = read(f.bytes);
  REQUIRE(o.packets.size() == 1);
  CHECK(o.packets[0].link == 1);
  CHECK(o.bytes[0].size() == 40);
  CHECK(o.packets[0].wire_bytes == 100);
  octets bad = f.bytes;
  le(bad, 0, 8);
  le(bad, 0x7fffffff, 4);
  le(bad, 0x7fffffff, 4);
  const outcome damaged = read(bad);
  CHECK(damaged.packets.size() == 1);
  CHECK(damaged.error == "damaged: packet 2 at byte 80 says that 2147483647 bytes of it follow");
}

TEST_CASE("what is no capture is told by what it is") {
  CHECK(read({}).error == "empty: not even the header of a capture");
  CHECK(read(filled(3, 0xd4)).error == "not a capture: it ends within its header");
  CHECK(read(filled(100, 0x41)).error ==
        "not a capture: it begins with 41 41 41 41, where pcap and pcapng begin otherwise");
  octets gzip;
  be(gzip, 0x1f8b0800, 4);
  CHECK(read(gzip).error == "not a capture: it is compressed by gzip: zcat FILE | nvmfctl trace -");
  octets modified;
  le(modified, 0xa1b2cd34, 4);
  CHECK(read(modified).error.starts_with("a pcap of the modified kind"));
  octets head_only = pcap_file().bytes;
  CHECK(read(head_only).error == "");
  head_only.resize(23);
  CHECK(read(head_only).error == "not a capture: it ends within its header");
}

TEST_CASE("a capture that is cut short gives what it has, and says so") {
  pcap_file f;
  f.packet(0, filled(60, 1)).packet(0, filled(60, 2));
  octets cut = f.bytes;
  cut.resize(cut.size() - 1);
  const outcome o = read(cut, 10);
  CHECK(o.packets.size() == 1);
  CHECK(o.error == "cut short: it ends within packet 2, at byte 175");
}

TEST_CASE("pcapng: sections of either byte order, interfaces with their own clocks") {
  for (const bool big : {false, true}) {
    CAPTURE(big);
    ng_file f(big);
    f.section().interface(1).interface(276, 9, 1).interface(101, 0x80 | 20);
    f.enhanced(0, 1'500'000, filled(5, 1)).enhanced(1, 7, filled(6, 2), 900);
    f.enhanced(2, (3u << 20) | (1u << 19), filled(7, 3));
    f.block(0x0bad, filled(70'000, 9));  // not known: skipped
    octets simple;
    f.u(simple, 3, 4);
    f.block(3, add(simple, filled(3, 4)));
    octets old;
    f.u(old, 1, 2).u(old, 0, 2).u(old, 0, 4).u(old, 9, 4).u(old, 2, 4).u(old, 2, 4);
    f.block(2, add(old, filled(2, 5)));
    // A second section begins its interfaces anew.
    ng_file second(!big);
    second.section().interface(0).enhanced(0, 1, filled(4, 6));
    octets all = f.bytes;
    add(all, second.bytes);
    for (const std::size_t piece : {std::size_t{1}, std::size_t{100'000}}) {
      const outcome o = read(all, piece);
      CHECK(o.error == "");
      REQUIRE(o.packets.size() == 6);
      CHECK(o.packets[0].at.ns == 1'500'000'000);
      CHECK(o.packets[0].link == 1);
      CHECK(o.packets[1].at.ns == 1'000'000'007);
      CHECK(o.packets[1].link == 276);
      CHECK(o.packets[1].wire_bytes == 900);
      CHECK(o.packets[2].at.ns == 3'500'000'000);
      CHECK(o.packets[2].link == 101);
      CHECK(o.bytes[3] == filled(3, 4));
      CHECK(o.packets[3].at.ns == 3'500'000'000);
      CHECK(o.packets[4].at.ns == 1'000'000'009);
      CHECK(o.bytes[4] == filled(2, 5));
      CHECK(o.packets[5].link == 0);
      CHECK(o.packets[5].at.packet == 6);
    }
  }
}

TEST_CASE("pcapng: times beyond all reason stay within 64 bits") {
  ng_file f;
  f.section().interface(1, 0).enhanced(0, ~std::uint64_t{0}, filled(4, 1));
  f.interface(1, 9, -5).enhanced(1, 0, filled(4, 1));
  const outcome o = read(f.bytes);
  REQUIRE(o.packets.size() == 2);
  CHECK(o.packets[0].at.ns == 4'294'967'296'000'000'000);
  CHECK(o.packets[1].at.ns == 4'294'967'296'000'000'000);
}

TEST_CASE("pcapng: damage is named by its place") {
  ng_file f;
  f.section().interface(1);
  const std::size_t head = f.bytes.size();
  ng_file no_interface = f;
  no_interface.enhanced(7, 0, filled(4, 1));
  CHECK(read(no_interface.bytes).error ==
        fmt::format("damaged: packet 1 at byte {} is of interface 7, of 1 there are", head));
  ng_file longer = f;
  longer.enhanced(0, 0, filled(4, 1));
  put(longer.bytes, head + 20, 5000, 4);
  CHECK(read(longer.bytes).error ==
        fmt::format("damaged: packet 1 at byte {} is longer than its block", head));
  ng_file odd = f;
  le(odd.bytes, 6, 4);
  le(odd.bytes, 13, 4);
  CHECK(read(odd.bytes).error ==
        fmt::format("damaged: the block at byte {} has a length of 13", head));
  octets cut = f.bytes;
  cut.resize(head - 4);
  CHECK(read(cut).error ==
        fmt::format("cut short: it ends within the block after packet 0, at byte {}", head - 4));
}
