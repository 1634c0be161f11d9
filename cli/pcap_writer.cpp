// SPDX-License-Identifier: BSD-2-Clause
#include "pcap_writer.hpp"

#include <fmt/format.h>

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
constexpr std::uint16_t controller_port = 4420, first_host_port = 49'152;

void add_le(bytes& to, std::uint64_t value, std::size_t size) {
  to.resize(to.size() + size);
  wire::store_le(to, to.size() - size, size, value);
}

// 10.0.0.1 is the host, 10.0.0.2 the controller.
trace::endpoint end_at(std::byte last, std::uint16_t port) {
  return {.address = {std::byte{10}, std::byte{0}, std::byte{0}, last}, .port = port};
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
  add_le(head, trace::link_raw_ip, 4);
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
        it->second.packets.send(it->second.host_here ? 0 : 1, {s.data, s.size}, time_of(e));
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
  const auto it = flows_.find(e.qpair);
  if (it != flows_.end()) return it->second;
  const auto host_port = static_cast<std::uint16_t>(first_host_port + e.qpair % 16'000);
  flow& f = flows_
                .emplace(e.qpair, flow{.packets = {end_at(std::byte{1}, host_port),
                                                   end_at(std::byte{2}, controller_port),
                                                   {},
                                                   *this}})
                .first->second;
  f.host_here = from_host == leaves;
  f.packets.open(time_of(e));
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
  f.packets.send(from_host ? 0 : 1, all, time_of(e));
}

std::int64_t pcap_writer::time_of(const event& e) const {
  return (e.at.time_since_epoch() + to_wall_).count();
}

void pcap_writer::on_made(const trace::made_packet& p) {
  const auto ns = static_cast<std::uint64_t>(p.ns);
  bytes head;
  add_le(head, ns / 1'000'000'000, 4);
  add_le(head, ns % 1'000'000'000, 4);
  add_le(head, p.bytes, 4);
  add_le(head, p.wire_bytes, 4);
  write(head);
  write(p.headers);
  for (const trace::byte_span piece : p.data) write(piece);
}

}  // namespace nvmf::cli
