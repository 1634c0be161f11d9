// SPDX-License-Identifier: BSD-2-Clause
// The words of the Identify Controller data structure whose bits have meanings of their own
// (Base 2.0, 5.17.2.1). A bit bears the specification's abbreviation where Base 2.0 gives one and
// a word that speaks for itself where it does not.
#pragma once

#include "build.hpp"

namespace nvmf::wire {

namespace identify_parts {
using namespace build;

inline constexpr std::array cmic_bits{
    bits("multi_port", 0, 1, 0, 1, "Subsystem may have more than one port"),
    bits("multi_ctrl", 0, 1, 1, 1, "Subsystem may have more than one controller"),
    bits("sriov_vf", 0, 1, 2, 1, "Associated with an SR-IOV Virtual Function"),
    bits("ana", 0, 1, 3, 1, "Asymmetric Namespace Access Reporting supported"),
    rsvd_bits(0, 1, 4, 4),
};
inline constexpr std::array oaes_bits{
    rsvd_bits(0, 4, 0, 8),
    bits("ns_attr", 0, 4, 8, 1, "Namespace Attribute Notices"),
    bits("fw_act", 0, 4, 9, 1, "Firmware Activation Notices"),
    rsvd_bits(0, 4, 10, 1),
    bits("ana_change", 0, 4, 11, 1, "Asymmetric Namespace Access Change Notices"),
    bits("plea", 0, 4, 12, 1, "Predictable Latency Event Aggregate Log Change Notices"),
    bits("lba_status", 0, 4, 13, 1, "LBA Status Information Notices"),
    bits("ege", 0, 4, 14, 1, "Endurance Group Event Aggregate Log Page Change Notices"),
    bits("shutdown", 0, 4, 15, 1, "Normal NVM Subsystem Shutdown event"),
    rsvd_bits(0, 4, 16, 11),
    bits("zone_desc", 0, 4, 27, 1, "Zone Descriptor Changed Notices", "ZNS 4.1.5.3"),
    rsvd_bits(0, 4, 28, 3),
    bits("disc_log", 0, 4, 31, 1, "Discovery Log Page Change Notification"),
};
inline constexpr std::array ctratt_bits{
    bits("hostid128", 0, 4, 0, 1, "128-bit Host Identifier"),
    bits("nopspm", 0, 4, 1, 1, "Non-Operational Power State Permissive Mode"),
    bits("nvm_sets", 0, 4, 2, 1, "NVM Sets"),
    bits("rrl", 0, 4, 3, 1, "Read Recovery Levels"),
    bits("endgrp", 0, 4, 4, 1, "Endurance Groups"),
    bits("plm", 0, 4, 5, 1, "Predictable Latency Mode"),
    bits("tbkas", 0, 4, 6, 1, "Traffic Based Keep Alive Support"),
    bits("ns_gran", 0, 4, 7, 1, "Namespace Granularity"),
    bits("sq_assoc", 0, 4, 8, 1, "SQ Associations"),
    bits("uuid_list", 0, 4, 9, 1, "UUID List"),
    bits("mds", 0, 4, 10, 1, "Multi-Domain Subsystem"),
    bits("fcm", 0, 4, 11, 1, "Fixed Capacity Management"),
    bits("vcm", 0, 4, 12, 1, "Variable Capacity Management"),
    bits("del_endgrp", 0, 4, 13, 1, "Delete Endurance Group"),
    bits("del_nvm_set", 0, 4, 14, 1, "Delete NVM Set"),
    bits("elbas", 0, 4, 15, 1, "Extended LBA Formats Supported"),
    rsvd_bits(0, 4, 16, 3),
    bits("fdps", 0, 4, 19, 1, "Flexible Data Placement Support (after Base 2.0)"),
    rsvd_bits(0, 4, 20, 12),
};
inline constexpr std::array nvmsr_bits{
    bits("nvmesd", 0, 1, 0, 1, "Part of an NVMe Storage Device"),
    bits("nvmee", 0, 1, 1, 1, "Part of an NVMe Enclosure"),
    rsvd_bits(0, 1, 2, 6),
};
inline constexpr std::array vwci_bits{
    bits("vwcr", 0, 1, 0, 7, "VPD Write Cycles Remaining"),
    bits("vwcrv", 0, 1, 7, 1, "VPD Write Cycles Remaining Valid"),
};
inline constexpr std::array mec_bits{
    bits("smbusme", 0, 1, 0, 1, "SMBus/I2C Port Management Endpoint"),
    bits("pcieme", 0, 1, 1, 1, "PCIe Port Management Endpoint"),
    rsvd_bits(0, 1, 2, 6),
};
inline constexpr std::array oacs_bits{
    bits("security", 0, 2, 0, 1, "Security Send and Security Receive"),
    bits("format", 0, 2, 1, 1, "Format NVM"),
    bits("firmware", 0, 2, 2, 1, "Firmware Commit and Firmware Image Download"),
    bits("ns_mgmt", 0, 2, 3, 1, "Namespace Management"),
    bits("self_test", 0, 2, 4, 1, "Device Self-test"),
    bits("directives", 0, 2, 5, 1, "Directive Send and Directive Receive"),
    bits("nvme_mi", 0, 2, 6, 1, "NVMe-MI Send and NVMe-MI Receive"),
    bits("virt_mgmt", 0, 2, 7, 1, "Virtualization Management"),
    bits("dbbuf", 0, 2, 8, 1, "Doorbell Buffer Config"),
    bits("lba_status", 0, 2, 9, 1, "Get LBA Status"),
    bits("lockdown", 0, 2, 10, 1, "Command and Feature Lockdown"),
    rsvd_bits(0, 2, 11, 5),
};
inline constexpr std::array frmw_bits{
    bits("slot1_ro", 0, 1, 0, 1, "First firmware slot is read only"),
    bits("slots", 0, 1, 1, 3, "Number of firmware slots"),
    bits("no_reset", 0, 1, 4, 1, "Firmware activation without a reset"),
    bits("smud", 0, 1, 5, 1, "Support Multiple Update Detection"),
    rsvd_bits(0, 1, 6, 2),
};
inline constexpr std::array lpa_bits{
    bits("smart_per_ns", 0, 1, 0, 1, "SMART / Health Information per namespace"),
    bits("cmd_effects", 0, 1, 1, 1, "Commands Supported and Effects log page"),
    bits("extended", 0, 1, 2, 1, "Extended data for Get Log Page: NUMDU, LPOL, LPOU"),
    bits("telemetry", 0, 1, 3, 1, "Telemetry log pages and notices"),
    bits("persistent_event", 0, 1, 4, 1, "Persistent Event log page"),
    bits("supported_pages", 0, 1, 5, 1, "Log pages 00h, 12h, 13h and the scope of commands in 05h"),
    bits("telemetry_area4", 0, 1, 6, 1, "Telemetry Data Area 4"),
    rsvd_bits(0, 1, 7, 1),
};
inline constexpr std::array rpmbs_bits{
    bits("units", 0, 4, 0, 3, "Number of RPMB Units"),
    bits("auth", 0, 4, 3, 3, "Authentication Method"),
    rsvd_bits(0, 4, 6, 10),
    zero_based(bits("total", 0, 4, 16, 8, "Total Size, 128 KiB units, 0's based")),
    zero_based(bits("access", 0, 4, 24, 8, "Access Size, 512 B units, 0's based")),
};
inline constexpr std::array sanicap_bits{
    bits("ces", 0, 4, 0, 1, "Crypto Erase Support"),
    bits("bes", 0, 4, 1, 1, "Block Erase Support"),
    bits("ows", 0, 4, 2, 1, "Overwrite Support"),
    rsvd_bits(0, 4, 3, 26),
    bits("ndi", 0, 4, 29, 1, "No-Deallocate Inhibited"),
    bits("nodmmas", 0, 4, 30, 2, "No-Deallocate Modifies Media After Sanitize: 1 no, 2 yes"),
};
inline constexpr std::array anacap_bits{
    bits("optimized", 0, 1, 0, 1, "Reports ANA Optimized state"),
    bits("non_optimized", 0, 1, 1, 1, "Reports ANA Non-Optimized state"),
    bits("inaccessible", 0, 1, 2, 1, "Reports ANA Inaccessible state"),
    bits("persistent_loss", 0, 1, 3, 1, "Reports ANA Persistent Loss state"),
    bits("change", 0, 1, 4, 1, "Reports ANA Change state"),
    rsvd_bits(0, 1, 5, 1),
    bits("grpid_fixed", 0, 1, 6, 1, "ANAGRPID does not change while the namespace is attached"),
    bits("grpid_mgmt", 0, 1, 7, 1, "Non-zero ANAGRPID in the Namespace Management command"),
};
// SQES and CQES: powers of two.
inline constexpr std::array entry_size_bits{
    bits("required", 0, 1, 0, 4, "Required entry size, 2^n bytes"),
    bits("maximum", 0, 1, 4, 4, "Maximum entry size, 2^n bytes"),
};
inline constexpr std::array oncs_bits{
    bits("compare", 0, 2, 0, 1, "Compare"),
    bits("write_uncorrectable", 0, 2, 1, 1, "Write Uncorrectable"),
    bits("dsm", 0, 2, 2, 1, "Dataset Management"),
    bits("write_zeroes", 0, 2, 3, 1, "Write Zeroes"),
    bits("save_select", 0, 2, 4, 1, "Save of Set Features, Select of Get Features"),
    bits("reservations", 0, 2, 5, 1, "Reservations"),
    bits("timestamp", 0, 2, 6, 1, "Timestamp feature"),
    bits("verify", 0, 2, 7, 1, "Verify"),
    bits("copy", 0, 2, 8, 1, "Copy"),
    rsvd_bits(0, 2, 9, 7),
};
inline constexpr std::array fuses_bits{
    bits("compare_write", 0, 2, 0, 1, "Compare and Write fused operation"),
    rsvd_bits(0, 2, 1, 15),
};
inline constexpr std::array fna_bits{
    bits("format_all", 0, 1, 0, 1, "Format applies to all namespaces"),
    bits("erase_all", 0, 1, 1, 1, "Secure erase applies to all namespaces"),
    bits("crypto_erase", 0, 1, 2, 1, "Cryptographic erase"),
    bits("no_broadcast", 0, 1, 3, 1, "Format NVM does not support NSID FFFFFFFFh"),
    rsvd_bits(0, 1, 4, 4),
};
inline constexpr std::array vwc_bits{
    bits("present", 0, 1, 0, 1, "Volatile write cache present"),
    bits("flush", 0, 1, 1, 2, "Flush with NSID FFFFFFFFh: 2 not supported, 3 supported"),
    rsvd_bits(0, 1, 3, 5),
};
inline constexpr std::array nwpc_bits{
    bits("write_protect", 0, 1, 0, 1, "No Write Protect and Write Protect states"),
    bits("until_power_cycle", 0, 1, 1, 1, "Write Protect Until Power Cycle state"),
    bits("permanent", 0, 1, 2, 1, "Permanent Write Protect state"),
    rsvd_bits(0, 1, 3, 5),
};
inline constexpr std::array ocfs_bits{
    bits("format0", 0, 2, 0, 1, "Copy Descriptor Format 0h"),
    bits("format1", 0, 2, 1, 1, "Copy Descriptor Format 1h"),
    rsvd_bits(0, 2, 2, 14),
};
inline constexpr std::array sgls_bits{
    bits("support", 0, 4, 0, 2, "SGLs: 1 supported, 2 supported with dword alignment"),
    bits("keyed", 0, 4, 2, 1, "Keyed SGL Data Block descriptor"),
    rsvd_bits(0, 4, 3, 5),
    bits("sdt", 0, 4, 8, 8, "SGL Descriptor Threshold; 0 is none"),
    bits("bit_bucket", 0, 4, 16, 1, "SGL Bit Bucket descriptor"),
    bits("mptr_contig", 0, 4, 17, 1, "Byte aligned contiguous metadata in MPTR"),
    bits("oversize", 0, 4, 18, 1, "SGL longer than the data"),
    bits("mptr_sgl", 0, 4, 19, 1, "MPTR holding an SGL descriptor"),
    bits("offset", 0, 4, 20, 1, "Address field as an offset (in-capsule data)"),
    bits("transport", 0, 4, 21, 1, "Transport SGL Data Block descriptor"),
    rsvd_bits(0, 4, 22, 10),
};
inline constexpr std::array fcatt_bits{
    bits("static", 0, 1, 0, 1, "Controller model: 0 dynamic, 1 static"),
    rsvd_bits(0, 1, 1, 7),
};
inline constexpr std::array ofcs_bits{
    bits("disconnect", 0, 2, 0, 1, "Disconnect command"),
    rsvd_bits(0, 2, 1, 15),
};
inline constexpr std::array avscc_bits{
    bits("standard", 0, 1, 0, 1, "Admin vendor specific commands use the standard format"),
    rsvd_bits(0, 1, 1, 7),
};
inline constexpr std::array apsta_bits{
    bits("supported", 0, 1, 0, 1, "Autonomous power state transitions"),
    rsvd_bits(0, 1, 1, 7),
};
inline constexpr std::array dsto_bits{
    bits("one", 0, 1, 0, 1, "One device self-test operation at a time in the subsystem"),
    rsvd_bits(0, 1, 1, 7),
};
inline constexpr std::array hctma_bits{
    bits("supported", 0, 2, 0, 1, "Host controlled thermal management"),
    rsvd_bits(0, 2, 1, 15),
};
inline constexpr std::array icsvscc_bits{
    bits("standard", 0, 1, 0, 1, "NVM vendor specific commands use the standard format"),
    rsvd_bits(0, 1, 1, 7),
};
}  // namespace identify_parts

inline constexpr layout cmic_layout{"cmic",
                                    "Controller Multi-Path I/O and Namespace Sharing Capabilities",
                                    "Base 5.17.2.1", 1, identify_parts::cmic_bits};
inline constexpr layout oaes_layout{"oaes", "Optional Asynchronous Events Supported",
                                    "Base 5.17.2.1", 4, identify_parts::oaes_bits};
inline constexpr layout ctratt_layout{"ctratt", "Controller Attributes", "Base 5.17.2.1", 4,
                                      identify_parts::ctratt_bits};
inline constexpr layout nvmsr_layout{"nvmsr", "NVM Subsystem Report", "Base 5.17.2.1", 1,
                                     identify_parts::nvmsr_bits};
inline constexpr layout vwci_layout{"vwci", "VPD Write Cycle Information", "Base 5.17.2.1", 1,
                                    identify_parts::vwci_bits};
inline constexpr layout mec_layout{"mec", "Management Endpoint Capabilities", "Base 5.17.2.1", 1,
                                   identify_parts::mec_bits};
inline constexpr layout oacs_layout{"oacs", "Optional Admin Command Support", "Base 5.17.2.1", 2,
                                    identify_parts::oacs_bits};
inline constexpr layout frmw_layout{"frmw", "Firmware Updates", "Base 5.17.2.1", 1,
                                    identify_parts::frmw_bits};
inline constexpr layout lpa_layout{"lpa", "Log Page Attributes", "Base 5.17.2.1", 1,
                                   identify_parts::lpa_bits};
inline constexpr layout avscc_layout{"avscc", "Admin Vendor Specific Command Configuration",
                                     "Base 5.17.2.1", 1, identify_parts::avscc_bits};
inline constexpr layout apsta_layout{"apsta", "Autonomous Power State Transition Attributes",
                                     "Base 5.17.2.1", 1, identify_parts::apsta_bits};
inline constexpr layout rpmbs_layout{"rpmbs", "Replay Protected Memory Block Support",
                                     "Base 5.17.2.1", 4, identify_parts::rpmbs_bits};
inline constexpr layout dsto_layout{"dsto", "Device Self-test Options", "Base 5.17.2.1", 1,
                                    identify_parts::dsto_bits};
inline constexpr layout hctma_layout{"hctma", "Host Controlled Thermal Management Attributes",
                                     "Base 5.17.2.1", 2, identify_parts::hctma_bits};
inline constexpr layout sanicap_layout{"sanicap", "Sanitize Capabilities", "Base 5.17.2.1", 4,
                                       identify_parts::sanicap_bits};
inline constexpr layout anacap_layout{"anacap", "Asymmetric Namespace Access Capabilities",
                                      "Base 5.17.2.1", 1, identify_parts::anacap_bits};
inline constexpr layout sqes_layout{"sqes", "Submission Queue Entry Size", "Base 5.17.2.1", 1,
                                    identify_parts::entry_size_bits};
inline constexpr layout cqes_layout{"cqes", "Completion Queue Entry Size", "Base 5.17.2.1", 1,
                                    identify_parts::entry_size_bits};
inline constexpr layout oncs_layout{"oncs", "Optional NVM Command Support", "Base 5.17.2.1", 2,
                                    identify_parts::oncs_bits};
inline constexpr layout fuses_layout{"fuses", "Fused Operation Support", "Base 5.17.2.1", 2,
                                     identify_parts::fuses_bits};
inline constexpr layout fna_layout{"fna", "Format NVM Attributes", "Base 5.17.2.1", 1,
                                   identify_parts::fna_bits};
inline constexpr layout vwc_layout{"vwc", "Volatile Write Cache", "Base 5.17.2.1", 1,
                                   identify_parts::vwc_bits};
inline constexpr layout icsvscc_layout{"icsvscc",
                                       "I/O Command Set Vendor Specific Command Configuration",
                                       "Base 5.17.2.1", 1, identify_parts::icsvscc_bits};
inline constexpr layout nwpc_layout{"nwpc", "Namespace Write Protection Capabilities",
                                    "Base 5.17.2.1", 1, identify_parts::nwpc_bits};
inline constexpr layout ocfs_layout{"ocfs", "Optional Copy Formats Supported", "Base 5.17.2.1", 2,
                                    identify_parts::ocfs_bits};
inline constexpr layout sgls_layout{"sgls", "SGL Support", "Base 5.17.2.1", 4,
                                    identify_parts::sgls_bits};
inline constexpr layout fcatt_layout{"fcatt", "Fabrics Controller Attributes", "Base 5.17.2.1", 1,
                                     identify_parts::fcatt_bits};
inline constexpr layout ofcs_layout{"ofcs", "Optional Fabric Commands Support", "Base 5.17.2.1", 2,
                                    identify_parts::ofcs_bits};

static_assert(complete(cmic_layout) && complete(oaes_layout) && complete(ctratt_layout));
static_assert(complete(nvmsr_layout) && complete(vwci_layout) && complete(mec_layout));
static_assert(complete(oacs_layout) && complete(frmw_layout) && complete(lpa_layout));
static_assert(complete(avscc_layout) && complete(apsta_layout) && complete(rpmbs_layout));
static_assert(complete(dsto_layout) && complete(hctma_layout) && complete(sanicap_layout));
static_assert(complete(anacap_layout) && complete(sqes_layout) && complete(cqes_layout));
static_assert(complete(oncs_layout) && complete(fuses_layout) && complete(fna_layout));
static_assert(complete(vwc_layout) && complete(icsvscc_layout) && complete(nwpc_layout));
static_assert(complete(ocfs_layout) && complete(sgls_layout) && complete(fcatt_layout));
static_assert(complete(ofcs_layout));

}  // namespace nvmf::wire
