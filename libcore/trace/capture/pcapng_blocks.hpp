// SPDX-License-Identifier: BSD-2-Clause
// The numbers of pcapng's blocks and options (draft-ietf-opsawg-pcapng) that are read and written.
#pragma once

#include <cstdint>

namespace nvmf::trace::pcapng {

inline constexpr std::uint32_t section_block = 0x0a0d0d0a, interface_block = 1,
                               old_packet_block = 2, simple_packet_block = 3,
                               enhanced_packet_block = 6;
inline constexpr std::uint32_t byte_order_magic = 0x1a2b3c4d;

// Of every block.
inline constexpr std::uint16_t option_end = 0, option_comment = 1;
// Of a section.
inline constexpr std::uint16_t section_hardware = 2, section_os = 3, section_application = 4;
// Of an interface: its name, if_tsresol, if_tsoffset.
inline constexpr std::uint16_t interface_description = 3, interface_resolution = 9,
                               interface_offset = 14;

}  // namespace nvmf::trace::pcapng
