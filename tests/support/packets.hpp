// SPDX-License-Identifier: BSD-2-Clause
// Captures made by hand: files, frames and segments written byte by byte from their RFCs and from
// draft-ietf-opsawg-pcap, by nothing of the product. PDUs likewise, from the TCP transport
// specification.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace nvmf::test {

using octets = std::vector<std::byte>;

inline octets& add(octets& to, std::span<const std::byte> more) {
  to.insert(to.end(), more.begin(), more.end());
  return to;
}
inline octets& add8(octets& to, std::uint64_t v) {
  to.push_back(static_cast<std::byte>(v & 0xff));
  return to;
}
inline octets& be(octets& to, std::uint64_t v, unsigned size) {
  for (unsigned i = size; i > 0; --i) add8(to, i > 8 ? 0 : v >> (8 * (i - 1)));
  return to;
}
inline octets& le(octets& to, std::uint64_t v, unsigned size) {
  for (unsigned i = 0; i < size; ++i) add8(to, i < 8 ? v >> (8 * i) : 0);
  return to;
}
inline void put(octets& in, std::size_t at, std::uint64_t v, unsigned size) {
  for (unsigned i = 0; i < size; ++i) in[at + i] = static_cast<std::byte>((v >> (8 * i)) & 0xff);
}
inline octets filled(std::size_t n, unsigned value) {
  return octets(n, static_cast<std::byte>(value));
}

// "45 00 0a": lower case, blanks where one likes.
inline octets hex(std::string_view text) {
  octets out;
  unsigned value = 0, digits = 0;
  for (const char c : text) {
    if (c == ' ') continue;
    value = value * 16 + static_cast<unsigned>(c <= '9' ? c - '0' : c - 'a' + 10);
    if (++digits % 2 == 0) add8(out, value & 0xff);
  }
  return out;
}

// RFC 9293 and RFC 791; checksums are left zero, as offloading leaves them.
struct tcp_packet {
  std::uint32_t source = 0x0a000001, destination = 0x0a000002;
  std::uint16_t from = 40000, to = 4420;
  std::uint32_t sequence = 0, acknowledged = 0;
  std::uint8_t flags = 0x10;  // ACK
  octets payload = {};
};

inline octets tcp_bytes(const tcp_packet& p) {
  octets b;
  be(b, p.from, 2);
  be(b, p.to, 2);
  be(b, p.sequence, 4);
  be(b, p.acknowledged, 4);
  add8(b, 8 << 4);  // 32 bytes of header
  add8(b, p.flags);
  be(b, 512, 2);
  be(b, 0, 4);
  for (const unsigned o : {1u, 1u, 8u, 10u, 0u, 0u, 0u, 1u, 0u, 0u, 0u, 2u}) add8(b, o);
  return add(b, p.payload);
}

inline octets ipv4_bytes(std::uint32_t source, std::uint32_t destination, std::uint8_t protocol,
                         const octets& payload, std::uint16_t fragment = 0) {
  octets b;
  be(b, 0x4500, 2);
  be(b, payload.size() + 20 > 0xffff ? 0 : payload.size() + 20, 2);
  be(b, 1, 2);
  be(b, fragment, 2);
  add8(b, 64);
  add8(b, protocol);
  be(b, 0, 2);
  be(b, source, 4);
  be(b, destination, 4);
  return add(b, payload);
}

// Next header and what stands before TCP: `extensions` are whole extension headers.
inline octets ipv6_bytes(const octets& payload, std::uint8_t next = 6, bool swap = false) {
  octets b;
  be(b, 0x60000000, 4);
  be(b, payload.size(), 2);
  add8(b, next);
  add8(b, 64);
  for (const bool second : {swap, !swap}) {
    be(b, 0xfe80, 2);
    be(b, 0, 12);
    be(b, second ? 2 : 1, 2);
  }
  return add(b, payload);
}

inline octets ethernet(std::uint16_t type, const octets& payload) {
  octets b;
  be(b, 0x020000000001, 6);
  be(b, 0x020000000002, 6);
  be(b, type, 2);
  return add(b, payload);
}

inline octets frame_of(const tcp_packet& p) {
  return ethernet(0x0800, ipv4_bytes(p.source, p.destination, 6, tcp_bytes(p)));
}

// A pcap file in either byte order.
class pcap_file {
 public:
  explicit pcap_file(std::uint32_t link = 1, bool big = false, bool nanoseconds = false,
                     std::uint32_t snap = 262144)
      : big_(big), nanoseconds_(nanoseconds), snap_(snap) {
    u(nanoseconds ? 0xa1b23c4d : 0xa1b2c3d4, 4);
    u(2, 2);
    u(4, 2);
    u(0, 8);
    u(snap, 4);
    u(link, 4);
  }
  pcap_file& packet(std::uint64_t ns, const octets& frame) {
    const std::size_t kept = frame.size() < snap_ ? frame.size() : snap_;
    u(ns / 1'000'000'000, 4);
    u(nanoseconds_ ? ns % 1'000'000'000 : ns % 1'000'000'000 / 1000, 4);
    u(kept, 4);
    u(frame.size(), 4);
    add(bytes, std::span{frame}.first(kept));
    return *this;
  }
  octets bytes;

 private:
  void u(std::uint64_t v, unsigned size) { big_ ? be(bytes, v, size) : le(bytes, v, size); }
  bool big_, nanoseconds_;
  std::uint32_t snap_;
};

// PDUs (NVMe/TCP 1.0, 3.6).
inline octets common_header(unsigned type, unsigned flags, unsigned hlen, unsigned pdo,
                            std::size_t plen) {
  octets b;
  add8(b, type);
  add8(b, flags);
  add8(b, hlen);
  add8(b, pdo);
  return le(b, plen, 4);
}
inline octets icreq(unsigned digests = 0) {
  octets b = common_header(0x00, 0, 128, 0, 128);
  b.resize(128);
  b[11] = static_cast<std::byte>(digests);
  return b;
}
inline octets icresp(unsigned digests = 0, std::uint32_t maxh2cdata = 131072) {
  octets b = common_header(0x01, 0, 128, 0, 128);
  b.resize(128);
  b[11] = static_cast<std::byte>(digests);
  put(b, 12, maxh2cdata, 4);
  return b;
}
inline octets command_pdu(unsigned opcode, unsigned cid, const octets& data = {},
                          std::uint32_t nsid = 1, std::uint64_t slba = 0, unsigned nlb = 7) {
  octets b = common_header(0x04, 0, 72, data.empty() ? 0 : 72, 72 + data.size());
  b.resize(72);
  put(b, 8, opcode, 1);
  put(b, 9, 0x40, 1);
  put(b, 10, cid, 2);
  put(b, 12, nsid, 4);
  put(b, 48, slba, 8);
  put(b, 56, nlb, 2);
  return add(b, data);
}
inline octets connect_pdu(unsigned cid, unsigned qid, std::string_view host_nqn,
                          std::string_view subsystem_nqn) {
  octets data(1024);
  put(data, 16, 0xffff, 2);
  for (std::size_t i = 0; i < subsystem_nqn.size(); ++i)
    data[256 + i] = static_cast<std::byte>(subsystem_nqn[i]);
  for (std::size_t i = 0; i < host_nqn.size(); ++i)
    data[512 + i] = static_cast<std::byte>(host_nqn[i]);
  octets b = command_pdu(0x7f, cid, data, 1);  // FCTYPE 01h
  put(b, 48, 0, 8);
  put(b, 50, qid, 2);
  put(b, 52, 31, 2);
  put(b, 56, 15000, 4);
  return b;
}
inline octets response_pdu(unsigned cid, unsigned status = 0, std::uint64_t dw0 = 0) {
  octets b = common_header(0x05, 0, 24, 0, 24);
  b.resize(24);
  put(b, 8, dw0, 8);
  put(b, 20, cid, 2);
  put(b, 22, status << 1, 2);
  return b;
}
inline octets r2t_pdu(unsigned cid, unsigned ttag, std::uint32_t offset, std::uint32_t length) {
  octets b = common_header(0x09, 0, 24, 0, 24);
  le(b, cid, 2);
  le(b, ttag, 2);
  le(b, offset, 4);
  le(b, length, 4);
  return le(b, 0, 4);
}
inline octets data_pdu(unsigned type, unsigned flags, unsigned cid, unsigned ttag,
                       std::uint32_t offset, const octets& data) {
  octets b = common_header(type, flags, 24, 24, 24 + data.size());
  le(b, cid, 2);
  le(b, ttag, 2);
  le(b, offset, 4);
  le(b, data.size(), 4);
  le(b, 0, 4);
  return add(b, data);
}

}  // namespace nvmf::test
