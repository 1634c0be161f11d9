// SPDX-License-Identifier: BSD-2-Clause
// Forms of the NVM commands (NVM 1.0, 3.2), of Flush and of the reservation commands (Base 2.0, 7).
#pragma once

#include "build.hpp"
#include "commands_admin.hpp"
#include "entries.hpp"

namespace nvmf::wire {

namespace command_parts {

// Dwords 0 to 9 of a command that carries or expects protection information: the upper part of the
// logical block tags lies in dwords 2 and 3. (With 16-bit guards there is none, and the lower part
// in dword 14 is the initial reference tag: ILBRT, EILBRT.)
constexpr auto head_with_tags(const char* name, const char* title) {
  return join(entry_parts::sqe_dword0_of(nvm_opcodes), entry_parts::sqe_nsid,
              std::array{bits(name, 8, 8, 0, 48, title), rsvd_bits(8, 8, 48, 16),
                         hex("mptr", 16, 8, "Metadata Pointer")},
              entry_parts::sqe_sgl1);
}
inline constexpr auto nvm_head = head_of(nvm_opcodes);
inline constexpr auto head_expecting = head_with_tags("elbtu", "Expected Logical Block Tags Upper");
inline constexpr auto head_writing = head_with_tags("lbtu", "Logical Block Tags Upper");
inline constexpr std::array expected_tags{
    hex("elbtl", cdw(14), 4, "Expected Logical Block Tags Lower (EILBRT)"),
    hex("elbat", cdw(15), 2, "Expected Logical Block Application Tag"),
    hex("elbatm", cdw(15) + 2, 2, "Expected Logical Block Application Tag Mask"),
};
inline constexpr std::array written_tags{
    hex("lbtl", cdw(14), 4, "Logical Block Tags Lower (ILBRT)"),
    hex("lbat", cdw(15), 2, "Logical Block Application Tag"),
    hex("lbatm", cdw(15) + 2, 2, "Logical Block Application Tag Mask"),
};
inline constexpr std::array lba_range{
    num("slba", cdw(10), 8, "Starting LBA"),
    zero_based(num("nlb", cdw(12), 2, "Number of Logical Blocks, 0's based")),
};
// The upper half of dword 12, but for bit 25 and bits 23:20.
inline constexpr std::array protection{
    bits("prinfo", cdw(12) + 2, 2, 10, 4, "Protection Information: 8 PRACT, 4 guard, 2 app, 1 ref"),
    bits("fua", cdw(12) + 2, 2, 14, 1, "Force Unit Access"),
    bits("lr", cdw(12) + 2, 2, 15, 1, "Limited Retry"),
};
inline constexpr field storage_tag_check = bits("stc", cdw(12) + 2, 2, 8, 1, "Storage Tag Check");
inline constexpr auto no_directive = join(
    std::array{
        rsvd_bits(cdw(12) + 2, 2, 0, 8),
        storage_tag_check,
        rsvd_bits(cdw(12) + 2, 2, 9, 1),
    },
    protection);
inline constexpr std::array dataset_hints{
    named(bits("af", cdw(13), 1, 0, 4, "Access Frequency"), access_frequencies),
    named(bits("al", cdw(13), 1, 4, 2, "Access Latency"), access_latencies),
    bits("sr", cdw(13), 1, 6, 1, "Sequential Request"),
    bits("inc", cdw(13), 1, 7, 1, "Incompressible"),
};

inline constexpr auto nvm_plain = join(nvm_head, std::array{rsvd(cdw(10), 24)});
inline constexpr auto write =
    join(head_writing, lba_range,
         std::array{
             rsvd_bits(cdw(12) + 2, 2, 0, 4),
             named(bits("dtype", cdw(12) + 2, 2, 4, 4, "Directive Type"), directive_types),
             storage_tag_check,
             rsvd_bits(cdw(12) + 2, 2, 9, 1),
         },
         protection, dataset_hints,
         std::array{
             rsvd(cdw(13) + 1, 1),
             num("dspec", cdw(13) + 2, 2, "Directive Specific"),
         },
         written_tags);
inline constexpr auto read = join(head_expecting, lba_range, no_directive, dataset_hints,
                                  std::array{rsvd(cdw(13) + 1, 3)}, expected_tags);
inline constexpr auto compare =
    join(head_expecting, lba_range, no_directive, std::array{rsvd(cdw(13), 4)}, expected_tags);
inline constexpr auto write_uncorrectable = join(nvm_head, lba_range,
                                                 std::array{
                                                     rsvd(cdw(12) + 2, 14),
                                                 });
inline constexpr auto write_zeroes = join(head_writing, lba_range,
                                          std::array{
                                              rsvd_bits(cdw(12) + 2, 2, 0, 8),
                                              storage_tag_check,
                                              bits("deac", cdw(12) + 2, 2, 9, 1, "Deallocate"),
                                          },
                                          protection, std::array{rsvd(cdw(13), 4)}, written_tags);
inline constexpr auto dataset_management =
    join(nvm_head, std::array{
                       zero_based(num("nr", cdw(10), 1, "Number of Ranges, 0's based")),
                       rsvd(cdw(10) + 1, 3),
                       bits("idr", cdw(11), 4, 0, 1, "Attribute - Integral Dataset for Read"),
                       bits("idw", cdw(11), 4, 1, 1, "Attribute - Integral Dataset for Write"),
                       bits("ad", cdw(11), 4, 2, 1, "Attribute - Deallocate"),
                       rsvd_bits(cdw(11), 4, 3, 29),
                       rsvd(cdw(12), 16),
                   });
inline constexpr auto copy =
    join(head_writing,
         std::array{
             num("sdlba", cdw(10), 8, "Starting Destination LBA"),
             zero_based(num("nr", cdw(12), 1, "Number of Ranges, 0's based")),
             bits("desfmt", cdw(12) + 1, 1, 0, 4, "Descriptor Format"),
             bits("prinfor", cdw(12) + 1, 1, 4, 4, "Protection Information Read"),
             rsvd_bits(cdw(12) + 2, 2, 0, 4),
             named(bits("dtype", cdw(12) + 2, 2, 4, 4, "Directive Type"), directive_types),
             bits("stcw", cdw(12) + 2, 2, 8, 1, "Storage Tag Check Write"),
             bits("stcr", cdw(12) + 2, 2, 9, 1, "Storage Tag Check Read"),
             bits("prinfow", cdw(12) + 2, 2, 10, 4, "Protection Information Write"),
             bits("fua", cdw(12) + 2, 2, 14, 1, "Force Unit Access"),
             bits("lr", cdw(12) + 2, 2, 15, 1, "Limited Retry"),
             rsvd(cdw(13), 2),
             num("dspec", cdw(13) + 2, 2, "Directive Specific"),
         },
         written_tags);

inline constexpr auto resv_register = join(
    nvm_head, std::array{
                  named(bits("rrega", cdw(10), 4, 0, 3, "Reservation Register Action"),
                        reservation_register_actions),
                  bits("iekey", cdw(10), 4, 3, 1, "Ignore Existing Key"),
                  rsvd_bits(cdw(10), 4, 4, 26),
                  named(bits("cptpl", cdw(10), 4, 30, 2, "Change Persist Through Power Loss State"),
                        reservation_persists),
                  rsvd(cdw(11), 20),
              });
constexpr auto reservation(const char* action, const char* title, const table& actions) {
  return join(nvm_head,
              std::array{
                  named(bits(action, cdw(10), 4, 0, 3, title), actions),
                  bits("iekey", cdw(10), 4, 3, 1, "Ignore Existing Key"),
                  rsvd_bits(cdw(10), 4, 4, 4),
                  named(bits("rtype", cdw(10), 4, 8, 8, "Reservation Type"), reservation_types),
                  rsvd_bits(cdw(10), 4, 16, 16),
                  rsvd(cdw(11), 20),
              });
}
inline constexpr auto resv_acquire =
    reservation("racqa", "Reservation Acquire Action", reservation_acquire_actions);
inline constexpr auto resv_release =
    reservation("rrela", "Reservation Release Action", reservation_release_actions);
inline constexpr auto resv_report =
    join(nvm_head, std::array{
                       zero_based(num("numd", cdw(10), 4, "Number of Dwords, 0's based")),
                       bits("eds", cdw(11), 4, 0, 1, "Extended Data Structure"),
                       rsvd_bits(cdw(11), 4, 1, 31),
                       rsvd(cdw(12), 16),
                   });

inline constexpr std::array dsm_range{
    named(bits("af", 0, 4, 0, 4, "Access Frequency"), access_frequencies),
    named(bits("al", 0, 4, 4, 2, "Access Latency"), access_latencies),
    rsvd_bits(0, 4, 6, 2),
    bits("sr", 0, 4, 8, 1, "Sequential Read Range"),
    bits("sw", 0, 4, 9, 1, "Sequential Write Range"),
    bits("wp", 0, 4, 10, 1, "Write Prepare"),
    rsvd_bits(0, 4, 11, 13),
    bits("cas", 0, 4, 24, 8, "Command Access Size, logical blocks"),
    num("nlb", 4, 4, "Length, logical blocks"),
    num("slba", 8, 8, "Starting LBA"),
};
inline constexpr std::array copy_range_head{
    rsvd(0, 8),
    num("slba", 8, 8, "Starting LBA"),
    zero_based(num("nlb", 16, 2, "Number of Logical Blocks, 0's based")),
};
// The order of ELBAT and ELBATM is that of dword 15; one widespread C header has them exchanged.
inline constexpr auto copy_range0 =
    join(copy_range_head, std::array{
                              rsvd(18, 6),
                              hex("elbt", 24, 4, "Expected Logical Block Tags (EILBRT)"),
                              hex("elbat", 28, 2, "Expected Logical Block Application Tag"),
                              hex("elbatm", 30, 2, "Expected Logical Block Application Tag Mask"),
                          });
inline constexpr auto copy_range1 =
    join(copy_range_head, std::array{
                              rsvd(18, 8),
                              bytes("elbt", 26, 10, kind::raw, "Expected Logical Block Tags"),
                              hex("elbat", 36, 2, "Expected Logical Block Application Tag"),
                              hex("elbatm", 38, 2, "Expected Logical Block Application Tag Mask"),
                          });
inline constexpr std::array register_data{
    hex("crkey", 0, 8, "Current Reservation Key"),
    hex("nrkey", 8, 8, "New Reservation Key"),
};
inline constexpr std::array acquire_data{
    hex("crkey", 0, 8, "Current Reservation Key"),
    hex("prkey", 8, 8, "Preempt Reservation Key"),
};
inline constexpr std::array release_data{hex("crkey", 0, 8, "Current Reservation Key")};
}  // namespace command_parts

inline constexpr layout flush_command{"flush", "Flush command", "Base 7.1", 64,
                                      command_parts::nvm_plain};
inline constexpr layout write_command{"write", "Write command", "NVM 3.2.6", 64,
                                      command_parts::write};
inline constexpr layout read_command{"read", "Read command", "NVM 3.2.4", 64, command_parts::read};
inline constexpr layout write_uncorrectable_command{"write-uncorrectable",
                                                    "Write Uncorrectable command", "NVM 3.2.7", 64,
                                                    command_parts::write_uncorrectable};
inline constexpr layout compare_command{"compare", "Compare command", "NVM 3.2.1", 64,
                                        command_parts::compare};
inline constexpr layout write_zeroes_command{"write-zeroes", "Write Zeroes command", "NVM 3.2.8",
                                             64, command_parts::write_zeroes};
inline constexpr layout dataset_management_command{"dataset-management",
                                                   "Dataset Management command", "NVM 3.2.3", 64,
                                                   command_parts::dataset_management};
inline constexpr layout verify_command{"verify", "Verify command", "NVM 3.2.5", 64,
                                       command_parts::compare};
inline constexpr layout reservation_register_command{"reservation-register",
                                                     "Reservation Register command", "Base 7.3", 64,
                                                     command_parts::resv_register};
inline constexpr layout reservation_report_command{
    "reservation-report", "Reservation Report command", "Base 7.5", 64, command_parts::resv_report};
inline constexpr layout reservation_acquire_command{"reservation-acquire",
                                                    "Reservation Acquire command", "Base 7.2", 64,
                                                    command_parts::resv_acquire};
inline constexpr layout reservation_release_command{"reservation-release",
                                                    "Reservation Release command", "Base 7.4", 64,
                                                    command_parts::resv_release};
inline constexpr layout copy_command{"copy", "Copy command", "NVM 3.2.2", 64, command_parts::copy};

inline constexpr layout dsm_range_layout{"dsm-range", "Dataset Management range", "NVM 3.2.3", 16,
                                         command_parts::dsm_range};
inline constexpr layout copy_range0_layout{"copy-range-0", "Copy source range, format 0h",
                                           "NVM 3.2.2", 32, command_parts::copy_range0};
inline constexpr layout copy_range1_layout{"copy-range-1", "Copy source range, format 1h",
                                           "NVM 3.2.2", 40, command_parts::copy_range1};
inline constexpr layout reservation_register_data{"reservation-register-data",
                                                  "Reservation Register data", "Base 7.3", 16,
                                                  command_parts::register_data};
inline constexpr layout reservation_acquire_data{"reservation-acquire-data",
                                                 "Reservation Acquire data", "Base 7.2", 16,
                                                 command_parts::acquire_data};
inline constexpr layout reservation_release_data{"reservation-release-data",
                                                 "Reservation Release data", "Base 7.4", 8,
                                                 command_parts::release_data};

namespace command_parts {
inline constexpr std::array dsm_ranges{nested_to_end("range", 0, dsm_range_layout, "Ranges")};
inline constexpr std::array copy_ranges0{
    nested_to_end("range", 0, copy_range0_layout, "Source ranges")};
inline constexpr std::array copy_ranges1{
    nested_to_end("range", 0, copy_range1_layout, "Source ranges")};
}  // namespace command_parts

inline constexpr layout dsm_range_list{"dsm-range-list", "Dataset Management data", "NVM 3.2.3", 0,
                                       command_parts::dsm_ranges};
inline constexpr layout copy_range0_list{"copy-range-0-list", "Copy data, format 0h", "NVM 3.2.2",
                                         0, command_parts::copy_ranges0};
inline constexpr layout copy_range1_list{"copy-range-1-list", "Copy data, format 1h", "NVM 3.2.2",
                                         0, command_parts::copy_ranges1};

static_assert(complete(flush_command) && complete(write_command) && complete(read_command));
static_assert(complete(write_uncorrectable_command) && complete(compare_command));
static_assert(complete(write_zeroes_command) && complete(dataset_management_command));
static_assert(complete(verify_command) && complete(copy_command));
static_assert(complete(reservation_register_command) && complete(reservation_report_command));
static_assert(complete(reservation_acquire_command) && complete(reservation_release_command));
static_assert(complete(dsm_range_layout) && complete(copy_range0_layout));
static_assert(complete(copy_range1_layout) && complete(reservation_register_data));
static_assert(complete(reservation_acquire_data) && complete(reservation_release_data));
static_assert(complete(dsm_range_list) && complete(copy_range0_list) && complete(copy_range1_list));

}  // namespace nvmf::wire
