// SPDX-License-Identifier: BSD-2-Clause
// Blocks of pcapng (draft-ietf-opsawg-pcapng), little-endian, put behind what a buffer holds. Times
// are nanoseconds since 1970. A packet is begun, gets its comments, and is ended.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "packet.hpp"

namespace nvmf::trace {

// The length of an option is a 16-bit number; longer text is cut between characters.
inline constexpr std::size_t pcapng_text_max = 65'532;

struct pcapng_section {
  // Empty: left out.
  std::string_view hardware = {}, os = {}, application = {};
};
struct pcapng_interface {
  std::uint16_t link = 0;
  std::uint32_t snap = 0;  // 0: none
  std::string_view description = {};
};
struct pcapng_packet {
  std::uint32_t interface = 0;  // its number in the section, from 0
  std::int64_t ns = 0;
  byte_span first;                       // its bytes
  std::span<const byte_span> rest = {};  // and those behind them
  std::uint32_t wire_bytes = 0;
};

void append_section(std::vector<std::byte>& to, const pcapng_section& s);
void append_interface(std::vector<std::byte>& to, const pcapng_interface& i);

// Where the block begins, for end_packet().
std::size_t begin_packet(std::vector<std::byte>& to, const pcapng_packet& p);
// UTF-8, without a NUL. Any number of them.
void append_comment(std::vector<std::byte>& to, std::string_view text);
// `commented`: append_comment() was called.
void end_packet(std::vector<std::byte>& to, std::size_t begun, bool commented);

}  // namespace nvmf::trace
