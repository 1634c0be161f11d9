// SPDX-License-Identifier: BSD-2-Clause
// Commands and data made byte by byte from the specification, without our own layouts: what a test
// compares with must not come from the code under test.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace nvmf::test {

// Little-endian, `size` bytes at `offset`.
inline void put(std::span<std::byte> b, std::size_t offset, std::size_t size, std::uint64_t value) {
  for (std::size_t i = 0; i < size; ++i)
    b[offset + i] = static_cast<std::byte>((value >> (8 * i)) & 0xff);
}
inline std::uint64_t peek(std::span<const std::byte> b, std::size_t offset, std::size_t size) {
  std::uint64_t v = 0;
  for (std::size_t i = 0; i < size; ++i)
    v |= std::to_integer<std::uint64_t>(b[offset + i]) << (8 * i);
  return v;
}
inline void put_text(std::span<std::byte> b, std::size_t offset, std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) b[offset + i] = static_cast<std::byte>(text[i]);
}
inline std::string_view text_at(std::span<const std::byte> b, std::size_t offset,
                                std::size_t size) {
  return {reinterpret_cast<const char*>(b.data()) + offset, size};
}

using raw_sqe = std::array<std::byte, 64>;

// A command with SGL 1 as a transport SGL data block (5Ah) of `length` bytes, PSDT 01b.
inline raw_sqe sqe(std::uint8_t opcode, std::uint16_t cid, std::uint32_t nsid = 0,
                   std::uint32_t length = 0) {
  raw_sqe s{};
  put(s, 0, 1, opcode);
  put(s, 1, 1, 0x40);
  put(s, 2, 2, cid);
  put(s, 4, 4, nsid);
  put(s, 32, 4, length);
  put(s, 39, 1, 0x5a);
  return s;
}
inline raw_sqe with(raw_sqe s, std::size_t offset, std::size_t size, std::uint64_t value) {
  put(s, offset, size, value);
  return s;
}

// Fabrics commands: opcode 7Fh, FCTYPE at byte 4.
inline raw_sqe connect_sqe(std::uint16_t cid, std::uint16_t qid, std::uint16_t sqsize,
                           std::uint32_t kato_ms = 0, std::uint8_t cattr = 0) {
  raw_sqe s = sqe(0x7f, cid, 0x01, 1024);
  put(s, 42, 2, qid);
  put(s, 44, 2, sqsize);
  put(s, 46, 1, cattr);
  put(s, 48, 4, kato_ms);
  return s;
}
inline raw_sqe property_get_sqe(std::uint16_t cid, std::uint32_t offset, bool eight = false) {
  raw_sqe s = sqe(0x7f, cid, 0x04);
  put(s, 40, 1, eight ? 1 : 0);
  put(s, 44, 4, offset);
  return s;
}
inline raw_sqe property_set_sqe(std::uint16_t cid, std::uint32_t offset, std::uint64_t value,
                                bool eight = false) {
  raw_sqe s = sqe(0x7f, cid, 0x00);
  put(s, 40, 1, eight ? 1 : 0);
  put(s, 44, 4, offset);
  put(s, 48, 8, value);
  return s;
}

// Data of Connect: HOSTID at 0, CNTLID at 16, SUBNQN at 256, HOSTNQN at 512.
inline std::vector<std::byte> connect_bytes(std::uint16_t cntlid, std::string_view subnqn,
                                            std::string_view hostnqn,
                                            std::uint8_t host_id_fill = 0x11) {
  std::vector<std::byte> d(1024);
  for (std::size_t i = 0; i < 16; ++i) d[i] = static_cast<std::byte>(host_id_fill);
  put(d, 16, 2, cntlid);
  put_text(d, 256, subnqn);
  put_text(d, 512, hostnqn);
  return d;
}

// Read (02h), Write (01h), Compare (05h), Write Zeroes (08h), Verify (0Ch): SLBA at 40, NLB (0's
// based) at 48.
inline raw_sqe block_sqe(std::uint8_t opcode, std::uint16_t cid, std::uint32_t nsid,
                         std::uint64_t slba, std::uint32_t blocks, std::uint32_t length) {
  raw_sqe s = sqe(opcode, cid, nsid, length);
  put(s, 40, 8, slba);
  put(s, 48, 2, blocks - 1);
  return s;
}

// CC: EN, IOSQES 6 (64 bytes), IOCQES 4 (16 bytes).
inline constexpr std::uint32_t cc_enabled = 0x0046'0001;
inline constexpr std::uint32_t cc_disabled = 0x0046'0000;

}  // namespace nvmf::test
