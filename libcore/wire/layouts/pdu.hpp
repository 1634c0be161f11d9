// SPDX-License-Identifier: BSD-2-Clause
// The nine NVMe/TCP PDU headers (NVMe/TCP 1.0, 3.6). Digest, padding and data follow the header.
#pragma once

#include "../tables.hpp"
#include "build.hpp"

namespace nvmf::wire {

namespace pdu_parts {
using namespace build;
// Common header, 3.6.1: the first eight bytes of every PDU.
inline constexpr std::array ch{
    named(hex("type", 0, 1, "PDU Type", "TCP 3.6.1"), pdu_types),
    named(hex("flags", 1, 1, "Flags", "TCP 3.6.1"), pdu_flags),
    num("hlen", 2, 1, "Header Length", "TCP 3.6.1"),
    num("pdo", 3, 1, "PDU Data Offset", "TCP 3.6.1"),
    num("plen", 4, 4, "PDU Length", "TCP 3.6.1"),
};
inline constexpr auto icreq = join(
    ch, std::array{
            num("pfv", 8, 2, "PDU Format Version", "TCP 3.6.2.2"),
            num("hpda", 10, 1, "Host PDU Data Alignment, 4-byte units, 0's based", "TCP 3.6.2.2"),
            bits("hdgst_enable", 11, 1, 0, 1, "Header Digest Enable", "TCP 3.6.2.2"),
            bits("ddgst_enable", 11, 1, 1, 1, "Data Digest Enable", "TCP 3.6.2.2"),
            rsvd_bits(11, 1, 2, 6),
            zero_based(num("maxr2t", 12, 4, "Maximum outstanding R2Ts per command, 0's based",
                           "TCP 3.6.2.2")),
            rsvd(16, 112),
        });
inline constexpr auto icresp = join(
    ch,
    std::array{
        num("pfv", 8, 2, "PDU Format Version", "TCP 3.6.2.3"),
        num("cpda", 10, 1, "Controller PDU Data Alignment, 4-byte units, 0's based", "TCP 3.6.2.3"),
        bits("hdgst_enable", 11, 1, 0, 1, "Header Digest Enable", "TCP 3.6.2.3"),
        bits("ddgst_enable", 11, 1, 1, 1, "Data Digest Enable", "TCP 3.6.2.3"),
        rsvd_bits(11, 1, 2, 6),
        num("maxh2cdata", 12, 4, "Maximum data of one H2CData PDU, bytes", "TCP 3.6.2.3"),
        rsvd(16, 112),
    });
inline constexpr auto termreq =
    join(ch, std::array{
                 named(num("fes", 8, 2, "Fatal Error Status", "TCP 3.6.2.4"), fes_codes),
                 hex("fei", 10, 4, "Fatal Error Information", "TCP 3.6.2.4"),
                 rsvd(14, 10),
             });
inline constexpr auto capsule_cmd =
    join(ch, std::array{
                 bytes("ccsqe", 8, 64, kind::raw, "Submission Queue Entry", "TCP 3.6.2.6"),
             });
inline constexpr auto capsule_resp =
    join(ch, std::array{
                 bytes("rccqe", 8, 16, kind::raw, "Completion Queue Entry", "TCP 3.6.2.7"),
             });
inline constexpr auto h2c_data =
    join(ch, std::array{
                 hex("cccid", 8, 2, "Command Capsule CID", "TCP 3.6.2.8"),
                 hex("ttag", 10, 2, "Transfer Tag", "TCP 3.6.2.8"),
                 num("datao", 12, 4, "Data Offset, bytes", "TCP 3.6.2.8"),
                 num("datal", 16, 4, "Data Length, bytes", "TCP 3.6.2.8"),
                 rsvd(20, 4),
             });
inline constexpr auto c2h_data =
    join(ch, std::array{
                 hex("cccid", 8, 2, "Command Capsule CID", "TCP 3.6.2.9"),
                 rsvd(10, 2),
                 num("datao", 12, 4, "Data Offset, bytes", "TCP 3.6.2.9"),
                 num("datal", 16, 4, "Data Length, bytes", "TCP 3.6.2.9"),
                 rsvd(20, 4),
             });
inline constexpr auto r2t =
    join(ch, std::array{
                 hex("cccid", 8, 2, "Command Capsule CID", "TCP 3.6.2.10"),
                 hex("ttag", 10, 2, "Transfer Tag", "TCP 3.6.2.10"),
                 num("r2to", 12, 4, "Requested Data Offset, bytes", "TCP 3.6.2.10"),
                 num("r2tl", 16, 4, "Requested Data Length, bytes", "TCP 3.6.2.10"),
                 rsvd(20, 4),
             });
}  // namespace pdu_parts

inline constexpr layout pdu_common{"pdu-common", "PDU common header", "TCP 3.6.1", 8,
                                   pdu_parts::ch};
inline constexpr layout pdu_icreq{"icreq", "Initialize Connection Request PDU", "TCP 3.6.2.2", 128,
                                  pdu_parts::icreq};
inline constexpr layout pdu_icresp{"icresp", "Initialize Connection Response PDU", "TCP 3.6.2.3",
                                   128, pdu_parts::icresp};
inline constexpr layout pdu_h2c_termreq{"h2c-termreq",
                                        "Host to Controller Terminate Connection Request PDU",
                                        "TCP 3.6.2.4", 24, pdu_parts::termreq};
inline constexpr layout pdu_c2h_termreq{"c2h-termreq",
                                        "Controller to Host Terminate Connection Request PDU",
                                        "TCP 3.6.2.5", 24, pdu_parts::termreq};
inline constexpr layout pdu_capsule_cmd{"capsule-cmd", "Command Capsule PDU", "TCP 3.6.2.6", 72,
                                        pdu_parts::capsule_cmd};
inline constexpr layout pdu_capsule_resp{"capsule-resp", "Response Capsule PDU", "TCP 3.6.2.7", 24,
                                         pdu_parts::capsule_resp};
inline constexpr layout pdu_h2c_data{"h2c-data", "Host to Controller Data PDU", "TCP 3.6.2.8", 24,
                                     pdu_parts::h2c_data};
inline constexpr layout pdu_c2h_data{"c2h-data", "Controller to Host Data PDU", "TCP 3.6.2.9", 24,
                                     pdu_parts::c2h_data};
inline constexpr layout pdu_r2t{"r2t", "Ready to Transfer PDU", "TCP 3.6.2.10", 24, pdu_parts::r2t};

static_assert(complete(pdu_common) && complete(pdu_icreq) && complete(pdu_icresp));
static_assert(complete(pdu_h2c_termreq) && complete(pdu_c2h_termreq));
static_assert(complete(pdu_capsule_cmd) && complete(pdu_capsule_resp));
static_assert(complete(pdu_h2c_data) && complete(pdu_c2h_data) && complete(pdu_r2t));

inline constexpr const layout* pdu_layouts[] = {
    &pdu_icreq,        &pdu_icresp,   &pdu_h2c_termreq, &pdu_c2h_termreq, &pdu_capsule_cmd,
    &pdu_capsule_resp, &pdu_h2c_data, &pdu_c2h_data,    &pdu_r2t};

// The layout of a PDU type, or nullptr when the type is unknown.
constexpr const layout* pdu_layout(std::uint8_t type) {
  switch (static_cast<pdu_type>(type)) {
    case pdu_type::icreq:
      return &pdu_icreq;
    case pdu_type::icresp:
      return &pdu_icresp;
    case pdu_type::h2c_termreq:
      return &pdu_h2c_termreq;
    case pdu_type::c2h_termreq:
      return &pdu_c2h_termreq;
    case pdu_type::capsule_cmd:
      return &pdu_capsule_cmd;
    case pdu_type::capsule_resp:
      return &pdu_capsule_resp;
    case pdu_type::h2c_data:
      return &pdu_h2c_data;
    case pdu_type::c2h_data:
      return &pdu_c2h_data;
    case pdu_type::r2t:
      return &pdu_r2t;
  }
  return nullptr;
}

}  // namespace nvmf::wire
