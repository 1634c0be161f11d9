// SPDX-License-Identifier: BSD-2-Clause
#include "crc32c.hpp"

#include <isa-l.h>

namespace nvmf::wire {

std::uint32_t crc32c(std::uint32_t crc, byte_span data) {
  // ISA-L works on the register itself, without the inversions, and takes an int length.
  std::uint32_t reg = ~crc;
  while (!data.empty()) {
    const std::size_t piece = data.size() < (1u << 30) ? data.size() : (1u << 30);
    // The header asks for a mutable pointer but only reads.
    auto* bytes = const_cast<unsigned char*>(reinterpret_cast<const unsigned char*>(data.data()));
    reg = crc32_iscsi(bytes, static_cast<int>(piece), reg);
    data = data.subspan(piece);
  }
  return ~reg;
}

}  // namespace nvmf::wire
