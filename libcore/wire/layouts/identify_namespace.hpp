// SPDX-License-Identifier: BSD-2-Clause
// Identify Namespace data structure of the NVM Command Set (NVM 1.0, 4.1.5.1), with the words whose
// bits have meanings of their own.
#pragma once

#include "build.hpp"

namespace nvmf::wire {

namespace identify_parts {
using namespace build;

inline constexpr std::array nsfeat_bits{
    bits("thin", 0, 1, 0, 1, "Thin provisioning"),
    bits("nsabp", 0, 1, 1, 1, "NAWUN, NAWUPF and NACWU are defined"),
    bits("dae", 0, 1, 2, 1, "Deallocated or Unwritten Logical Block error"),
    bits("uidreuse", 0, 1, 3, 1, "NGUID and EUI64 are never reused"),
    bits("optperf", 0, 1, 4, 1, "NPWG, NPWA, NPDG, NPDA and NOWS are defined"),
    rsvd_bits(0, 1, 5, 3),
};
inline constexpr std::array flbas_bits{
    bits("format", 0, 1, 0, 4, "Format index, lower four bits"),
    bits("extended", 0, 1, 4, 1, "Metadata at the end of the data block"),
    bits("format_high", 0, 1, 5, 2, "Format index, upper two bits"),
    rsvd_bits(0, 1, 7, 1),
};
inline constexpr std::array mc_bits{
    bits("extended", 0, 1, 0, 1, "Metadata as part of an extended data block"),
    bits("separate", 0, 1, 1, 1, "Metadata in a separate buffer"),
    rsvd_bits(0, 1, 2, 6),
};
inline constexpr std::array dpc_bits{
    bits("type1", 0, 1, 0, 1, "Protection Information Type 1"),
    bits("type2", 0, 1, 1, 1, "Protection Information Type 2"),
    bits("type3", 0, 1, 2, 1, "Protection Information Type 3"),
    bits("first", 0, 1, 3, 1, "Protection information in the first bytes of metadata"),
    bits("last", 0, 1, 4, 1, "Protection information in the last bytes of metadata"),
    rsvd_bits(0, 1, 5, 3),
};
inline constexpr std::array dps_bits{
    named(bits("type", 0, 1, 0, 3, "Protection Information Type"), protection_types),
    bits("first", 0, 1, 3, 1, "Protection information in the first bytes of metadata"),
    rsvd_bits(0, 1, 4, 4),
};
inline constexpr std::array nmic_bits{
    bits("shared", 0, 1, 0, 1, "May be attached to two or more controllers"),
    rsvd_bits(0, 1, 1, 7),
};
inline constexpr std::array rescap_bits{
    bits("ptpl", 0, 1, 0, 1, "Persist Through Power Loss"),
    bits("write_excl", 0, 1, 1, 1, "Write Exclusive"),
    bits("excl_access", 0, 1, 2, 1, "Exclusive Access"),
    bits("write_excl_reg", 0, 1, 3, 1, "Write Exclusive - Registrants Only"),
    bits("excl_access_reg", 0, 1, 4, 1, "Exclusive Access - Registrants Only"),
    bits("write_excl_all", 0, 1, 5, 1, "Write Exclusive - All Registrants"),
    bits("excl_access_all", 0, 1, 6, 1, "Exclusive Access - All Registrants"),
    bits("iekey", 0, 1, 7, 1, "Ignore Existing Key as since revision 1.3"),
};
inline constexpr std::array fpi_bits{
    bits("remaining", 0, 1, 0, 7, "Percent that remains to be formatted"),
    bits("supported", 0, 1, 7, 1, "Format Progress Indicator supported"),
};
inline constexpr std::array dlfeat_bits{
    named(bits("read", 0, 1, 0, 3, "Deallocated blocks read as"), deallocated_reads),
    bits("write_zeroes", 0, 1, 3, 1, "Deallocate bit of Write Zeroes supported"),
    bits("guard_crc", 0, 1, 4, 1, "Guard of deallocated blocks is their CRC"),
    rsvd_bits(0, 1, 5, 3),
};
inline constexpr std::array nsattr_bits{
    bits("write_protected", 0, 1, 0, 1, "Write protected now"),
    rsvd_bits(0, 1, 1, 7),
};
}  // namespace identify_parts

inline constexpr layout nsfeat_layout{"nsfeat", "Namespace Features", "NVM 4.1.5.1", 1,
                                      identify_parts::nsfeat_bits};
inline constexpr layout flbas_layout{"flbas", "Formatted LBA Size", "NVM 4.1.5.1", 1,
                                     identify_parts::flbas_bits};
inline constexpr layout mc_layout{"mc", "Metadata Capabilities", "NVM 4.1.5.1", 1,
                                  identify_parts::mc_bits};
inline constexpr layout dpc_layout{"dpc", "End-to-end Data Protection Capabilities", "NVM 4.1.5.1",
                                   1, identify_parts::dpc_bits};
inline constexpr layout dps_layout{"dps", "End-to-end Data Protection Type Settings", "NVM 4.1.5.1",
                                   1, identify_parts::dps_bits};
inline constexpr layout nmic_layout{"nmic",
                                    "Namespace Multi-path I/O and Namespace Sharing Capabilities",
                                    "NVM 4.1.5.1", 1, identify_parts::nmic_bits};
inline constexpr layout rescap_layout{"rescap", "Reservation Capabilities", "NVM 4.1.5.1", 1,
                                      identify_parts::rescap_bits};
inline constexpr layout fpi_layout{"fpi", "Format Progress Indicator", "NVM 4.1.5.1", 1,
                                   identify_parts::fpi_bits};
inline constexpr layout dlfeat_layout{"dlfeat", "Deallocate Logical Block Features", "NVM 4.1.5.1",
                                      1, identify_parts::dlfeat_bits};
inline constexpr layout nsattr_layout{"nsattr", "Namespace Attributes", "NVM 4.1.5.1", 1,
                                      identify_parts::nsattr_bits};

namespace identify_parts {
inline constexpr std::array lba_format{
    num("ms", 0, 2, "Metadata Size, bytes"),
    num("lbads", 2, 1, "LBA Data Size, 2^LBADS bytes; 0 is not available"),
    named(bits("rp", 3, 1, 0, 2, "Relative Performance"), relative_performances),
    rsvd_bits(3, 1, 2, 6),
};
}  // namespace identify_parts

inline constexpr layout lba_format_layout{"lba-format", "LBA Format", "NVM 4.1.5.1", 4,
                                          identify_parts::lba_format};

namespace identify_parts {
inline constexpr std::array ns{
    num("nsze", 0, 8, "Namespace Size, logical blocks"),
    num("ncap", 8, 8, "Namespace Capacity, logical blocks"),
    num("nuse", 16, 8, "Namespace Utilization, logical blocks"),
    with_bits(hex("nsfeat", 24, 1, "Namespace Features"), nsfeat_layout),
    zero_based(num("nlbaf", 25, 1, "Number of LBA Formats, 0's based")),
    with_bits(hex("flbas", 26, 1, "Formatted LBA Size"), flbas_layout),
    with_bits(hex("mc", 27, 1, "Metadata Capabilities"), mc_layout),
    with_bits(hex("dpc", 28, 1, "End-to-end Data Protection Capabilities"), dpc_layout),
    with_bits(hex("dps", 29, 1, "End-to-end Data Protection Type Settings"), dps_layout),
    with_bits(hex("nmic", 30, 1, "Namespace Multi-path I/O and Namespace Sharing Capabilities"),
              nmic_layout),
    with_bits(hex("rescap", 31, 1, "Reservation Capabilities"), rescap_layout),
    with_bits(hex("fpi", 32, 1, "Format Progress Indicator"), fpi_layout),
    with_bits(hex("dlfeat", 33, 1, "Deallocate Logical Block Features"), dlfeat_layout),
    // The next six are 0's based too, but their 0 says: as the controller's, or no boundary.
    num("nawun", 34, 2, "Namespace Atomic Write Unit Normal, blocks, 0's based; 0 is AWUN"),
    num("nawupf", 36, 2, "Namespace Atomic Write Unit Power Fail, blocks, 0's based; 0 is AWUPF"),
    num("nacwu", 38, 2, "Namespace Atomic Compare & Write Unit, blocks, 0's based; 0 is ACWU"),
    num("nabsn", 40, 2, "Namespace Atomic Boundary Size Normal, blocks, 0's based; 0 is none"),
    num("nabo", 42, 2, "Namespace Atomic Boundary Offset, LBA"),
    num("nabspf", 44, 2, "Namespace Atomic Boundary Size Power Fail, blocks, 0's based; 0 is none"),
    num("noiob", 46, 2, "Namespace Optimal I/O Boundary, logical blocks; 0 is none"),
    num("nvmcap", 48, 16, "NVM Capacity, bytes"),
    zero_based(num("npwg", 64, 2, "Namespace Preferred Write Granularity, blocks, 0's based")),
    zero_based(num("npwa", 66, 2, "Namespace Preferred Write Alignment, blocks, 0's based")),
    zero_based(num("npdg", 68, 2, "Namespace Preferred Deallocate Granularity, blocks, 0's based")),
    zero_based(num("npda", 70, 2, "Namespace Preferred Deallocate Alignment, blocks, 0's based")),
    zero_based(num("nows", 72, 2, "Namespace Optimal Write Size, blocks, 0's based")),
    num("mssrl", 74, 2, "Maximum Single Source Range Length, logical blocks"),
    num("mcl", 76, 4, "Maximum Copy Length, logical blocks"),
    zero_based(num("msrc", 80, 1, "Maximum Source Range Count, 0's based")),
    rsvd(81, 1),
    num("nulbaf", 82, 1, "Number of Unique Capability LBA Formats (after NVM 1.0)"),
    rsvd(83, 9),
    num("anagrpid", 92, 4, "ANA Group Identifier"),
    rsvd(96, 3),
    with_bits(hex("nsattr", 99, 1, "Namespace Attributes"), nsattr_layout),
    num("nvmsetid", 100, 2, "NVM Set Identifier"),
    num("endgid", 102, 2, "Endurance Group Identifier"),
    bytes("nguid", 104, 16, kind::raw, "Namespace Globally Unique Identifier"),
    bytes("eui64", 120, 8, kind::raw, "IEEE Extended Unique Identifier"),
    nested("lbaf", 128, lba_format_layout, 64, "LBA Formats"),
    bytes("vs", 384, 3712, kind::raw, "Vendor Specific"),
};
}  // namespace identify_parts

inline constexpr layout identify_namespace{"identify-namespace", "Identify Namespace data",
                                           "NVM 4.1.5.1", 4096, identify_parts::ns};

static_assert(complete(nsfeat_layout) && complete(flbas_layout) && complete(mc_layout));
static_assert(complete(dpc_layout) && complete(dps_layout) && complete(nmic_layout));
static_assert(complete(rescap_layout) && complete(fpi_layout) && complete(dlfeat_layout));
static_assert(complete(nsattr_layout));
static_assert(complete(lba_format_layout) && complete(identify_namespace));

}  // namespace nvmf::wire
