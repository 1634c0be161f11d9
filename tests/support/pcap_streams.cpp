// SPDX-License-Identifier: BSD-2-Clause
#include "support/pcap_streams.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <map>
#include <span>

namespace nvmf::test {
namespace {

using bytes = std::span<const std::byte>;

std::uint32_t big_endian(bytes b, std::size_t at, std::size_t size) {
  std::uint32_t v = 0;
  for (std::size_t i = 0; i < size; ++i) v = (v << 8) | std::to_integer<std::uint32_t>(b[at + i]);
  return v;
}

std::uint32_t little_endian(bytes b, std::size_t at) {
  std::uint32_t v = 0;
  for (std::size_t i = 4; i > 0; --i) v = (v << 8) | std::to_integer<std::uint32_t>(b[at + i - 1]);
  return v;
}

struct tcp_segment {
  std::uint16_t from, to;
  std::uint32_t sequence;
  bool syn;
  bytes payload;
};

std::expected<tcp_segment, std::string> dissect(bytes frame) {
  if (frame.size() < 14 + 20 + 20 || big_endian(frame, 12, 2) != 0x0800)
    return std::unexpected("a frame that is not IPv4 over Ethernet");
  const bytes ip = frame.subspan(14);
  const std::size_t ip_header = (std::to_integer<std::size_t>(ip[0]) & 0xf) * 4;
  const std::size_t total = big_endian(ip, 2, 2);
  if (ip[9] != std::byte{6} || total > ip.size() || ip_header + 20 > total)
    return std::unexpected("an IP packet that is not a whole TCP segment");
  const bytes tcp = ip.subspan(ip_header, total - ip_header);
  const std::size_t tcp_header = (std::to_integer<std::size_t>(tcp[12]) >> 4) * 4;
  if (tcp_header > tcp.size()) return std::unexpected("a TCP header beyond its segment");
  return tcp_segment{static_cast<std::uint16_t>(big_endian(tcp, 0, 2)),
                     static_cast<std::uint16_t>(big_endian(tcp, 2, 2)), big_endian(tcp, 4, 4),
                     (tcp[13] & std::byte{2}) != std::byte{0}, tcp.subspan(tcp_header)};
}

struct half {
  tcp_stream stream;
  std::uint32_t first = 0;                  // sequence number of byte 0
  std::map<std::uint32_t, bytes> segments;  // by offset: a capture may show them out of order
};

// Puts the segments in order; false when a byte is missing.
bool join(half& h) {
  for (const auto& [offset, payload] : h.segments) {
    const std::size_t have = h.stream.bytes.size();
    if (offset > have) return false;
    if (offset + payload.size() <= have) continue;  // sent again
    std::ranges::copy(payload.subspan(have - offset), std::back_inserter(h.stream.bytes));
  }
  return true;
}

}  // namespace

std::expected<std::vector<tcp_conversation>, std::string> read_pcap(const std::string& path,
                                                                    std::uint16_t server_port) {
  std::ifstream in(path, std::ios::binary);
  const std::vector<char> raw{std::istreambuf_iterator<char>(in), {}};
  const bytes file = std::as_bytes(std::span(raw));
  if (file.size() < 24 || little_endian(file, 0) != 0xa1b2c3d4 || little_endian(file, 20) != 1)
    return std::unexpected(path + ": not a little-endian classic pcap of Ethernet frames");
  std::map<std::pair<std::uint16_t, std::uint16_t>, half> halves;
  for (std::size_t at = 24; at < file.size();) {
    if (file.size() - at < 16) return std::unexpected(path + ": truncated record header");
    const std::size_t captured = little_endian(file, at + 8);
    if (captured != little_endian(file, at + 12) || captured > file.size() - at - 16)
      return std::unexpected(path + ": truncated frame");
    const auto segment = dissect(file.subspan(at + 16, captured));
    at += 16 + captured;
    if (!segment) return std::unexpected(path + ": " + segment.error());
    half& h = halves[{segment->from, segment->to}];
    h.stream.from_port = segment->from;
    h.stream.to_port = segment->to;
    if (segment->syn)
      h.first = segment->sequence + 1;
    else if (!segment->payload.empty())
      h.segments.emplace(segment->sequence - h.first, segment->payload);
  }
  for (auto& [ports, h] : halves)
    if (!join(h)) return std::unexpected(path + ": a piece of a connection is missing");
  std::vector<tcp_conversation> all;
  for (auto& [ports, h] : halves)
    if (ports.second == server_port)
      all.push_back({h.stream, halves[{ports.second, ports.first}].stream});
  return all;
}

}  // namespace nvmf::test
