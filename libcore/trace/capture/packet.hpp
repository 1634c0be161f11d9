// SPDX-License-Identifier: BSD-2-Clause
// One packet as a capture holds it, before anyone has looked into it.
#pragma once

#include <cstdint>

#include "wire/bytes.hpp"

namespace nvmf::trace {

using wire::byte_span;

// When a byte was on the wire, and which packet of the capture had it.
struct stamp {
  std::int64_t ns = 0;       // since the epoch of the capture, 1970 as a rule
  std::uint64_t packet = 0;  // from 1, as every other tool counts them
};

struct packet {
  byte_span bytes;               // as captured; borrowed from who read them
  std::uint32_t wire_bytes = 0;  // its length on the wire, never less than bytes.size()
  std::uint16_t link = 0;        // LINKTYPE_ value: link.hpp
  stamp at;
  // Of a packet in pcapng: the options behind it, and whether their numbers are big-endian.
  byte_span options = {};
  bool options_big = false;
};

}  // namespace nvmf::trace
