// SPDX-License-Identifier: BSD-2-Clause
// CRC32C of any bytes at any alignment, whole and in two parts, against one made bit by bit
// (RFC 3720, B.4). The first byte is where the bytes are cut, the second how they are aligned.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "wire/crc32c.hpp"

using namespace nvmf::wire;

namespace {

std::uint32_t bit_by_bit(byte_span data) {
  std::uint32_t crc = 0xffff'ffff;
  for (const std::byte b : data) {
    crc ^= std::to_integer<std::uint32_t>(b);
    for (int i = 0; i < 8; ++i) crc = crc >> 1 ^ ((crc & 1) != 0 ? 0x82f6'3b78u : 0u);
  }
  return ~crc;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const byte_span in = std::as_bytes(std::span(data, size)).subspan(2);
  std::vector<std::byte> room(in.size() + 64);
  const auto bytes = std::span(room).subspan(data[1] % 64, in.size());
  std::ranges::copy(in, bytes.begin());
  const std::size_t cut = std::min<std::size_t>(data[0], bytes.size());
  const std::uint32_t whole = crc32c(0, bytes);
  if (whole != bit_by_bit(bytes)) std::abort();
  if (whole != crc32c(crc32c(0, bytes.first(cut)), bytes.subspan(cut))) std::abort();
  return 0;
}
