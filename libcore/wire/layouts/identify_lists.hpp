// SPDX-License-Identifier: BSD-2-Clause
// The smaller structures that Identify returns: lists of identifiers, and what is known of a
// namespace or controller apart from (or on top of) the two large ones (Base 2.0, 5.17.2; NVM 1.0,
// 4.1.5). Reservation Report's data is here too, it is of the same kind.
#pragma once

#include "build.hpp"
#include "identify_namespace.hpp"

namespace nvmf::wire {

namespace identify_parts {
inline constexpr std::array ns_id_descriptor{
    named(num("nidt", 0, 1, "Namespace Identifier Type"), namespace_id_types),
    num("nidl", 1, 1, "Namespace Identifier Length, bytes"),
    rsvd(2, 2),
    repeated(bytes("nid", 4, 1, kind::raw, "Namespace Identifier"), field::open),
};
// A descriptor takes 4 bytes and NIDL; a NIDT of 0 ends the list.
constexpr std::uint64_t ns_id_extent(byte_span b) {
  if (b.size() < 2) return b.size();
  return load_le(b, 0, 1) == 0 ? 0 : 4 + load_le(b, 1, 1);
}
inline constexpr std::array namespace_list{
    repeated(hex("nsid", 0, 4, "Namespace identifiers, ascending"), 1024),
};
inline constexpr std::array controller_list{
    num("num", 0, 2, "Number of identifiers"),
    repeated(hex("cntlid", 2, 2, "Controller identifiers, ascending"), 2047),
};
inline constexpr std::array pic_bits{
    bits("pists16", 0, 1, 0, 1, "16b Guard Protection Information Storage Tag Support"),
    bits("pistm16", 0, 1, 1, 1, "16b Guard Protection Information Storage Tag Mask"),
    bits("stcrs", 0, 1, 2, 1, "Storage Tag Check Read Support"),
    rsvd_bits(0, 1, 3, 5),
};
inline constexpr std::array extended_lba_format{
    bits("sts", 0, 4, 0, 7, "Storage Tag Size, bits"),
    bits("pif", 0, 4, 7, 2, "Protection Information Format: 0 16b, 1 32b, 2 64b guard"),
    rsvd_bits(0, 4, 9, 23),
};
inline constexpr std::array nstat_bits{
    bits("nrdy", 0, 1, 0, 1, "Namespace Ready"),
    rsvd_bits(0, 1, 1, 7),
};
inline constexpr std::array nvm_controller{
    num("vsl", 0, 1, "Verify Size Limit, 2^VSL units of CAP.MPSMIN; 0 is no limit"),
    num("wzsl", 1, 1, "Write Zeroes Size Limit, 2^WZSL units of CAP.MPSMIN; 0 is no limit"),
    num("wusl", 2, 1, "Write Uncorrectable Size Limit, 2^WUSL units of CAP.MPSMIN"),
    num("dmrl", 3, 1, "Dataset Management Ranges Limit; 0 is no limit"),
    num("dmrsl", 4, 4, "Dataset Management Range Size Limit, logical blocks; 0 is no limit"),
    num("dmsl", 8, 8, "Dataset Management Size Limit, logical blocks; 0 is no limit"),
    rsvd(16, 4080),
};
inline constexpr std::array command_sets{
    repeated(hex("iocsc", 0, 8, "I/O Command Set combinations, one bit per command set"), 512),
};
inline constexpr std::array registered_controller{
    hex("cntlid", 0, 2, "Controller ID"),
    bits("holds", 2, 1, 0, 1, "RCSTS: its host holds a reservation"),
    rsvd_bits(2, 1, 1, 7),
    rsvd(3, 5),
    hex("hostid", 8, 8, "Host Identifier, 64 bits"),
    hex("rkey", 16, 8, "Reservation Key"),
};
inline constexpr std::array registered_controller_extended{
    hex("cntlid", 0, 2, "Controller ID"),
    bits("holds", 2, 1, 0, 1, "RCSTS: its host holds a reservation"),
    rsvd_bits(2, 1, 1, 7),
    rsvd(3, 5),
    hex("rkey", 8, 8, "Reservation Key"),
    bytes("hostid", 16, 16, kind::uuid, "Host Identifier, 128 bits"),
    rsvd(32, 32),
};
inline constexpr std::array reservation_status{
    num("gen", 0, 4, "Generation"),
    named(num("rtype", 4, 1, "Reservation Type; 0 is none"), reservation_types),
    num("regctl", 5, 2, "Number of Registered Controllers"),
    rsvd(7, 2),
    num("ptpls", 9, 1, "Persist Through Power Loss State"),
    rsvd(10, 14),
};
}  // namespace identify_parts

inline constexpr layout namespace_id_descriptor{
    "namespace-id-descriptor",        "Namespace Identification Descriptor", "Base 5.17.2.3", 4,
    identify_parts::ns_id_descriptor, identify_parts::ns_id_extent};
inline constexpr layout namespace_list{"namespace-list", "Namespace List", "Base 5.17.2.2", 4096,
                                       identify_parts::namespace_list};
inline constexpr layout controller_list{"controller-list", "Controller List", "Base 5.17.2", 4096,
                                        identify_parts::controller_list};
inline constexpr layout pic_layout{"pic", "Protection Information Capabilities", "NVM 4.1.5.3", 1,
                                   identify_parts::pic_bits};
inline constexpr layout extended_lba_format_layout{"extended-lba-format", "Extended LBA Format",
                                                   "NVM 4.1.5.3", 4,
                                                   identify_parts::extended_lba_format};
inline constexpr layout nstat_layout{"nstat", "Namespace Status", "Base 5.17.2.8", 1,
                                     identify_parts::nstat_bits};
inline constexpr layout identify_nvm_controller{
    "identify-nvm-controller", "Identify Controller data of the NVM Command Set", "NVM 4.1.5.4",
    4096, identify_parts::nvm_controller};
inline constexpr layout command_set_combinations{"command-set-combinations",
                                                 "Identify I/O Command Set data", "Base 5.17.2",
                                                 4096, identify_parts::command_sets};
inline constexpr layout registered_controller_layout{"registered-controller",
                                                     "Registered Controller", "Base 7.5", 24,
                                                     identify_parts::registered_controller};
inline constexpr layout registered_controller_extended_layout{
    "registered-controller-extended", "Registered Controller Extended", "Base 7.5", 64,
    identify_parts::registered_controller_extended};

namespace identify_parts {
inline constexpr std::array ns_id_list{
    nested_to_end("descriptor", 0, namespace_id_descriptor, "Descriptors"),
};
inline constexpr std::array nvm_namespace{
    hex("lbstm", 0, 8, "Logical Block Storage Tag Mask"),
    with_bits(hex("pic", 8, 1, "Protection Information Capabilities"), pic_layout),
    rsvd(9, 3),
    nested("elbaf", 12, extended_lba_format_layout, 64, "Extended LBA Formats"),
    rsvd(268, 3828),
};
inline constexpr std::array independent_namespace{
    with_bits(hex("nsfeat", 0, 1, "Namespace Features"), nsfeat_layout),
    with_bits(hex("nmic", 1, 1, "Namespace Multi-path I/O and Namespace Sharing Capabilities"),
              nmic_layout),
    with_bits(hex("rescap", 2, 1, "Reservation Capabilities"), rescap_layout),
    with_bits(hex("fpi", 3, 1, "Format Progress Indicator"), fpi_layout),
    num("anagrpid", 4, 4, "ANA Group Identifier"),
    with_bits(hex("nsattr", 8, 1, "Namespace Attributes"), nsattr_layout),
    rsvd(9, 1),
    num("nvmsetid", 10, 2, "NVM Set Identifier"),
    num("endgid", 12, 2, "Endurance Group Identifier"),
    with_bits(hex("nstat", 14, 1, "Namespace Status"), nstat_layout),
    rsvd(15, 4081),
};
inline constexpr auto reservation_list = join(
    reservation_status,
    std::array{
        nested_to_end("registered", 24, registered_controller_layout, "Registered controllers"),
    });
inline constexpr auto reservation_list_extended = join(
    reservation_status, std::array{
                            rsvd(24, 40),
                            nested_to_end("registered", 64, registered_controller_extended_layout,
                                          "Registered controllers"),
                        });
}  // namespace identify_parts

inline constexpr layout namespace_id_descriptor_list{
    "namespace-id-descriptor-list", "Namespace Identification Descriptor list", "Base 5.17.2.3", 0,
    identify_parts::ns_id_list};
inline constexpr layout identify_nvm_namespace{
    "identify-nvm-namespace", "Identify Namespace data of the NVM Command Set (CNS 05h)",
    "NVM 4.1.5.3", 4096, identify_parts::nvm_namespace};
inline constexpr layout identify_independent_namespace{
    "identify-independent-namespace", "I/O Command Set Independent Identify Namespace data",
    "Base 5.17.2.8", 4096, identify_parts::independent_namespace};
inline constexpr layout reservation_status_list{"reservation-status", "Reservation Status",
                                                "Base 7.5", 24, identify_parts::reservation_list};
inline constexpr layout reservation_status_extended_list{
    "reservation-status-extended", "Reservation Status Extended", "Base 7.5", 64,
    identify_parts::reservation_list_extended};

static_assert(complete(namespace_id_descriptor) && complete(namespace_id_descriptor_list));
static_assert(complete(namespace_list) && complete(controller_list) && complete(pic_layout));
static_assert(complete(extended_lba_format_layout) && complete(identify_nvm_namespace));
static_assert(complete(nstat_layout) && complete(identify_independent_namespace));
static_assert(complete(identify_nvm_controller) && complete(command_set_combinations));
static_assert(complete(registered_controller_layout) &&
              complete(registered_controller_extended_layout));
static_assert(complete(reservation_status_list) && complete(reservation_status_extended_list));

}  // namespace nvmf::wire
