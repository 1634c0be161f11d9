// SPDX-License-Identifier: BSD-2-Clause
// Submission queue entry, completion queue entry and SGL descriptors in general
// (Base 2.0, 3.3.3 and 4.1.2). The forms of single commands, layouts/commands.hpp and
// layouts/fabrics.hpp, are built from the parts here.
#pragma once

#include "../status.hpp"
#include "../tables.hpp"
#include "build.hpp"

namespace nvmf::wire {

namespace entry_parts {
using namespace build;

// The last byte of every SGL descriptor.
inline constexpr std::array sgl_identifier{
    named(bits("subtype", 15, 1, 0, 4, "SGL Descriptor Sub Type"), sgl_subtypes),
    named(bits("type", 15, 1, 4, 4, "SGL Descriptor Type"), sgl_types),
};
// Data block, segment and last segment.
inline constexpr auto sgl = join(
    std::array{
        hex("addr", 0, 8, "Address, or offset when the subtype is Offset"),
        num("length", 8, 4, "Length, bytes"),
        rsvd(12, 3),
    },
    sgl_identifier);
inline constexpr auto keyed_sgl = join(
    std::array{
        hex("addr", 0, 8, "Address"),
        num("length", 8, 3, "Length, bytes"),
        hex("key", 11, 4, "Key"),
    },
    sgl_identifier);
// Bit bucket and transport data block: a length and nothing to point at.
inline constexpr auto length_sgl = join(
    std::array{
        rsvd(0, 8),
        num("length", 8, 4, "Length, bytes"),
        rsvd(12, 3),
    },
    sgl_identifier);
}  // namespace entry_parts

inline constexpr layout sgl_layout{"sgl", "SGL descriptor: data block, segment, last segment",
                                   "Base 4.1.2", 16, entry_parts::sgl};
inline constexpr layout keyed_sgl_layout{"keyed-sgl", "Keyed SGL Data Block descriptor",
                                         "Base 4.1.2", 16, entry_parts::keyed_sgl};
inline constexpr layout transport_sgl_layout{"transport-sgl", "Transport SGL Data Block descriptor",
                                             "Base 4.1.2", 16, entry_parts::length_sgl};
inline constexpr layout bit_bucket_sgl_layout{"bit-bucket-sgl", "SGL Bit Bucket descriptor",
                                              "Base 4.1.2", 16, entry_parts::length_sgl};

// The layout of a descriptor, by its type (the upper half of its last byte). Never null: a type
// without a form of its own is shown as the general one.
constexpr const layout* sgl_form(std::uint8_t identifier) {
  switch (identifier >> 4) {
    case 0x1:
      return &bit_bucket_sgl_layout;
    case 0x4:
      return &keyed_sgl_layout;
    case 0x5:
      return &transport_sgl_layout;
    default:
      return &sgl_layout;
  }
}

namespace entry_parts {
constexpr const layout* sgl_of_sqe(byte_span sqe) {
  return sqe.size() >= 40 ? sgl_form(std::to_integer<std::uint8_t>(sqe[39])) : &sgl_layout;
}
// Bytes 0 to 3 of every SQE.
inline constexpr std::array sqe_dword0{
    hex("opc", 0, 1, "Opcode", "Base 3.3.3.1"),
    named(bits("fuse", 1, 1, 0, 2, "Fused Operation", "Base 3.3.3.1"), fuse_values),
    rsvd_bits(1, 1, 2, 4),
    named(bits("psdt", 1, 1, 6, 2, "PRP or SGL for Data Transfer", "Base 3.3.3.1"), psdt_values),
    hex("cid", 2, 2, "Command Identifier", "Base 3.3.3.1"),
};
constexpr auto sqe_dword0_of(const table& opcodes) {
  auto rows = sqe_dword0;
  rows[0] = named(rows[0], opcodes);
  return rows;
}
inline constexpr std::array sqe_nsid{
    hex("nsid", 4, 4, "Namespace Identifier", "Base 3.3.3.1"),
};
inline constexpr std::array sqe_sgl1{
    nested_as("sgl1", 24, sgl_layout, sgl_of_sqe, "SGL Entry 1"),
};
inline constexpr auto sqe = join(sqe_dword0, sqe_nsid,
                                 std::array{
                                     hex("cdw2", 8, 4, "Command Dword 2"),
                                     hex("cdw3", 12, 4, "Command Dword 3"),
                                     hex("mptr", 16, 8, "Metadata Pointer"),
                                 },
                                 sqe_sgl1,
                                 std::array{
                                     hex("cdw10", 40, 4, "Command Dword 10"),
                                     hex("cdw11", 44, 4, "Command Dword 11"),
                                     hex("cdw12", 48, 4, "Command Dword 12"),
                                     hex("cdw13", 52, 4, "Command Dword 13"),
                                     hex("cdw14", 56, 4, "Command Dword 14"),
                                     hex("cdw15", 60, 4, "Command Dword 15"),
                                 });
// The name of the status of a CQE: SC means what SCT says. Fabrics commands have names of their
// own, fabrics_status_row.
inline const row* status_row_of(byte_span cqe, status_set set) {
  if (cqe.size() < 16) return nullptr;
  const std::uint64_t status = load_le(cqe, 14, 2) >> 1;
  return find_status(static_cast<std::uint16_t>(status & 0x7ff), set);
}
inline const row* status_row(byte_span cqe) { return status_row_of(cqe, status_set::nvm); }
inline const row* fabrics_status_row(byte_span cqe) {
  return status_row_of(cqe, status_set::fabrics);
}
// Bytes 8 to 15 of every CQE; the dwords before them belong to the command.
constexpr auto cqe_tail_of(const row* (*status)(byte_span)) {
  return std::array{
      num("sqhd", 8, 2, "SQ Head Pointer", "Base 3.3.3.2"),
      num("sqid", 10, 2, "SQ Identifier (reserved over fabrics)", "Base 3.3.3.2"),
      hex("cid", 12, 2, "Command Identifier", "Base 3.3.3.2"),
      bits("p", 14, 2, 0, 1, "Phase Tag (reserved over fabrics)", "Base 3.3.3.2"),
      named_by(bits("sc", 14, 2, 1, 8, "Status Code", "Base 3.3.3.2.1"), status),
      named(bits("sct", 14, 2, 9, 3, "Status Code Type", "Base 3.3.3.2.1"), status_code_types),
      bits("crd", 14, 2, 12, 2, "Command Retry Delay", "Base 3.3.3.2.1"),
      bits("m", 14, 2, 14, 1, "More", "Base 3.3.3.2.1"),
      bits("dnr", 14, 2, 15, 1, "Do Not Retry", "Base 3.3.3.2.1"),
  };
}
inline constexpr auto cqe_tail = cqe_tail_of(status_row);
inline constexpr auto fabrics_cqe_tail = cqe_tail_of(fabrics_status_row);
inline constexpr auto cqe = join(
    std::array{
        hex("dw0", 0, 4, "Command Specific, dword 0"),
        hex("dw1", 4, 4, "Command Specific, dword 1"),
    },
    cqe_tail);
}  // namespace entry_parts

inline constexpr layout sqe_layout{"sqe", "Submission Queue Entry", "Base 3.3.3.1", 64,
                                   entry_parts::sqe};
inline constexpr layout cqe_layout{"cqe", "Completion Queue Entry", "Base 3.3.3.2", 16,
                                   entry_parts::cqe};

static_assert(complete(sgl_layout) && complete(keyed_sgl_layout));
static_assert(complete(transport_sgl_layout) && complete(bit_bucket_sgl_layout));
static_assert(complete(sqe_layout) && complete(cqe_layout));

}  // namespace nvmf::wire
