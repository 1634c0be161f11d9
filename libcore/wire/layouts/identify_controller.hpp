// SPDX-License-Identifier: BSD-2-Clause
// Identify Controller data structure (Base 2.0, 5.17.2.1), all 4096 bytes.
#pragma once

#include "build.hpp"
#include "identify_bits.hpp"
#include "properties.hpp"

namespace nvmf::wire {

namespace identify_parts {
using namespace build;

inline constexpr std::array power_state{
    num("mp", 0, 2, "Maximum Power, in the unit of MXPS; 0 is not reported"),
    rsvd(2, 1),
    bits("mxps", 3, 1, 0, 1, "Max Power Scale: 0 is 0.01 W, 1 is 0.0001 W"),
    bits("nops", 3, 1, 1, 1, "Non-Operational State"),
    rsvd_bits(3, 1, 2, 6),
    num("enlat", 4, 4, "Entry Latency, us"),
    num("exlat", 8, 4, "Exit Latency, us"),
    bits("rrt", 12, 1, 0, 5, "Relative Read Throughput"),
    rsvd_bits(12, 1, 5, 3),
    bits("rrl", 13, 1, 0, 5, "Relative Read Latency"),
    rsvd_bits(13, 1, 5, 3),
    bits("rwt", 14, 1, 0, 5, "Relative Write Throughput"),
    rsvd_bits(14, 1, 5, 3),
    bits("rwl", 15, 1, 0, 5, "Relative Write Latency"),
    rsvd_bits(15, 1, 5, 3),
    num("idlp", 16, 2, "Idle Power, in the unit of IPS"),
    rsvd_bits(18, 1, 0, 6),
    bits("ips", 18, 1, 6, 2, "Idle Power Scale: 1 is 0.0001 W, 2 is 0.01 W"),
    rsvd(19, 1),
    num("actp", 20, 2, "Active Power, in the unit of APS"),
    bits("apw", 22, 1, 0, 3, "Active Power Workload"),
    rsvd_bits(22, 1, 3, 3),
    bits("aps", 22, 1, 6, 2, "Active Power Scale: 1 is 0.0001 W, 2 is 0.01 W"),
    rsvd(23, 9),
};
}  // namespace identify_parts

inline constexpr layout power_state_layout{"power-state", "Power State Descriptor", "Base 5.17.2.1",
                                           32, identify_parts::power_state};

namespace identify_parts {
// Bytes 0 to 255: controller capabilities and features.
inline constexpr std::array controller_features{
    hex("vid", 0, 2, "PCI Vendor ID"),
    hex("ssvid", 2, 2, "PCI Subsystem Vendor ID"),
    bytes("sn", 4, 20, kind::ascii, "Serial Number"),
    bytes("mn", 24, 40, kind::ascii, "Model Number"),
    bytes("fr", 64, 8, kind::ascii, "Firmware Revision"),
    num("rab", 72, 1, "Recommended Arbitration Burst, 2^RAB commands"),
    hex("ieee", 73, 3, "IEEE OUI Identifier"),
    with_bits(hex("cmic", 76, 1, "Controller Multi-Path I/O and Namespace Sharing Capabilities"),
              cmic_layout),
    num("mdts", 77, 1, "Maximum Data Transfer Size, 2^MDTS units of CAP.MPSMIN; 0 is no limit"),
    hex("cntlid", 78, 2, "Controller ID"),
    with_bits(hex("ver", 80, 4, "Version"), vs_layout),
    num("rtd3r", 84, 4, "RTD3 Resume Latency, us"),
    num("rtd3e", 88, 4, "RTD3 Entry Latency, us"),
    with_bits(hex("oaes", 92, 4, "Optional Asynchronous Events Supported"), oaes_layout),
    with_bits(hex("ctratt", 96, 4, "Controller Attributes"), ctratt_layout),
    hex("rrls", 100, 2, "Read Recovery Levels Supported, one bit each"),
    rsvd(102, 9),
    named(num("cntrltype", 111, 1, "Controller Type"), controller_types),
    bytes("fguid", 112, 16, kind::raw, "FRU Globally Unique Identifier"),
    num("crdt1", 128, 2, "Command Retry Delay Time 1, 100 ms units"),
    num("crdt2", 130, 2, "Command Retry Delay Time 2, 100 ms units"),
    num("crdt3", 132, 2, "Command Retry Delay Time 3, 100 ms units"),
    rsvd(134, 106),
    rsvd(240, 13),
    with_bits(hex("nvmsr", 253, 1, "NVM Subsystem Report"), nvmsr_layout),
    with_bits(hex("vwci", 254, 1, "VPD Write Cycle Information"), vwci_layout),
    with_bits(hex("mec", 255, 1, "Management Endpoint Capabilities"), mec_layout),
};
// Bytes 256 to 511: Admin Command Set attributes and optional capabilities.
inline constexpr std::array controller_admin{
    with_bits(hex("oacs", 256, 2, "Optional Admin Command Support"), oacs_layout),
    zero_based(num("acl", 258, 1, "Abort Command Limit, 0's based")),
    zero_based(num("aerl", 259, 1, "Asynchronous Event Request Limit, 0's based")),
    with_bits(hex("frmw", 260, 1, "Firmware Updates"), frmw_layout),
    with_bits(hex("lpa", 261, 1, "Log Page Attributes"), lpa_layout),
    zero_based(num("elpe", 262, 1, "Error Log Page Entries, 0's based")),
    zero_based(num("npss", 263, 1, "Number of Power States Support, 0's based")),
    with_bits(hex("avscc", 264, 1, "Admin Vendor Specific Command Configuration"), avscc_layout),
    with_bits(hex("apsta", 265, 1, "Autonomous Power State Transition Attributes"), apsta_layout),
    num("wctemp", 266, 2, "Warning Composite Temperature Threshold, K"),
    num("cctemp", 268, 2, "Critical Composite Temperature Threshold, K"),
    num("mtfa", 270, 2, "Maximum Time for Firmware Activation, 100 ms units"),
    num("hmpre", 272, 4, "Host Memory Buffer Preferred Size, 4 KiB units"),
    num("hmmin", 276, 4, "Host Memory Buffer Minimum Size, 4 KiB units"),
    num("tnvmcap", 280, 16, "Total NVM Capacity, bytes"),
    num("unvmcap", 296, 16, "Unallocated NVM Capacity, bytes"),
    with_bits(hex("rpmbs", 312, 4, "Replay Protected Memory Block Support"), rpmbs_layout),
    num("edstt", 316, 2, "Extended Device Self-test Time, minutes"),
    with_bits(hex("dsto", 318, 1, "Device Self-test Options"), dsto_layout),
    num("fwug", 319, 1, "Firmware Update Granularity, 4 KiB units; 255 is no restriction"),
    num("kas", 320, 2, "Keep Alive Support, 100 ms units; 0 is none"),
    with_bits(hex("hctma", 322, 2, "Host Controlled Thermal Management Attributes"), hctma_layout),
    num("mntmt", 324, 2, "Minimum Thermal Management Temperature, K"),
    num("mxtmt", 326, 2, "Maximum Thermal Management Temperature, K"),
    with_bits(hex("sanicap", 328, 4, "Sanitize Capabilities"), sanicap_layout),
    num("hmminds", 332, 4, "Host Memory Buffer Minimum Descriptor Entry Size, 4 KiB units"),
    num("hmmaxd", 336, 2, "Host Memory Maximum Descriptors Entries"),
    num("nsetidmax", 338, 2, "NVM Set Identifier Maximum"),
    num("endgidmax", 340, 2, "Endurance Group Identifier Maximum"),
    num("anatt", 342, 1, "ANA Transition Time, s"),
    with_bits(hex("anacap", 343, 1, "Asymmetric Namespace Access Capabilities"), anacap_layout),
    num("anagrpmax", 344, 4, "ANA Group Identifier Maximum"),
    num("nanagrpid", 348, 4, "Number of ANA Group Identifiers"),
    num("pels", 352, 4, "Persistent Event Log Size, 64 KiB units"),
    num("domainid", 356, 2, "Domain Identifier"),
    rsvd(358, 10),
    num("megcap", 368, 16, "Max Endurance Group Capacity, bytes"),
    rsvd(384, 128),
};
// Bytes 512 to 2047: I/O Command Set attributes, the subsystem's name and the fabrics area.
inline constexpr std::array controller_io{
    with_bits(hex("sqes", 512, 1, "Submission Queue Entry Size"), sqes_layout),
    with_bits(hex("cqes", 513, 1, "Completion Queue Entry Size"), cqes_layout),
    num("maxcmd", 514, 2, "Maximum Outstanding Commands of a queue"),
    num("nn", 516, 4, "Number of Namespaces, the highest NSID"),
    with_bits(hex("oncs", 520, 2, "Optional NVM Command Support"), oncs_layout),
    with_bits(hex("fuses", 522, 2, "Fused Operation Support"), fuses_layout),
    with_bits(hex("fna", 524, 1, "Format NVM Attributes"), fna_layout),
    with_bits(hex("vwc", 525, 1, "Volatile Write Cache"), vwc_layout),
    zero_based(num("awun", 526, 2, "Atomic Write Unit Normal, logical blocks, 0's based")),
    zero_based(num("awupf", 528, 2, "Atomic Write Unit Power Fail, logical blocks, 0's based")),
    with_bits(hex("icsvscc", 530, 1, "I/O Command Set Vendor Specific Command Configuration"),
              icsvscc_layout),
    with_bits(hex("nwpc", 531, 1, "Namespace Write Protection Capabilities"), nwpc_layout),
    zero_based(num("acwu", 532, 2, "Atomic Compare & Write Unit, logical blocks, 0's based")),
    with_bits(hex("ocfs", 534, 2, "Optional Copy Formats Supported"), ocfs_layout),
    with_bits(hex("sgls", 536, 4, "SGL Support"), sgls_layout),
    num("mnan", 540, 4, "Maximum Number of Allowed Namespaces"),
    num("maxdna", 544, 16, "Maximum Domain Namespace Attachments"),
    num("maxcna", 560, 4, "Maximum I/O Controller Namespace Attachments"),
    rsvd(564, 204),
    bytes("subnqn", 768, 256, kind::text, "NVM Subsystem NVMe Qualified Name"),
    rsvd(1024, 768),
    num("ioccsz", 1792, 4, "I/O Queue Command Capsule Supported Size, 16-byte units"),
    num("iorcsz", 1796, 4, "I/O Queue Response Capsule Supported Size, 16-byte units"),
    num("icdoff", 1800, 2, "In Capsule Data Offset, 16-byte units"),
    with_bits(hex("fcatt", 1802, 1, "Fabrics Controller Attributes"), fcatt_layout),
    num("msdbd", 1803, 1, "Maximum SGL Data Block Descriptors; 0 is no limit"),
    with_bits(hex("ofcs", 1804, 2, "Optional Fabric Commands Support"), ofcs_layout),
    named(num("dctype", 1806, 1, "Discovery Controller Type (after Base 2.0)"),
          discovery_controller_types),
    rsvd(1807, 241),
};
inline constexpr auto controller =
    join(controller_features, controller_admin, controller_io,
         std::array{
             nested("psd", 2048, power_state_layout, 32, "Power State Descriptors"),
             bytes("vs", 3072, 1024, kind::raw, "Vendor Specific"),
         });
}  // namespace identify_parts

inline constexpr layout identify_controller{"identify-controller", "Identify Controller data",
                                            "Base 5.17.2.1", 4096, identify_parts::controller};

static_assert(complete(power_state_layout) && complete(identify_controller));

}  // namespace nvmf::wire
