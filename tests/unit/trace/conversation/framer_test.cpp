// SPDX-License-Identifier: BSD-2-Clause
#include "trace/conversation/framer.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "support/packets.hpp"

using namespace nvmf;
using namespace nvmf::test;
using trace::digest_state;

namespace {

struct pdus final : trace::pdu_sink {
  std::vector<std::string> lines;
  std::size_t keep = 0;
  std::vector<octets> kept;
  std::vector<trace::pdu> all;  // without what they borrow

  std::size_t data_wanted(const trace::pdu&) override { return keep; }
  void on_pdu(const trace::pdu& p) override {
    constexpr const char* states[] = {"", "good", "bad", "unknown"};
    std::string line = fmt::format("{:02x} plen {} data {}", p.type, p.plen, p.data_bytes);
    if (p.header_digest != digest_state::none || p.data_digest != digest_state::none)
      line += fmt::format(" [{}/{}]", states[static_cast<int>(p.header_digest)],
                          states[static_cast<int>(p.data_digest)]);
    if (p.bytes_missing != 0) line += fmt::format(" missing {}", p.bytes_missing);
    if (p.header.size() != p.hlen) line += fmt::format(" header {}", p.header.size());
    lines.push_back(line);
    kept.emplace_back(p.data.begin(), p.data.end());
    all.push_back(p);
    all.back().header = all.back().data = {};
  }
  void on_lost(trace::way, trace::framing_lost why, const trace::stamp&) override {
    constexpr const char* reasons[] = {"middle", "absent", "plen"};
    lines.push_back(fmt::format("lost {}", reasons[static_cast<int>(why)]));
  }
  void on_found(trace::way, std::uint64_t skipped, const trace::stamp&) override {
    lines.push_back(fmt::format("found after {}", skipped));
  }
};

using list = std::vector<std::string>;

// As if each piece was a segment: the time is its number.
void feed(trace::framer& f, const octets& stream, std::size_t piece) {
  std::int64_t now = 0;
  for (std::size_t at = 0; at < stream.size(); at += piece) {
    ++now;
    f.take(std::span{stream}.subspan(at, std::min(piece, stream.size() - at)),
           {now, static_cast<std::uint64_t>(now)});
  }
}

// Bitwise, from the polynomial (RFC 3385): what a digest should be.
std::uint32_t crc(std::span<const std::byte> b) {
  std::uint32_t c = ~0u;
  for (const std::byte x : b) {
    c ^= std::to_integer<std::uint32_t>(x);
    for (int i = 0; i < 8; ++i) c = (c >> 1) ^ ((c & 1) != 0 ? 0x82f63b78u : 0);
  }
  return ~c;
}

// A C2HData with both digests and eight bytes of padding before its data.
octets with_digests(std::size_t data_bytes) {
  octets b = common_header(0x07, 0x07, 24, 36, 36 + data_bytes + 4);
  le(b, 5, 2);
  le(b, 0, 2);
  le(b, 0, 4);
  le(b, data_bytes, 4);
  le(b, 0, 4);
  le(b, crc(b), 4);
  b.resize(36);
  octets data;
  for (std::size_t i = 0; i < data_bytes; ++i) add8(data, i * 7);
  add(b, data);
  return le(b, crc(data), 4);
}

}  // namespace

TEST_CASE("PDUs are the same however the bytes are cut") {
  octets stream = icresp(3);
  add(stream, with_digests(4096));
  add(stream, response_pdu(9));
  add(stream, data_pdu(0x07, 4, 9, 0, 0, filled(70'000, 1)));
  add(stream, r2t_pdu(9, 1, 0, 4096));
  const list want{"01 plen 128 data 0", "07 plen 4136 data 4096 [good/good]", "05 plen 24 data 0",
                  "07 plen 70024 data 70000", "09 plen 24 data 0"};
  for (const std::size_t piece :
       {1u, 3u, 7u, 8u, 9u, 23u, 24u, 100u, 128u, 4096u, 65483u, 1u << 20}) {
    CAPTURE(piece);
    pdus out;
    out.keep = 10;
    trace::framer f(trace::way::to_host, out);
    feed(f, stream, piece);
    CHECK(out.lines == want);
    REQUIRE(out.kept.size() == 5);
    CHECK(out.kept[1] == octets(stream.begin() + 128 + 36, stream.begin() + 128 + 46));
    CHECK(out.kept[3] == filled(10, 1));
    CHECK(out.all[1].offset == 128);
    CHECK(out.all[1].begun.ns == static_cast<std::int64_t>(128 / piece + 1));
    CHECK(out.all[1].ended.ns == static_cast<std::int64_t>((128 + 4136 - 1) / piece + 1));
    CHECK_FALSE(f.within_pdu());
  }
}

TEST_CASE("digests that do not match, in one piece and in many") {
  octets bad_data = with_digests(100);
  bad_data[50] ^= std::byte{1};
  octets bad_header = with_digests(100);
  bad_header[24] ^= std::byte{1};
  for (const std::size_t piece : {1u, 11u, 1000u}) {
    pdus out;
    trace::framer f(trace::way::to_host, out);
    feed(f, bad_data, piece);
    feed(f, bad_header, piece);
    CHECK(out.lines == list{"07 plen 140 data 100 [good/bad]", "07 plen 140 data 100 [bad/good]"});
  }
}

TEST_CASE("missing bytes within a payload do not matter to framing; within a header they do") {
  pdus out;
  trace::framer f(trace::way::to_host, out);
  const octets data = data_pdu(0x07, 0x06, 1, 0, 0, filled(996, 1));  // with a data digest
  f.take(std::span{data}.first(500), {});
  f.absent(520, {});
  f.take(response_pdu(1), {});
  f.absent(24, {});
  f.take(octets(10), {});
  f.take(response_pdu(2), {});
  CHECK(out.lines == list{"07 plen 1020 data 992 [/unknown] missing 520", "05 plen 24 data 0",
                          "lost absent", "found after 10", "05 plen 24 data 0"});
}

TEST_CASE("a header that is cut off: what is there of it, and where the next begins") {
  pdus out;
  trace::framer f(trace::way::to_controller, out);
  const octets command = command_pdu(0x01, 7, filled(512, 3));
  f.take(std::span{command}.first(30), {});
  f.absent(command.size() - 30, {});
  f.take(command, {});
  f.take(std::span{command}.first(7), {});  // not even a common header
  f.absent(command.size() - 7, {});
  f.take(command, {});
  CHECK(out.lines ==
        list{fmt::format("04 plen 584 data 512 missing {} header 30", command.size() - 30),
             "04 plen 584 data 512", "lost absent", "found after 0", "04 plen 584 data 512"});
}

TEST_CASE("lengths that cannot be, and the way back") {
  for (const std::uint32_t plen : {0u, 7u, 0xffffffffu}) {
    CAPTURE(plen);
    pdus out;
    trace::framer f(trace::way::to_controller, out);
    octets bad = command_pdu(0x02, 1);
    put(bad, 4, plen, 4);
    f.take(bad, {});
    f.take(command_pdu(0x02, 2), {});
    CHECK(out.lines == list{"lost plen", "found after 72", "04 plen 72 data 0"});
  }
  // A HLEN beyond PLEN does not read beyond the PDU.
  pdus out;
  trace::framer f(trace::way::to_controller, out);
  octets odd = common_header(0x04, 0x03, 72, 72, 40);
  odd.resize(40);
  f.take(odd, {});
  f.take(command_pdu(0x02, 2), {});
  CHECK(out.lines == list{"04 plen 40 data 0 [unknown/] header 40", "04 plen 72 data 0"});
}

TEST_CASE("from the middle: inside a segment one plausible header is chance, two are none") {
  pdus out;
  trace::framer f(trace::way::to_host, out);
  f.lose(trace::framing_lost::middle, {});
  octets segment = filled(100, 0);
  add(segment, octets(response_pdu(1)));
  segment.push_back(std::byte{0x55});  // neither another header nor the end
  f.take(segment, {});
  CHECK(out.lines == list{"lost middle"});
  octets good = filled(50, 7);
  add(good, response_pdu(2));
  add(good, response_pdu(3));
  f.take(good, {});
  CHECK(out.lines ==
        list{"lost middle", "found after 175", "05 plen 24 data 0", "05 plen 24 data 0"});
}

TEST_CASE("what is plausible as a header") {
  const auto is = [](trace::way w, const octets& b) { return trace::is_plausible_header(w, b); };
  using enum trace::way;
  CHECK(is(to_controller, icreq()));
  CHECK(is(to_host, icresp()));
  CHECK_FALSE(is(to_host, icreq()));
  CHECK_FALSE(is(to_controller, icresp()));
  CHECK(is(to_controller, common_header(4, 0, 72, 0, 72)));
  CHECK(is(to_controller, common_header(4, 3, 72, 76, 72 + 4 + 4096 + 4)));
  CHECK_FALSE(is(to_controller, common_header(4, 0, 71, 0, 72)));
  CHECK_FALSE(is(to_controller, common_header(4, 0x10, 72, 0, 72)));
  CHECK_FALSE(is(to_controller, common_header(4, 0, 72, 70, 100)));
  CHECK_FALSE(is(to_controller, common_header(4, 0, 72, 0, 100)));
  CHECK(is(to_host, common_header(5, 1, 24, 0, 28)));
  CHECK_FALSE(is(to_host, common_header(5, 0, 24, 24, 24)));
  CHECK_FALSE(is(to_host, common_header(5, 0, 24, 0, 40)));
  CHECK_FALSE(is(to_host, common_header(8, 0, 24, 0, 24)));
  CHECK_FALSE(is(to_host, common_header(7, 0, 24, 24, 0x80000000)));
  CHECK(is(to_host, common_header(3, 0, 24, 0, 152)));
  CHECK_FALSE(is(to_host, common_header(3, 0, 24, 0, 156)));
}
