// SPDX-License-Identifier: BSD-2-Clause
// CRC32C as NVMe/TCP digests use it (NVMe/TCP 3.3.1.1): reflected, initial value and final XOR all
// ones. A digest travels little-endian.
#pragma once

#include <cstdint>

#include "bytes.hpp"

namespace nvmf::wire {

// Continues a running digest over `data`; `crc` is 0 for a fresh one and otherwise the value
// returned for the bytes before. crc32c(crc32c(0, a), b) == crc32c(0, a followed by b).
std::uint32_t crc32c(std::uint32_t crc, byte_span data);

}  // namespace nvmf::wire
