// SPDX-License-Identifier: BSD-2-Clause
// Packets of RoCEv2 and messages of the connection manager made by hand, byte by byte from the
// InfiniBand Architecture (volume 1, chapters 9 and 12, annexes A11 and A17) and NVMe/RDMA 1.0.
#pragma once

#include "support/packets.hpp"

namespace nvmf::test {

// BTH (9.2): opcode; solicited event, migration, padding; partition; queue pair; number.
inline octets bth(unsigned opcode, std::uint32_t to_qp, std::uint32_t psn, unsigned padding = 0) {
  octets b;
  add8(b, opcode);
  add8(b, padding << 4);
  be(b, 0xffff, 2);
  be(b, to_qp, 4);
  return be(b, psn, 4);
}
inline octets with_icrc(octets b) { return le(b, 0xdddddddd, 4); }
inline octets reth(octets b, std::uint64_t address, std::uint32_t key, std::uint32_t length) {
  be(b, address, 8);
  be(b, key, 4);
  return be(b, length, 4);
}
inline octets aeth(octets b, unsigned syndrome) {
  add8(b, syndrome);
  return be(b, 0, 3);
}
inline octets rdma_send(unsigned opcode, std::uint32_t qp, std::uint32_t psn, const octets& data) {
  octets b = bth(opcode, qp, psn);
  return with_icrc(add(b, data));
}

// A MAD of the connection manager in a datagram to QP1: `body` are its 232 bytes.
inline octets cm(unsigned attribute, octets body) {
  octets b = bth(0x64, 1, 7);
  be(b, 0x80010000, 4);  // DETH: queue key
  be(b, 1, 4);           // from QP1
  add8(b, 1);
  add8(b, 7);  // communication management
  add8(b, 2);
  add8(b, 3);  // Send()
  be(b, 0, 4);
  be(b, 0x1122334455667788, 8);
  be(b, attribute, 2);
  be(b, 0, 6);
  body.resize(232);
  return with_icrc(add(b, body));
}
inline octets& be_at(octets& in, std::size_t at, std::uint64_t v, unsigned size) {
  for (unsigned i = 0; i < size; ++i)
    in[at + i] = static_cast<std::byte>((v >> (8 * (size - 1 - i))) & 0xff);
  return in;
}
// REQ: to a TCP port by the IP service; MTU 3 is 1024 bytes.
inline octets cm_request(std::uint32_t id, std::uint32_t qp, std::uint32_t peer_psn,
                         std::uint16_t port, unsigned qid = 1, unsigned mtu = 3) {
  octets b(232);
  be_at(b, 0, id, 4);
  be_at(b, 8, 0x0000000001060000u + port, 8);
  be_at(b, 32, qp, 3);
  be_at(b, 44, peer_psn, 3);
  be_at(b, 50, mtu << 4 | 7, 1);
  be_at(b, 140 + 1, 0x40, 1);
  be_at(b, 140 + 2, 40000, 2);
  put(b, 140 + 36 + 2, qid, 2);
  put(b, 140 + 36 + 4, 32, 2);
  put(b, 140 + 36 + 6, 31, 2);
  return cm(0x10, b);
}
inline octets cm_reply(std::uint32_t id, std::uint32_t remote, std::uint32_t qp,
                       std::uint32_t peer_psn) {
  octets b(232);
  be_at(b, 0, id, 4);
  be_at(b, 4, remote, 4);
  be_at(b, 12, qp, 3);
  be_at(b, 20, peer_psn, 3);
  put(b, 36 + 2, 32, 2);  // CRQSIZE
  return cm(0x13, b);
}
// Where the private data of NVMe begins in either: behind the headers of the datagram (12 + 8) and
// of the MAD (24), and in a request behind that of the IP service.
inline std::size_t private_at(const octets& message) {
  const bool request = message[12 + 8 + 17] == std::byte{0x10};
  return 12 + 8 + 24 + (request ? 140 + 36 : 36);
}
inline octets cm_request_with(std::size_t at, std::uint64_t value, unsigned size) {
  octets b = cm_request(7, 17, 5000, 4420);
  put(b, private_at(b) + at, value, size);
  return b;
}
inline octets cm_reply_with(std::size_t at, std::uint64_t value, unsigned size) {
  octets b = cm_reply(8, 7, 18, 1000);
  put(b, private_at(b) + at, value, size);
  return b;
}
inline octets cm_reject(std::uint32_t remote, unsigned reason, unsigned status) {
  octets b(232);
  be_at(b, 4, remote, 4);
  be_at(b, 10, reason, 2);
  put(b, 84 + 2, status, 2);
  return cm(0x12, b);
}
inline octets cm_plain(unsigned attribute, std::uint32_t id, std::uint32_t remote) {
  octets b(232);
  be_at(b, 0, id, 4);
  be_at(b, 4, remote, 4);
  return cm(attribute, b);
}

// A command with a keyed data block (Base 4.1.2: type 4h, invalidate subtype Fh).
inline octets keyed_sqe(unsigned opcode, unsigned cid, std::uint64_t address = 0,
                        std::uint32_t key = 0, std::uint32_t length = 0) {
  octets b(64);
  put(b, 0, opcode, 1);
  put(b, 1, 0x40, 1);
  put(b, 2, cid, 2);
  put(b, 4, 1, 4);
  put(b, 24, address, 8);
  put(b, 32, length, 3);
  put(b, 35, key, 4);
  put(b, 39, 0x4f, 1);
  return b;
}
inline octets rdma_cqe(unsigned cid, unsigned status = 0) {
  octets b(16);
  put(b, 12, cid, 2);
  put(b, 14, status << 1, 2);
  return b;
}

}  // namespace nvmf::test
