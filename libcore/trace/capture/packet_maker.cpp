// SPDX-License-Identifier: BSD-2-Clause
// IPv4: RFC 791; IPv6: RFC 8200; TCP: RFC 9293; its window scale: RFC 7323; checksums: RFC 1071.
#include "packet_maker.hpp"

#include <algorithm>
#include <cassert>

namespace nvmf::trace {

namespace {

using wire::store_be;

constexpr std::uint8_t push = 0x08;
constexpr std::uint8_t hops = 64;
constexpr std::size_t ipv4_header = 20, ipv6_header = 40, tcp_header = 20, syn_options = 8;
// Nobody looks for a full window that way: 65535 << 14 bytes.
constexpr std::uint8_t window_shift = 14;

// The sum of 16-bit words, of pieces that may end within one.
class checksum {
 public:
  void add(byte_span b) {
    std::uint64_t sum = 0;
    std::size_t i = 0;
    for (; i + 4 <= b.size(); i += 4) sum += wire::load_be(b, i, 4);
    if (const std::size_t rest = b.size() - i; rest > 0)
      sum += wire::load_be(b, i, rest) << (32 - 8 * rest);
    const std::uint64_t words = fold(sum);
    sum_ += odd_ ? words << 8 : words;
    odd_ ^= b.size() % 2 != 0;
  }
  // A number that lies nowhere, as two bytes of a header would have it.
  void add_word(std::uint16_t value) { sum_ += value; }
  std::uint16_t value() const { return static_cast<std::uint16_t>(~fold(sum_)); }

 private:
  static std::uint64_t fold(std::uint64_t sum) {
    while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
    return sum;
  }
  std::uint64_t sum_ = 0;
  bool odd_ = false;
};

byte_span address_of(const endpoint& e) {
  return byte_span{e.address}.first(e.family == ip_family::v4 ? 4 : 16);
}

}  // namespace

packet_maker::packet_maker(const endpoint& first, const endpoint& second,
                           packet_maker_options options, made_packet_sink& to)
    : ends_{first, second}, options_(options), to_(to) {
  assert(first.family == second.family);
}

void packet_maker::open(std::int64_t ns) {
  if (opened_) return;
  opened_ = true;
  data_.clear();
  make(0, tcp_flag::syn, 0, ns);
  next_[0] = 1;
  make(1, tcp_flag::syn | tcp_flag::ack, 0, ns);
  next_[1] = 1;
  make(0, tcp_flag::ack, 0, ns);
}

void packet_maker::send(unsigned from, std::span<const byte_span> pieces, std::int64_t ns) {
  assert(from < 2);
  open(ns);
  std::size_t in_packet = 0, kept = 0, left = 0;
  for (const byte_span piece : pieces) left += piece.size();
  data_.clear();
  const auto leave = [&] {
    left -= in_packet;
    make(from, push | tcp_flag::ack, in_packet, ns, left == 0);
    next_[from] += static_cast<std::uint32_t>(in_packet);
    in_packet = kept = 0;
    data_.clear();
  };
  for (byte_span piece : pieces) {
    while (!piece.empty()) {
      const std::size_t n = std::min(piece.size(), segment_bytes_max - in_packet);
      if (const std::size_t keep = std::min(n, options_.data_bytes - kept); keep > 0) {
        data_.push_back(piece.first(keep));
        kept += keep;
      }
      in_packet += n;
      piece = piece.subspan(n);
      if (in_packet == segment_bytes_max) leave();
    }
  }
  if (in_packet > 0) leave();
}

void packet_maker::skip(unsigned from, std::uint64_t bytes, std::int64_t ns) {
  assert(from < 2);
  open(ns);
  data_.clear();
  while (bytes > 0) {
    const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(bytes, segment_bytes_max));
    make(from, push | tcp_flag::ack, n, ns, n == bytes);
    next_[from] += static_cast<std::uint32_t>(n);
    bytes -= n;
  }
}

void packet_maker::close(unsigned from, std::int64_t ns) {
  assert(from < 2);
  if (closed_[from] || reset_) return;
  open(ns);
  closed_[from] = true;
  data_.clear();
  make(from, tcp_flag::fin | tcp_flag::ack, 0, ns);
  ++next_[from];
  if (closed_[1 - from]) make(1 - from, tcp_flag::ack, 0, ns);
}

void packet_maker::reset(unsigned from, std::int64_t ns) {
  assert(from < 2);
  if (reset_) return;
  open(ns);
  reset_ = true;
  data_.clear();
  make(from, tcp_flag::rst | tcp_flag::ack, 0, ns);
}

// The header of IP before `behind` bytes, without its checksum. Returns its length.
std::size_t packet_maker::put_ip(unsigned from, std::size_t behind) {
  const byte_span source = address_of(ends_[from]), destination = address_of(ends_[1 - from]);
  if (ends_[from].family == ip_family::v6) {
    store_be(head_, 0, 4, 0x6000'0000);
    store_be(head_, 4, 2, behind);
    store_be(head_, 6, 2, protocol_tcp << 8 | hops);
    std::ranges::copy(source, head_.begin() + 8);
    std::ranges::copy(destination, head_.begin() + 24);
    return ipv6_header;
  }
  store_be(head_, 0, 2, 0x4500);
  store_be(head_, 2, 2, ipv4_header + behind);
  store_be(head_, 4, 4, 0x0000'4000);  // not to be cut
  store_be(head_, 8, 4, (hops << 8 | protocol_tcp) << 16);
  std::ranges::copy(source, head_.begin() + 12);
  std::ranges::copy(destination, head_.begin() + 16);
  checksum sum;
  sum.add(byte_span{head_}.first(ipv4_header));
  store_be(head_, 10, 2, sum.value());
  return ipv4_header;
}

void packet_maker::make(unsigned from, std::uint8_t flags, std::size_t data_bytes, std::int64_t ns,
                        bool last) {
  const bool syn = (flags & tcp_flag::syn) != 0, acknowledges = (flags & tcp_flag::ack) != 0;
  const std::size_t tcp_bytes = tcp_header + (syn ? syn_options : 0);
  const std::size_t at = put_ip(from, tcp_bytes + data_bytes);
  store_be(head_, at, 2, ends_[from].port);
  store_be(head_, at + 2, 2, ends_[1 - from].port);
  store_be(head_, at + 4, 4, next_[from]);
  store_be(head_, at + 8, 4, acknowledges ? next_[1 - from] : 0);
  store_be(head_, at + 12, 2, tcp_bytes / 4 << 12 | flags);
  store_be(head_, at + 14, 6, 0xffff'0000'0000);  // window, checksum, urgent
  if (syn)                                        // MSS; a blank; window scale
    store_be(head_, at + 20, syn_options,
             0x0204'0000'0103'0300u | segment_bytes_max << 32 | window_shift);
  std::size_t kept = 0;
  for (const byte_span piece : data_) kept += piece.size();
  // Of data that is not all there nobody can check it, nor is it worth to be read for that.
  if (kept == data_bytes) {
    checksum sum;
    sum.add(address_of(ends_[0]));
    sum.add(address_of(ends_[1]));
    sum.add_word(protocol_tcp);
    sum.add_word(static_cast<std::uint16_t>(tcp_bytes + data_bytes));
    sum.add(byte_span{head_}.subspan(at, tcp_bytes));
    for (const byte_span piece : data_) sum.add(piece);
    store_be(head_, at + 16, 2, sum.value());
  }
  to_.on_made({.headers = byte_span{head_}.first(at + tcp_bytes),
               .data = data_,
               .bytes = at + tcp_bytes + kept,
               .wire_bytes = static_cast<std::uint32_t>(at + tcp_bytes + data_bytes),
               .ns = ns,
               .from = from,
               .place = place_,
               .last = last});
}

}  // namespace nvmf::trace
