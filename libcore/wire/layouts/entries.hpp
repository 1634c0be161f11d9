// SPDX-License-Identifier: BSD-2-Clause
// Submission queue entry, completion queue entry and SGL descriptors in general
// (Base 2.0, 3.3.3 and 4.3). Per-command forms share the head of the SQE: layouts/commands.hpp.
#pragma once

#include "../tables.hpp"
#include "build.hpp"

namespace nvmf::wire {

namespace entry_parts {
using namespace build;
// Dwords 0 to 9 of every SQE that is not a Fabrics command.
inline constexpr std::array sqe_head{
    hex("opc", 0, 1, "Opcode", "Base 3.3.3.1"),
    bits("fuse", 1, 1, 0, 2, "Fused Operation", "Base 3.3.3.1"),
    rsvd_bits(1, 1, 2, 4),
    bits("psdt", 1, 1, 6, 2, "PRP or SGL for Data Transfer", "Base 3.3.3.1"),
    hex("cid", 2, 2, "Command Identifier", "Base 3.3.3.1"),
    hex("nsid", 4, 4, "Namespace Identifier", "Base 3.3.3.1"),
};
inline constexpr std::array sqe_tail{
    hex("cdw2", 8, 4, "Command Dword 2"),
    hex("cdw3", 12, 4, "Command Dword 3"),
    hex("mptr", 16, 8, "Metadata Pointer", "Base 3.3.3.1"),
    bytes("sgl1", 24, 16, kind::raw, "SGL Entry 1", "Base 3.3.3.1"),
    hex("cdw10", 40, 4, "Command Dword 10"),
    hex("cdw11", 44, 4, "Command Dword 11"),
    hex("cdw12", 48, 4, "Command Dword 12"),
    hex("cdw13", 52, 4, "Command Dword 13"),
    hex("cdw14", 56, 4, "Command Dword 14"),
    hex("cdw15", 60, 4, "Command Dword 15"),
};
inline constexpr auto sqe = join(sqe_head, sqe_tail);
inline constexpr std::array cqe{
    hex("dw0", 0, 4, "Command Specific, dword 0", "Base 3.3.3.2"),
    hex("dw1", 4, 4, "Command Specific, dword 1", "Base 3.3.3.2"),
    num("sqhd", 8, 2, "SQ Head Pointer", "Base 3.3.3.2"),
    num("sqid", 10, 2, "SQ Identifier (reserved over fabrics)", "Base 3.3.3.2"),
    hex("cid", 12, 2, "Command Identifier", "Base 3.3.3.2"),
    bits("p", 14, 2, 0, 1, "Phase Tag (reserved over fabrics)", "Base 3.3.3.2"),
    bits("sc", 14, 2, 1, 8, "Status Code", "Base 3.3.3.2.1"),
    bits("sct", 14, 2, 9, 3, "Status Code Type", "Base 3.3.3.2.1"),
    bits("crd", 14, 2, 12, 2, "Command Retry Delay", "Base 3.3.3.2.1"),
    bits("m", 14, 2, 14, 1, "More", "Base 3.3.3.2.1"),
    bits("dnr", 14, 2, 15, 1, "Do Not Retry", "Base 3.3.3.2.1"),
};
// The 16 bytes common to data block, segment, last segment and transport data block descriptors;
// a keyed descriptor differs in the first 15 bytes.
inline constexpr std::array sgl{
    hex("addr", 0, 8, "Address, or offset when the subtype is Offset", "Base 4.3.1"),
    num("length", 8, 4, "Length, bytes", "Base 4.3.1"),
    rsvd(12, 3),
    bits("subtype", 15, 1, 0, 4, "SGL Descriptor Sub Type", "Base 4.3.1"),
    bits("type", 15, 1, 4, 4, "SGL Descriptor Type", "Base 4.3.1"),
};
inline constexpr std::array keyed_sgl{
    hex("addr", 0, 8, "Address", "Base 4.3.1"),
    num("length", 8, 3, "Length, bytes", "Base 4.3.1"),
    hex("key", 11, 4, "Key", "Base 4.3.1"),
    bits("subtype", 15, 1, 0, 4, "SGL Descriptor Sub Type", "Base 4.3.1"),
    bits("type", 15, 1, 4, 4, "SGL Descriptor Type", "Base 4.3.1"),
};
}  // namespace entry_parts

inline constexpr layout sqe_layout{"sqe", "Submission Queue Entry", "Base 3.3.3.1", 64, entry_parts::sqe};
inline constexpr layout cqe_layout{"cqe", "Completion Queue Entry", "Base 3.3.3.2", 16, entry_parts::cqe};
inline constexpr layout sgl_layout{"sgl", "SGL descriptor", "Base 4.3.1", 16, entry_parts::sgl};
inline constexpr layout keyed_sgl_layout{"keyed-sgl", "Keyed SGL data block descriptor", "Base 4.3.1", 16, entry_parts::keyed_sgl};

static_assert(complete(sqe_layout) && complete(cqe_layout));
static_assert(complete(sgl_layout) && complete(keyed_sgl_layout));

}  // namespace nvmf::wire
