// SPDX-License-Identifier: BSD-2-Clause
// Discovery log page (Base 2.0, 5.16.1.23) with the transport specific address subtypes of TCP
// (NVMe/TCP 1.0) and RDMA (NVMe RDMA 1.0).
#pragma once

#include "build.hpp"

namespace nvmf::wire {

namespace discovery_parts {
using namespace build;

inline constexpr std::array treq_bits{
    named(bits("tsc", 0, 1, 0, 2, "Transport Secure Channel"), treq_secure_channels),
    bits("dsqfc", 0, 1, 2, 1, "Disable SQ Flow Control is supported"),
    rsvd_bits(0, 1, 3, 5),
};
inline constexpr std::array eflags_bits{
    bits("dupretinfo", 0, 2, 0, 1, "Duplicate Returned Information"),
    bits("epcsd", 0, 2, 1, 1, "Explicit Persistent Connection Support for Discovery"),
    bits("ncc", 0, 2, 2, 1, "No CDC Connectivity (after Base 2.0)"),
    rsvd_bits(0, 2, 3, 13),
};
inline constexpr std::array tsas_tcp{
    named(num("sectype", 0, 1, "Security Type"), tcp_security_types),
    rsvd(1, 255),
};
inline constexpr std::array tsas_rdma{
    named(num("qptype", 0, 1, "QP Service Type"), rdma_qp_types),
    named(num("prtype", 1, 1, "Provider Type"), rdma_provider_types),
    named(num("cms", 2, 1, "Connection Management Service"), rdma_cm_services),
    rsvd(3, 5),
    hex("pkey", 8, 2, "Partition Key"),
    rsvd(10, 246),
};
inline constexpr std::array tsas_raw{bytes("tsas", 0, 256, kind::raw, "Opaque")};
}  // namespace discovery_parts

inline constexpr layout treq_layout{"treq", "Transport Requirements", "Base 5.16.1.23", 1,
                                    discovery_parts::treq_bits};
inline constexpr layout eflags_layout{"eflags", "Entry Flags", "Base 5.16.1.23", 2,
                                      discovery_parts::eflags_bits};
inline constexpr layout tsas_tcp_layout{"tsas-tcp", "Transport Specific Address Subtype, TCP",
                                        "TCP 3.7", 256, discovery_parts::tsas_tcp};
inline constexpr layout tsas_rdma_layout{"tsas-rdma", "Transport Specific Address Subtype, RDMA",
                                         "RDMA 3", 256, discovery_parts::tsas_rdma};
inline constexpr layout tsas_layout{"tsas",
                                    "Transport Specific Address Subtype, of another transport",
                                    "Base 5.16.1.23", 256, discovery_parts::tsas_raw};

namespace discovery_parts {
constexpr const layout* tsas_of_entry(byte_span entry) {
  switch (entry.empty() ? 0 : std::to_integer<int>(entry[0])) {
    case 1:
      return &tsas_rdma_layout;
    case 3:
      return &tsas_tcp_layout;
    default:
      return nullptr;
  }
}
inline constexpr std::array entry{
    named(num("trtype", 0, 1, "Transport Type"), transport_types),
    named(num("adrfam", 1, 1, "Address Family"), address_families),
    named(num("subtype", 2, 1, "Subsystem Type"), subsystem_types),
    with_bits(hex("treq", 3, 1, "Transport Requirements"), treq_layout),
    num("portid", 4, 2, "Port ID"),
    hex("cntlid", 6, 2, "Controller ID; FFFFh is dynamic"),
    num("asqsz", 8, 2, "Admin Max SQ Size"),
    with_bits(hex("eflags", 10, 2, "Entry Flags"), eflags_layout),
    rsvd(12, 20),
    bytes("trsvcid", 32, 32, kind::ascii, "Transport Service Identifier"),
    rsvd(64, 192),
    bytes("subnqn", 256, 256, kind::text, "NVM Subsystem Qualified Name"),
    bytes("traddr", 512, 256, kind::ascii, "Transport Address"),
    nested_as("tsas", 768, tsas_layout, tsas_of_entry, "Transport Specific Address Subtype"),
};
}  // namespace discovery_parts

inline constexpr layout discovery_entry{"discovery-entry", "Discovery Log Page Entry",
                                        "Base 5.16.1.23", 1024, discovery_parts::entry};

namespace discovery_parts {
inline constexpr std::array entry_list{nested_to_end("entry", 0, discovery_entry, "Entries")};
inline constexpr std::array log{
    num("genctr", 0, 8, "Generation Counter"),
    num("numrec", 8, 8, "Number of Records"),
    num("recfmt", 16, 2, "Record Format, 0"),
    rsvd(18, 1006),
    nested_to_end("entry", 1024, discovery_entry, "Entries"),
};
}  // namespace discovery_parts

// What a read from within the page returns.
inline constexpr layout discovery_entry_list{"discovery-entry-list", "Discovery Log Page Entries",
                                             "Base 5.16.1.23", 0, discovery_parts::entry_list};
inline constexpr layout discovery_log{"discovery-log", "Discovery log page", "Base 5.16.1.23", 1024,
                                      discovery_parts::log};

static_assert(complete(treq_layout) && complete(eflags_layout) && complete(tsas_layout));
static_assert(complete(tsas_tcp_layout) && complete(tsas_rdma_layout));
static_assert(complete(discovery_entry) && complete(discovery_entry_list) &&
              complete(discovery_log));

}  // namespace nvmf::wire
