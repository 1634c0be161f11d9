// SPDX-License-Identifier: BSD-2-Clause
#include "reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace nvmf::trace {

namespace {

// draft-ietf-opsawg-pcap: the first four bytes, in the order of who wrote them.
constexpr std::uint32_t magic_us = 0xa1b2c3d4, magic_ns = 0xa1b23c4d, magic_modified = 0xa1b2cd34;
constexpr std::uint32_t magic_section = 0x0a0d0d0a;  // reads the same both ways
constexpr std::size_t file_header = 24, record_header = 16;

struct known_other {
  std::string_view first;
  std::string_view what;
};
using namespace std::string_view_literals;
constexpr std::array others{
    known_other{"\x1f\x8b"sv, "it is compressed by gzip: zcat FILE | nvmfctl trace -"},
    known_other{"\x28\xb5\x2f\xfd"sv, "it is compressed by zstd: zstdcat FILE | nvmfctl trace -"},
    known_other{"\xfd"
                "7zX"sv,
                "it is compressed by xz: xzcat FILE | nvmfctl trace -"},
    known_other{"snoo"sv, "it is a snoop capture: editcap -F pcap FILE OUT converts it"},
};

std::string not_a_capture(byte_span bytes) {
  std::string hex;
  for (const std::byte b : bytes.first(std::min<std::size_t>(bytes.size(), 4)))
    hex += fmt::format("{}{:02x}", hex.empty() ? "" : " ", std::to_integer<unsigned>(b));
  for (const known_other& o : others)
    if (bytes.size() >= o.first.size() &&
        std::equal(o.first.begin(), o.first.end(), bytes.begin(),
                   [](char c, std::byte b) { return static_cast<std::byte>(c) == b; }))
      return fmt::format("not a capture: {}", o.what);
  return fmt::format("not a capture: it begins with {}, where pcap and pcapng begin otherwise",
                     hex);
}

}  // namespace

void capture_reader::skip(byte_span& bytes) {
  const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(to_skip_, bytes.size()));
  take(bytes, n);
  to_skip_ -= n;
}

capture_reader::step capture_reader::begin(byte_span& bytes) {
  if (bytes.size() < 4) return need(4);
  const auto little = static_cast<std::uint32_t>(wire::load_le(bytes, 0, 4));
  const auto big = static_cast<std::uint32_t>(wire::load_be(bytes, 0, 4));
  if (little == magic_section) {
    what_ = format::pcapng;
    return step::packet;
  }
  for (const std::uint32_t magic : {magic_us, magic_ns}) {
    if (little != magic && big != magic) continue;
    if (bytes.size() < file_header) return need(file_header);
    big_ = big == magic;
    nanoseconds_ = magic == magic_ns;
    // The upper half holds the length of the frame check sequence.
    link_ = static_cast<std::uint16_t>(load(bytes, 20, 4) & 0xffff);
    what_ = format::pcap;
    take(bytes, file_header);
    return step::packet;
  }
  if (little == magic_modified || big == magic_modified)
    return fail(
        "a pcap of the modified kind (magic a1b2cd34): editcap -F pcap FILE OUT converts it");
  return fail(not_a_capture(bytes));
}

capture_reader::step capture_reader::next(byte_span& bytes, packet& out) {
  if (what_ == format::unknown)
    if (const step s = begin(bytes); s != step::packet) return s;
  if (what_ == format::pcap) return next_pcap(bytes, out);
  for (bool found = false;;) {
    if (to_skip_ > 0) {
      skip(bytes);
      if (to_skip_ > 0) return need(1);
    }
    const step s = next_block(bytes, out, found);
    if (s != step::packet || found) return s;
  }
}

capture_reader::step capture_reader::next_pcap(byte_span& bytes, packet& out) {
  if (bytes.size() < record_header) return need(record_header);
  const auto captured = static_cast<std::uint32_t>(load(bytes, 8, 4));
  if (captured > record_bytes_max)
    return fail(fmt::format("damaged: packet {} at byte {} says that {} bytes of it follow",
                            packets_ + 1, offset_, captured));
  if (bytes.size() < record_header + captured) return need(record_header + captured);
  const auto seconds = static_cast<std::int64_t>(load(bytes, 0, 4));
  const auto fraction = static_cast<std::int64_t>(load(bytes, 4, 4));
  out.bytes = bytes.subspan(record_header, captured);
  out.wire_bytes = std::max(captured, static_cast<std::uint32_t>(load(bytes, 12, 4)));
  out.link = link_;
  out.at = {seconds * 1'000'000'000 + fraction * (nanoseconds_ ? 1 : 1000), ++packets_};
  take(bytes, record_header + captured);
  return step::packet;
}

std::optional<std::string> capture_reader::finish(std::size_t left) const {
  if (what_ == format::unknown)
    return left == 0 && offset_ == 0 ? std::string{"empty: not even the header of a capture"}
                                     : std::string{"not a capture: it ends within its header"};
  if (left == 0 && to_skip_ == 0) return std::nullopt;
  return fmt::format("cut short: it ends within {} {}, at byte {}",
                     what_ == format::pcap ? "packet" : "the block after packet",
                     what_ == format::pcap ? packets_ + 1 : packets_, offset_ + left);
}

}  // namespace nvmf::trace
