// SPDX-License-Identifier: BSD-2-Clause
// The controller properties (Base 2.0, 3.1.3) as layouts of 4 or 8 bytes. Over fabrics only CAP,
// VS, CC, CSTS, NSSR, CRTO and NSSD exist; the others are listed so that Property Get of any offset
// is shown as what it is.
#pragma once

#include "build.hpp"

namespace nvmf::wire {

namespace property_parts {
using namespace build;

inline constexpr std::array cap{
    zero_based(bits("mqes", 0, 8, 0, 16, "Maximum Queue Entries Supported, 0's based")),
    bits("cqr", 0, 8, 16, 1, "Contiguous Queues Required"),
    bits("ams_wrr", 0, 8, 17, 1, "Arbitration: Weighted Round Robin with Urgent Priority Class"),
    bits("ams_vs", 0, 8, 18, 1, "Arbitration: Vendor Specific"),
    rsvd_bits(0, 8, 19, 5),
    bits("to", 0, 8, 24, 8, "Timeout of CSTS.RDY, 500 ms units"),
    bits("dstrd", 0, 8, 32, 4, "Doorbell Stride, 2^(2 + DSTRD) bytes"),
    bits("nssrs", 0, 8, 36, 1, "NVM Subsystem Reset Supported"),
    bits("css_nvm", 0, 8, 37, 1, "Command Sets: NVM"),
    rsvd_bits(0, 8, 38, 5),
    bits("css_iocs", 0, 8, 43, 1, "Command Sets: one or more, told by Identify CNS 1Ch"),
    bits("css_noio", 0, 8, 44, 1, "Command Sets: no I/O Command Set"),
    bits("bps", 0, 8, 45, 1, "Boot Partition Support"),
    bits("cps", 0, 8, 46, 2, "Controller Power Scope"),
    bits("mpsmin", 0, 8, 48, 4, "Memory Page Size Minimum, 2^(12 + MPSMIN) bytes"),
    bits("mpsmax", 0, 8, 52, 4, "Memory Page Size Maximum, 2^(12 + MPSMAX) bytes"),
    bits("pmrs", 0, 8, 56, 1, "Persistent Memory Region Supported"),
    bits("cmbs", 0, 8, 57, 1, "Controller Memory Buffer Supported"),
    bits("nsss", 0, 8, 58, 1, "NVM Subsystem Shutdown Supported"),
    bits("crwms", 0, 8, 59, 1, "Controller Ready With Media Support"),
    bits("crims", 0, 8, 60, 1, "Controller Ready Independent of Media Support"),
    rsvd_bits(0, 8, 61, 3),
};
inline constexpr std::array vs{
    num("ter", 0, 1, "Tertiary Version"),
    num("mnr", 1, 1, "Minor Version"),
    num("mjr", 2, 2, "Major Version"),
};
inline constexpr std::array intms{hex("ivms", 0, 4, "Interrupt Vector Mask Set")};
inline constexpr std::array intmc{hex("ivmc", 0, 4, "Interrupt Vector Mask Clear")};
inline constexpr std::array cc{
    bits("en", 0, 4, 0, 1, "Enable"),
    rsvd_bits(0, 4, 1, 3),
    named(bits("css", 0, 4, 4, 3, "I/O Command Set Selected"), cc_css_values),
    bits("mps", 0, 4, 7, 4, "Memory Page Size, 2^(12 + MPS) bytes"),
    named(bits("ams", 0, 4, 11, 3, "Arbitration Mechanism Selected"), cc_ams_values),
    named(bits("shn", 0, 4, 14, 2, "Shutdown Notification"), cc_shn_values),
    bits("iosqes", 0, 4, 16, 4, "I/O Submission Queue Entry Size, 2^IOSQES bytes"),
    bits("iocqes", 0, 4, 20, 4, "I/O Completion Queue Entry Size, 2^IOCQES bytes"),
    bits("crime", 0, 4, 24, 1, "Controller Ready Independent of Media Enable"),
    rsvd_bits(0, 4, 25, 7),
};
inline constexpr std::array csts{
    bits("rdy", 0, 4, 0, 1, "Ready"),
    bits("cfs", 0, 4, 1, 1, "Controller Fatal Status"),
    named(bits("shst", 0, 4, 2, 2, "Shutdown Status"), csts_shst_values),
    bits("nssro", 0, 4, 4, 1, "NVM Subsystem Reset Occurred"),
    bits("pp", 0, 4, 5, 1, "Processing Paused"),
    bits("st", 0, 4, 6, 1, "Shutdown Type: 1 is NVM subsystem shutdown"),
    rsvd_bits(0, 4, 7, 25),
};
inline constexpr std::array nssr{
    hex("nssrc", 0, 4, "NVM Subsystem Reset Control, 4E564D65h (\"NVMe\")")};
inline constexpr std::array aqa{
    zero_based(bits("asqs", 0, 4, 0, 12, "Admin Submission Queue Size, 0's based")),
    rsvd_bits(0, 4, 12, 4),
    zero_based(bits("acqs", 0, 4, 16, 12, "Admin Completion Queue Size, 0's based")),
    rsvd_bits(0, 4, 28, 4),
};
inline constexpr std::array asq{
    rsvd_bits(0, 8, 0, 12),
    bits("asqb", 0, 8, 12, 52, "Admin Submission Queue Base, 4 KiB pages"),
};
inline constexpr std::array acq{
    rsvd_bits(0, 8, 0, 12),
    bits("acqb", 0, 8, 12, 52, "Admin Completion Queue Base, 4 KiB pages"),
};
inline constexpr std::array cmbloc{
    bits("bir", 0, 4, 0, 3, "Base Indicator Register"),
    bits("cqmms", 0, 4, 3, 1, "Queue Mixed Memory Support"),
    bits("cqpds", 0, 4, 4, 1, "Queue Physically Discontiguous Support"),
    bits("cdpmls", 0, 4, 5, 1, "Data Pointer Mixed Locations Support"),
    bits("cdpcils", 0, 4, 6, 1, "Data Pointer and Command Independent Locations Support"),
    bits("cdmmms", 0, 4, 7, 1, "Data Metadata Mixed Memory Support"),
    bits("cqda", 0, 4, 8, 1, "Queue Dword Alignment"),
    rsvd_bits(0, 4, 9, 3),
    bits("ofst", 0, 4, 12, 20, "Offset, CMBSZ.SZU units"),
};
inline constexpr std::array cmbsz{
    bits("sqs", 0, 4, 0, 1, "Submission Queue Support"),
    bits("cqs", 0, 4, 1, 1, "Completion Queue Support"),
    bits("lists", 0, 4, 2, 1, "PRP SGL List Support"),
    bits("rds", 0, 4, 3, 1, "Read Data Support"),
    bits("wds", 0, 4, 4, 1, "Write Data Support"),
    rsvd_bits(0, 4, 5, 3),
    bits("szu", 0, 4, 8, 4, "Size Units, 4 KiB * 16^SZU"),
    bits("sz", 0, 4, 12, 20, "Size"),
};
inline constexpr std::array bpinfo{
    bits("bpsz", 0, 4, 0, 15, "Boot Partition Size, 128 KiB units"),
    rsvd_bits(0, 4, 15, 9),
    bits("brs", 0, 4, 24, 2, "Boot Read Status: 1 in progress, 2 success, 3 error"),
    rsvd_bits(0, 4, 26, 5),
    bits("abpid", 0, 4, 31, 1, "Active Boot Partition ID"),
};
inline constexpr std::array bprsel{
    bits("bprsz", 0, 4, 0, 10, "Boot Partition Read Size, 4 KiB units"),
    bits("bprof", 0, 4, 10, 20, "Boot Partition Read Offset, 4 KiB units"),
    rsvd_bits(0, 4, 30, 1),
    bits("bpid", 0, 4, 31, 1, "Boot Partition Identifier"),
};
inline constexpr std::array bpmbl{
    rsvd_bits(0, 8, 0, 12),
    bits("bmbba", 0, 8, 12, 52, "Boot Partition Memory Buffer Base Address, 4 KiB pages"),
};
inline constexpr std::array cmbmsc{
    bits("cre", 0, 8, 0, 1, "Capabilities Registers Enabled"),
    bits("cmse", 0, 8, 1, 1, "Controller Memory Space Enable"),
    rsvd_bits(0, 8, 2, 10),
    bits("cba", 0, 8, 12, 52, "Controller Base Address, 4 KiB pages"),
};
inline constexpr std::array cmbsts{
    bits("cbai", 0, 4, 0, 1, "Controller Base Address Invalid"),
    rsvd_bits(0, 4, 1, 31),
};
inline constexpr std::array cmbebs{
    bits("cmbszu", 0, 4, 0, 4, "Elasticity Buffer Size Units, 1024^CMBSZU bytes"),
    bits("cmbrbb", 0, 4, 4, 1, "Read Bypass Behavior"),
    rsvd_bits(0, 4, 5, 3),
    bits("cmbwbz", 0, 4, 8, 24, "Elasticity Buffer Size Base"),
};
inline constexpr std::array cmbswtp{
    bits("cmbswtu", 0, 4, 0, 4, "Sustained Write Throughput Units, 1024^CMBSWTU bytes/second"),
    rsvd_bits(0, 4, 4, 4),
    bits("cmbswtv", 0, 4, 8, 24, "Sustained Write Throughput"),
};
inline constexpr std::array nssd{hex(
    "nssc", 0, 4, "NVM Subsystem Shutdown Control, 4E726D6Ch (\"Nrml\") or 41627074h (\"Abpt\")")};
inline constexpr std::array crto{
    bits("crwmt", 0, 4, 0, 16, "Controller Ready With Media Timeout, 500 ms units"),
    bits("crimt", 0, 4, 16, 16, "Controller Ready Independent of Media Timeout, 500 ms units"),
};
inline constexpr std::array pmrcap{
    rsvd_bits(0, 4, 0, 3),
    bits("rds", 0, 4, 3, 1, "Read Data Support"),
    bits("wds", 0, 4, 4, 1, "Write Data Support"),
    bits("bir", 0, 4, 5, 3, "Base Indicator Register"),
    bits("pmrtu", 0, 4, 8, 2, "Timeout Units: 0 is 500 ms, 1 is minutes"),
    bits("pmrwbm", 0, 4, 10, 4, "Write Barrier Mechanisms"),
    rsvd_bits(0, 4, 14, 2),
    bits("pmrto", 0, 4, 16, 8, "Timeout, PMRTU units"),
    bits("cmss", 0, 4, 24, 1, "Controller Memory Space Supported"),
    rsvd_bits(0, 4, 25, 7),
};
inline constexpr std::array pmrctl{
    bits("en", 0, 4, 0, 1, "Enable"),
    rsvd_bits(0, 4, 1, 31),
};
inline constexpr std::array pmrsts{
    bits("err", 0, 4, 0, 8, "Error"),
    bits("nrdy", 0, 4, 8, 1, "Not Ready"),
    bits("hsts", 0, 4, 9, 3, "Health Status: 1 restore error, 2 read only, 3 unreliable"),
    bits("cbai", 0, 4, 12, 1, "Controller Base Address Invalid"),
    rsvd_bits(0, 4, 13, 19),
};
inline constexpr std::array pmrebs{
    bits("pmrszu", 0, 4, 0, 4, "Elasticity Buffer Size Units, 1024^PMRSZU bytes"),
    bits("rbb", 0, 4, 4, 1, "Read Bypass Behavior"),
    rsvd_bits(0, 4, 5, 3),
    bits("pmrwbz", 0, 4, 8, 24, "Elasticity Buffer Size Base"),
};
inline constexpr std::array pmrswtp{
    bits("pmrswtu", 0, 4, 0, 4, "Sustained Write Throughput Units, 1024^PMRSWTU bytes/second"),
    rsvd_bits(0, 4, 4, 4),
    bits("pmrswtv", 0, 4, 8, 24, "Sustained Write Throughput"),
};
inline constexpr std::array pmrmscl{
    rsvd_bits(0, 4, 0, 1),
    bits("cmse", 0, 4, 1, 1, "Controller Memory Space Enable"),
    rsvd_bits(0, 4, 2, 10),
    bits("cba", 0, 4, 12, 20, "Controller Base Address, lower part, 4 KiB pages"),
};
inline constexpr std::array pmrmscu{hex("cba", 0, 4, "Controller Base Address, upper part")};
}  // namespace property_parts

inline constexpr layout cap_layout{"cap", "Controller Capabilities", "Base 3.1.3.1", 8,
                                   property_parts::cap};
inline constexpr layout vs_layout{"vs", "Version", "Base 3.1.3.2", 4, property_parts::vs};
inline constexpr layout intms_layout{"intms", "Interrupt Mask Set", "Base 3.1.3.3", 4,
                                     property_parts::intms};
inline constexpr layout intmc_layout{"intmc", "Interrupt Mask Clear", "Base 3.1.3.4", 4,
                                     property_parts::intmc};
inline constexpr layout cc_layout{"cc", "Controller Configuration", "Base 3.1.3.5", 4,
                                  property_parts::cc};
inline constexpr layout csts_layout{"csts", "Controller Status", "Base 3.1.3.6", 4,
                                    property_parts::csts};
inline constexpr layout nssr_layout{"nssr", "NVM Subsystem Reset", "Base 3.1.3.7", 4,
                                    property_parts::nssr};
inline constexpr layout aqa_layout{"aqa", "Admin Queue Attributes", "Base 3.1.3.8", 4,
                                   property_parts::aqa};
inline constexpr layout asq_layout{"asq", "Admin Submission Queue Base Address", "Base 3.1.3.9", 8,
                                   property_parts::asq};
inline constexpr layout acq_layout{"acq", "Admin Completion Queue Base Address", "Base 3.1.3.10", 8,
                                   property_parts::acq};
inline constexpr layout cmbloc_layout{"cmbloc", "Controller Memory Buffer Location",
                                      "Base 3.1.3.11", 4, property_parts::cmbloc};
inline constexpr layout cmbsz_layout{"cmbsz", "Controller Memory Buffer Size", "Base 3.1.3.12", 4,
                                     property_parts::cmbsz};
inline constexpr layout bpinfo_layout{"bpinfo", "Boot Partition Information", "Base 3.1.3.13", 4,
                                      property_parts::bpinfo};
inline constexpr layout bprsel_layout{"bprsel", "Boot Partition Read Select", "Base 3.1.3.14", 4,
                                      property_parts::bprsel};
inline constexpr layout bpmbl_layout{"bpmbl", "Boot Partition Memory Buffer Location",
                                     "Base 3.1.3.15", 8, property_parts::bpmbl};
inline constexpr layout cmbmsc_layout{"cmbmsc", "Controller Memory Buffer Memory Space Control",
                                      "Base 3.1.3.16", 8, property_parts::cmbmsc};
inline constexpr layout cmbsts_layout{"cmbsts", "Controller Memory Buffer Status", "Base 3.1.3.17",
                                      4, property_parts::cmbsts};
inline constexpr layout cmbebs_layout{"cmbebs", "Controller Memory Buffer Elasticity Buffer Size",
                                      "Base 3.1.3.18", 4, property_parts::cmbebs};
inline constexpr layout cmbswtp_layout{"cmbswtp",
                                       "Controller Memory Buffer Sustained Write Throughput",
                                       "Base 3.1.3.19", 4, property_parts::cmbswtp};
inline constexpr layout nssd_layout{"nssd", "NVM Subsystem Shutdown", "Base 3.1.3.20", 4,
                                    property_parts::nssd};
inline constexpr layout crto_layout{"crto", "Controller Ready Timeouts", "Base 3.1.3.21", 4,
                                    property_parts::crto};
inline constexpr layout pmrcap_layout{"pmrcap", "Persistent Memory Region Capabilities",
                                      "Base 3.1.3.22", 4, property_parts::pmrcap};
inline constexpr layout pmrctl_layout{"pmrctl", "Persistent Memory Region Control", "Base 3.1.3.23",
                                      4, property_parts::pmrctl};
inline constexpr layout pmrsts_layout{"pmrsts", "Persistent Memory Region Status", "Base 3.1.3.24",
                                      4, property_parts::pmrsts};
inline constexpr layout pmrebs_layout{"pmrebs", "Persistent Memory Region Elasticity Buffer Size",
                                      "Base 3.1.3.25", 4, property_parts::pmrebs};
inline constexpr layout pmrswtp_layout{"pmrswtp",
                                       "Persistent Memory Region Sustained Write Throughput",
                                       "Base 3.1.3.26", 4, property_parts::pmrswtp};
inline constexpr layout pmrmscl_layout{"pmrmscl",
                                       "Persistent Memory Region Memory Space Control Lower",
                                       "Base 3.1.3.27", 4, property_parts::pmrmscl};
inline constexpr layout pmrmscu_layout{"pmrmscu",
                                       "Persistent Memory Region Memory Space Control Upper",
                                       "Base 3.1.3.28", 4, property_parts::pmrmscu};

// One property: where it lies and how it reads. The size of the layout is the size of the property.
struct property_place {
  std::uint32_t offset;
  const layout* of;
};
inline constexpr property_place property_places[] = {
    {0x00, &cap_layout},      {0x08, &vs_layout},       {0x0c, &intms_layout},
    {0x10, &intmc_layout},    {0x14, &cc_layout},       {0x1c, &csts_layout},
    {0x20, &nssr_layout},     {0x24, &aqa_layout},      {0x28, &asq_layout},
    {0x30, &acq_layout},      {0x38, &cmbloc_layout},   {0x3c, &cmbsz_layout},
    {0x40, &bpinfo_layout},   {0x44, &bprsel_layout},   {0x48, &bpmbl_layout},
    {0x50, &cmbmsc_layout},   {0x58, &cmbsts_layout},   {0x5c, &cmbebs_layout},
    {0x60, &cmbswtp_layout},  {0x64, &nssd_layout},     {0x68, &crto_layout},
    {0xe00, &pmrcap_layout},  {0xe04, &pmrctl_layout},  {0xe08, &pmrsts_layout},
    {0xe0c, &pmrebs_layout},  {0xe10, &pmrswtp_layout}, {0xe14, &pmrmscl_layout},
    {0xe18, &pmrmscu_layout},
};
// The layout of the property at `offset`, or nullptr.
constexpr const layout* property_layout(std::uint32_t offset) {
  for (const property_place& p : property_places)
    if (p.offset == offset) return p.of;
  return nullptr;
}
static_assert([] {
  for (const property_place& p : property_places)
    if (!complete(*p.of) || p.offset % p.of->size != 0) return false;
  return true;
}());

}  // namespace nvmf::wire
