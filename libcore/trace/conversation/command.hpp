// SPDX-License-Identifier: BSD-2-Clause
// A command from its capsule to its completion, with the time of each part.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "pdu.hpp"

namespace nvmf::trace {

struct command {
  std::uint64_t number = 0;  // of the connection's commands, from 1
  std::uint32_t slot = 0;    // small, and its own while it is outstanding
  std::uint16_t cid = 0;
  bool admin = false;  // of the admin queue
  bool whole = false;  // all of the SQE was captured
  std::array<std::byte, 64> sqe{};
  std::uint32_t in_capsule = 0;  // bytes of data that came with it

  std::uint32_t r2ts = 0, h2c_pdus = 0, c2h_pdus = 0;
  std::uint64_t asked = 0;      // bytes that R2Ts asked for
  std::uint64_t h2c_bytes = 0;  // in H2CData
  std::uint64_t c2h_bytes = 0;
  std::uint32_t bad_digests = 0;

  // The ends of PDUs: of the capsule, the first and last R2T, the first and last data.
  stamp sent, first_r2t, last_r2t, first_data, last_data;

  std::uint8_t opcode() const { return std::to_integer<std::uint8_t>(sqe[0]); }
  std::uint8_t fctype() const { return std::to_integer<std::uint8_t>(sqe[4]); }
  std::uint64_t bytes() const { return in_capsule + h2c_bytes + c2h_bytes; }
};

enum class fate : std::uint8_t {
  completed,  // by a response capsule
  success,    // by the SUCCESS flag of its last data
  replaced,   // another command with its CID came: its completion was not seen
  ended,      // the connection ended before it
  left,       // the capture ended before it
};

struct completion {
  fate how = fate::completed;
  stamp at;
  byte_span cqe = {};        // 16 bytes, when a response capsule had them all; else empty
  std::uint16_t status = 0;  // the word at byte 14, without the phase bit: SCT and SC and flags

  bool answered() const { return how == fate::completed || how == fate::success; }
  bool failed() const { return (status & 0x7ff) != 0; }
};

// Where the time of a command went; a part that it does not have is nothing.
struct latency_parts {
  std::int64_t total = 0;                   // capsule to completion
  std::optional<std::int64_t> to_r2t = {};  // capsule to the first R2T
  std::optional<std::int64_t> to_data =
      {};  // to the first data, from the first R2T where there is one
  std::optional<std::int64_t> data = {};    // first to last data
  std::optional<std::int64_t> to_end = {};  // last data to completion
};
latency_parts latency_of(const command& c, const completion& done);

}  // namespace nvmf::trace
