// SPDX-License-Identifier: BSD-2-Clause
#include "pcap_writer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "wire/bytes.hpp"
#include "wire/crc32c.hpp"
#include "wire/layouts/pdu.hpp"

namespace nvmf::cli {
namespace {

using bytes = std::vector<std::byte>;

constexpr std::uint32_t nanosecond_magic = 0xa1b23c4d;
constexpr std::uint32_t raw_ip = 101;  // LINKTYPE_RAW
constexpr std::size_t ip_header = 20, tcp_header = 20;
constexpr std::size_t segment_max = 60'000;  // of 65535 bytes of an IPv4 packet
constexpr std::uint32_t host_address = 0x0a00'0001, controller_address = 0x0a00'0002;  // 10.0.0.x
constexpr std::uint16_t controller_port = 4420, first_host_port = 49'152;
constexpr std::uint8_t syn = 0x02, push = 0x08, ack = 0x10;

void add_le(bytes& to, std::uint64_t value, std::size_t size) {
  to.resize(to.size() + size);
  wire::store_le(to, to.size() - size, size, value);
}

// The Internet's way round (RFC 791, RFC 9293).
void add_be(bytes& to, std::uint64_t value, std::size_t size) {
  for (std::size_t i = size; i-- > 0;) to.push_back(static_cast<std::byte>(value >> (8 * i)));
}

void put_be16(bytes& to, std::size_t at, std::uint16_t value) {
  to[at] = static_cast<std::byte>(value >> 8);
  to[at + 1] = static_cast<std::byte>(value);
}

// The Internet checksum (RFC 1071) of bytes behind what has been summed up.
std::uint16_t checksum(std::span<const std::byte> of, std::uint64_t sum) {
  for (std::size_t i = 0; i < of.size(); i += 2)
    sum += wire::load_be(of, i, std::min<std::size_t>(2, of.size() - i))
           << (i + 1 == of.size() ? 8 : 0);
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

// PDUs of even types travel from the host (NVMe/TCP 3.6).
bool is_from_host(std::span<const std::byte> header) {
  return (std::to_integer<unsigned>(header[0]) & 1) == 0;
}

bool is_termreq(std::span<const std::byte> header) {
  const auto type = std::to_integer<unsigned>(header[0]);
  return type == 2 || type == 3;
}

}  // namespace

std::expected<std::unique_ptr<pcap_writer>, std::string> pcap_writer::open(
    const std::string& path) {
  std::FILE* const file = std::fopen(path.c_str(), "wbe");
  if (file == nullptr)
    return std::unexpected(
        fmt::format("{}: cannot be opened for writing: {}", path, std::strerror(errno)));
  std::unique_ptr<pcap_writer> made{new pcap_writer(path, file)};
  made->to_wall_ = std::chrono::duration_cast<std::chrono::nanoseconds>(
      std::chrono::system_clock::now().time_since_epoch() - clock::now().time_since_epoch());
  bytes head;
  add_le(head, nanosecond_magic, 4);
  add_le(head, 2, 2);  // version 2.4
  add_le(head, 4, 2);
  add_le(head, 0, 8);       // time zone, accuracy
  add_le(head, 65'535, 4);  // longest packet
  add_le(head, raw_ip, 4);
  made->write(head);
  return made;
}

std::expected<std::string, std::string> pcap_writer::finish() {
  for (auto& [qpair, f] : flows_)
    complete({.type = event_type::pdu_in, .at = clock::now(), .qpair = qpair}, f);
  if (std::fclose(file_.release()) != 0 && error_ == 0) error_ = errno;
  if (error_ != 0)
    return std::unexpected(fmt::format("{}: cannot be written: {}", path_, std::strerror(error_)));
  return fmt::format("{}: {} PDUs of {} queue{}", path_, pdus_, flows_.size(),
                     flows_.size() == 1 ? "" : "s");
}

void pcap_writer::write(std::span<const std::byte> what) {
  if (error_ == 0 && std::fwrite(what.data(), 1, what.size(), file_.get()) != what.size())
    error_ = errno;
}

void pcap_writer::on_event(const event& e) noexcept {
  switch (e.type) {
    case event_type::pdu_out:
      if (!e.header.empty())
        add_pdu(e, flow_of(e, is_from_host(e.header), true), is_from_host(e.header), e.header,
                e.data, e.a, true);
      return;
    case event_type::pdu_in: {
      if (e.header.empty()) return;
      flow& f = flow_of(e, is_from_host(e.header), false);
      complete(e, f);
      f.waits = {{e.header.begin(), e.header.end()}, e.a};
      if (e.a == 0 || is_termreq(e.header)) complete(e, f);
      return;
    }
    case event_type::pdu_in_data: {
      if (e.header.empty()) return;
      flow& f = flow_of(e, is_from_host(e.header), false);
      f.waits = {};
      add_pdu(e, f, is_from_host(e.header), e.header, e.data, e.a, e.b == 0);
      return;
    }
    case event_type::raw_out: {
      const auto it = flows_.find(e.qpair);
      if (it == flows_.end()) return;  // whose end it is would be a guess
      for (const segment& s : e.data)
        add_bytes(e, it->second, it->second.host_here, {s.data, s.size});
      return;
    }
    case event_type::disconnected:
      if (const auto it = flows_.find(e.qpair); it != flows_.end()) complete(e, it->second);
      return;
    default:
      return;
  }
}

// Its data has not come, or nobody has seen it: zeros stand for it.
void pcap_writer::complete(const event& e, flow& f) {
  const arriving waits = std::exchange(f.waits, {});
  if (waits.header.empty()) return;
  add_pdu(e, f, is_from_host(waits.header), waits.header, {}, waits.data, true);
}

pcap_writer::flow& pcap_writer::flow_of(const event& e, bool from_host, bool leaves) {
  const auto [it, added] = flows_.try_emplace(e.qpair);
  flow& f = it->second;
  if (!added) return f;
  f.host_here = from_host == leaves;
  f.host_next = f.controller_next = 0;
  add_packet(e, f, true, syn, {});
  f.host_next = 1;
  add_packet(e, f, false, syn | ack, {});
  f.controller_next = 1;
  add_packet(e, f, true, ack, {});
  return f;
}

void pcap_writer::add_pdu(const event& e, flow& f, bool from_host,
                          std::span<const std::byte> header, std::span<const segment> data,
                          std::size_t size, bool digest_good) {
  using wire::pdu_common;
  bytes all(header.begin(), header.end());
  const auto flags = wire::get<pdu_common, "flags">(header);
  const bool digests = header.size() >= pdu_common.size && !is_termreq(header);
  if (digests && (flags & 1) != 0) add_le(all, wire::crc32c(0, header), 4);
  if (size > 0) {
    const std::size_t at = digests ? wire::get<pdu_common, "pdo">(header) : all.size();
    if (at > all.size()) all.resize(at);
    const std::size_t from = all.size();
    for (const segment& s : data) all.insert(all.end(), s.data, s.data + s.size);
    all.resize(from + size);
    const std::uint32_t crc = wire::crc32c(0, std::span{all}.subspan(from));
    if (digests && (flags & 2) != 0) add_le(all, digest_good ? crc : ~crc, 4);
  }
  ++pdus_;
  add_bytes(e, f, from_host, all);
}

void pcap_writer::add_bytes(const event& e, flow& f, bool from_host,
                            std::span<const std::byte> what) {
  while (!what.empty()) {
    const auto part = what.first(std::min(what.size(), segment_max));
    add_packet(e, f, from_host, push | ack, part);
    std::uint32_t& next = from_host ? f.host_next : f.controller_next;
    next += static_cast<std::uint32_t>(part.size());
    what = what.subspan(part.size());
  }
}

void pcap_writer::add_packet(const event& e, flow& f, bool from_host, std::uint8_t flags,
                             std::span<const std::byte> payload) {
  const std::uint32_t from = from_host ? host_address : controller_address;
  const std::uint32_t to = from_host ? controller_address : host_address;
  const auto host_port = static_cast<std::uint16_t>(first_host_port + e.qpair % 16'000);
  const std::size_t length = ip_header + tcp_header + payload.size();
  bytes packet;
  packet.reserve(length);
  add_be(packet, 0x4500, 2);  // IPv4, 20 bytes of header
  add_be(packet, length, 2);
  add_be(packet, 0x0000'4000, 4);  // not to be cut
  add_be(packet, 0x4006'0000, 4);  // TCP
  add_be(packet, from, 4);
  add_be(packet, to, 4);
  put_be16(packet, 10, checksum(packet, 0));
  add_be(packet, from_host ? host_port : controller_port, 2);
  add_be(packet, from_host ? controller_port : host_port, 2);
  add_be(packet, from_host ? f.host_next : f.controller_next, 4);
  const bool acknowledges = (flags & ack) != 0;
  add_be(packet, acknowledges ? (from_host ? f.controller_next : f.host_next) : 0, 4);
  add_be(packet, 0x5000u | flags, 2);
  add_be(packet, 0xffff'0000'0000, 6);  // window, checksum, urgent
  packet.insert(packet.end(), payload.begin(), payload.end());
  const std::uint64_t pseudo =
      (from >> 16) + (from & 0xffff) + (to >> 16) + (to & 0xffff) + 6 + (length - ip_header);
  put_be16(packet, ip_header + 16,
           checksum(std::span<const std::byte>{packet}.subspan(ip_header), pseudo));
  const auto ns = static_cast<std::uint64_t>((e.at.time_since_epoch() + to_wall_).count());
  bytes head;
  add_le(head, ns / 1'000'000'000, 4);
  add_le(head, ns % 1'000'000'000, 4);
  add_le(head, packet.size(), 4);
  add_le(head, packet.size(), 4);
  write(head);
  write(packet);
}

}  // namespace nvmf::cli
