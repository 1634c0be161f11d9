// SPDX-License-Identifier: BSD-2-Clause
// Forms of the admin commands (Base 2.0, 5): what dwords 10 to 15 mean, and what dwords 0 and 1 of
// the completion carry. A command without a form of its own is shown as `sqe`, its completion as
// `cqe`.
#pragma once

#include "build.hpp"
#include "entries.hpp"
#include "features.hpp"

namespace nvmf::wire {

namespace command_parts {
using namespace build;

// Dwords 0 to 9 as most commands have them: dwords 2 and 3 are reserved.
constexpr auto head_of(const table& opcodes) {
  return join(entry_parts::sqe_dword0_of(opcodes), entry_parts::sqe_nsid,
              std::array{rsvd(8, 8), hex("mptr", 16, 8, "Metadata Pointer")},
              entry_parts::sqe_sgl1);
}
inline constexpr auto head = head_of(admin_opcodes);
constexpr std::uint32_t cdw(std::uint32_t n) { return n * 4; }
inline constexpr std::array uuid_index{
    bits("uuidx", cdw(14), 4, 0, 7, "UUID Index"),
    rsvd_bits(cdw(14), 4, 7, 25),
};
// A command that uses none of dwords 10 to 15.
inline constexpr auto plain = join(head, std::array{rsvd(cdw(10), 24)});

inline constexpr auto delete_queue = join(head, std::array{
                                                    num("qid", cdw(10), 2, "Queue Identifier"),
                                                    rsvd(cdw(10) + 2, 22),
                                                });
inline constexpr std::array queue_size{
    num("qid", cdw(10), 2, "Queue Identifier"),
    zero_based(num("qsize", cdw(10) + 2, 2, "Queue Size, 0's based")),
    bits("pc", cdw(11), 2, 0, 1, "Physically Contiguous"),
};
inline constexpr auto create_sq =
    join(head, queue_size,
         std::array{
             named(bits("qprio", cdw(11), 2, 1, 2, "Queue Priority"), priority_classes),
             rsvd_bits(cdw(11), 2, 3, 13),
             num("cqid", cdw(11) + 2, 2, "Completion Queue Identifier"),
             num("nvmsetid", cdw(12), 2, "NVM Set Identifier"),
             rsvd(cdw(12) + 2, 14),
         });
inline constexpr auto create_cq = join(head, queue_size,
                                       std::array{
                                           bits("ien", cdw(11), 2, 1, 1, "Interrupts Enabled"),
                                           rsvd_bits(cdw(11), 2, 2, 14),
                                           num("iv", cdw(11) + 2, 2, "Interrupt Vector"),
                                           rsvd(cdw(12), 16),
                                       });
inline constexpr auto get_log_page = join(
    head,
    std::array{
        named(hex("lid", cdw(10), 1, "Log Page Identifier"), log_pages),
        bits("lsp", cdw(10) + 1, 1, 0, 7, "Log Specific Field"),
        bits("rae", cdw(10) + 1, 1, 7, 1, "Retain Asynchronous Event"),
        num("numdl", cdw(10) + 2, 2, "Number of Dwords Lower, 0's based together with NUMDU"),
        num("numdu", cdw(11), 2, "Number of Dwords Upper"),
        num("lsi", cdw(11) + 2, 2, "Log Specific Identifier"),
        num("lpol", cdw(12), 4, "Log Page Offset Lower, bytes, or an index when OT is 1"),
        num("lpou", cdw(13), 4, "Log Page Offset Upper"),
        bits("uuidx", cdw(14), 4, 0, 7, "UUID Index"),
        rsvd_bits(cdw(14), 4, 7, 16),
        bits("ot", cdw(14), 4, 23, 1, "Offset Type: 0 is bytes, 1 is an index"),
        named(bits("csi", cdw(14), 4, 24, 8, "Command Set Identifier"), command_set_identifiers),
        rsvd(cdw(15), 4),
    });
inline constexpr auto identify =
    join(head,
         std::array{
             named(hex("cns", cdw(10), 1, "Controller or Namespace Structure"), cns_values),
             rsvd(cdw(10) + 1, 1),
             hex("cntid", cdw(10) + 2, 2, "Controller Identifier"),
             num("cnssid", cdw(11), 2, "CNS Specific Identifier"),
             rsvd(cdw(11) + 2, 1),
             named(num("csi", cdw(11) + 3, 1, "Command Set Identifier"), command_set_identifiers),
             rsvd(cdw(12), 8),
         },
         uuid_index, std::array{rsvd(cdw(15), 4)});
inline constexpr auto abort =
    join(head, std::array{
                   num("sqid", cdw(10), 2, "Submission Queue Identifier"),
                   hex("abort_cid", cdw(10) + 2, 2, "Command Identifier of the command to abort"),
                   rsvd(cdw(11), 20),
               });

constexpr const feature_form* feature_of(byte_span sqe) {
  return sqe.size() > cdw(10) ? find_feature(std::to_integer<std::uint8_t>(sqe[cdw(10)])) : nullptr;
}
constexpr const layout* feature_cdw11(byte_span sqe) {
  const feature_form* f = feature_of(sqe);
  return f != nullptr ? f->cdw11 : nullptr;
}
constexpr const layout* feature_cdw12(byte_span sqe) {
  const feature_form* f = feature_of(sqe);
  return f != nullptr ? f->cdw12 : nullptr;
}
inline constexpr auto set_features = join(
    head,
    std::array{
        named(hex("fid", cdw(10), 1, "Feature Identifier"), features),
        rsvd(cdw(10) + 1, 2),
        rsvd_bits(cdw(10) + 3, 1, 0, 7),
        bits("sv", cdw(10) + 3, 1, 7, 1, "Save"),
        with_bits_as(hex("cdw11", cdw(11), 4, "Command Dword 11, by the feature"), feature_cdw11),
        with_bits_as(hex("cdw12", cdw(12), 4, "Command Dword 12, by the feature"), feature_cdw12),
        hex("cdw13", cdw(13), 4, "Command Dword 13, by the feature"),
    },
    uuid_index, std::array{hex("cdw15", cdw(15), 4, "Command Dword 15, by the feature")});
inline constexpr auto get_features = join(
    head,
    std::array{
        named(hex("fid", cdw(10), 1, "Feature Identifier"), features),
        named(bits("sel", cdw(10) + 1, 1, 0, 3, "Select"), feature_selects),
        rsvd_bits(cdw(10) + 1, 1, 3, 5),
        rsvd(cdw(10) + 2, 2),
        with_bits_as(hex("cdw11", cdw(11), 4, "Command Dword 11, by the feature"), feature_cdw11),
        rsvd(cdw(12), 8),
    },
    uuid_index, std::array{rsvd(cdw(15), 4)});
inline constexpr auto firmware_commit =
    join(head, std::array{
                   bits("fs", cdw(10), 4, 0, 3, "Firmware Slot"),
                   named(bits("ca", cdw(10), 4, 3, 3, "Commit Action"), firmware_commit_actions),
                   rsvd_bits(cdw(10), 4, 6, 25),
                   bits("bpid", cdw(10), 4, 31, 1, "Boot Partition ID"),
                   rsvd(cdw(11), 20),
               });
inline constexpr auto firmware_download =
    join(head, std::array{
                   zero_based(num("numd", cdw(10), 4, "Number of Dwords, 0's based")),
                   num("ofst", cdw(11), 4, "Offset, dwords"),
                   rsvd(cdw(12), 16),
               });
inline constexpr auto self_test =
    join(head, std::array{
                   named(bits("stc", cdw(10), 4, 0, 4, "Self-test Code"), self_test_codes),
                   rsvd_bits(cdw(10), 4, 4, 28),
                   rsvd(cdw(11), 20),
               });
inline constexpr auto ns_management = join(
    head, std::array{
              named(bits("sel", cdw(10), 4, 0, 4, "Select"), namespace_management_selects),
              rsvd_bits(cdw(10), 4, 4, 28),
              rsvd(cdw(11), 3),
              named(num("csi", cdw(11) + 3, 1, "Command Set Identifier"), command_set_identifiers),
              rsvd(cdw(12), 16),
          });
inline constexpr auto ns_attachment =
    join(head, std::array{
                   named(bits("sel", cdw(10), 4, 0, 4, "Select"), namespace_attachment_selects),
                   rsvd_bits(cdw(10), 4, 4, 28),
                   rsvd(cdw(11), 20),
               });
inline constexpr auto format_nvm = join(
    head, std::array{
              bits("lbafl", cdw(10), 4, 0, 4, "LBA Format Lower"),
              bits("mset", cdw(10), 4, 4, 1, "Metadata Settings: 1 is extended data blocks"),
              named(bits("pi", cdw(10), 4, 5, 3, "Protection Information Type"), protection_types),
              bits("pil", cdw(10), 4, 8, 1, "Protection Information Location: 1 is first"),
              named(bits("ses", cdw(10), 4, 9, 3, "Secure Erase Settings"), format_secure_erases),
              bits("lbafu", cdw(10), 4, 12, 2, "LBA Format Upper"),
              rsvd_bits(cdw(10), 4, 14, 18),
              rsvd(cdw(11), 20),
          });
inline constexpr auto sanitize =
    join(head, std::array{
                   named(bits("sanact", cdw(10), 4, 0, 3, "Sanitize Action"), sanitize_actions),
                   bits("ause", cdw(10), 4, 3, 1, "Allow Unrestricted Sanitize Exit"),
                   bits("owpass", cdw(10), 4, 4, 4, "Overwrite Pass Count; 0 is 16"),
                   bits("oipbp", cdw(10), 4, 8, 1, "Overwrite Invert Pattern Between Passes"),
                   bits("ndas", cdw(10), 4, 9, 1, "No-Deallocate After Sanitize"),
                   rsvd_bits(cdw(10), 4, 10, 22),
                   hex("ovrpat", cdw(11), 4, "Overwrite Pattern"),
                   rsvd(cdw(12), 16),
               });
inline constexpr std::array security_protocol{
    hex("nssf", cdw(10), 1, "NVMe Security Specific Field"),
    hex("spsp0", cdw(10) + 1, 1, "SP Specific 0"),
    hex("spsp1", cdw(10) + 2, 1, "SP Specific 1"),
    hex("secp", cdw(10) + 3, 1, "Security Protocol"),
};
inline constexpr auto security_send = join(head, security_protocol,
                                           std::array{
                                               num("tl", cdw(11), 4, "Transfer Length, bytes"),
                                               rsvd(cdw(12), 16),
                                           });
inline constexpr auto security_receive = join(head, security_protocol,
                                              std::array{
                                                  num("al", cdw(11), 4, "Allocation Length, bytes"),
                                                  rsvd(cdw(12), 16),
                                              });
inline constexpr auto directive =
    join(head, std::array{
                   zero_based(num("numd", cdw(10), 4, "Number of Dwords, 0's based")),
                   num("doper", cdw(11), 1, "Directive Operation"),
                   named(num("dtype", cdw(11) + 1, 1, "Directive Type"), directive_types),
                   num("dspec", cdw(11) + 2, 2, "Directive Specific"),
                   hex("cdw12", cdw(12), 4, "Command Dword 12, by the directive"),
                   hex("cdw13", cdw(13), 4, "Command Dword 13, by the directive"),
                   rsvd(cdw(14), 8),
               });
inline constexpr auto virtualization =
    join(head, std::array{
                   named(bits("act", cdw(10), 2, 0, 4, "Action"), virtualization_actions),
                   rsvd_bits(cdw(10), 2, 4, 4),
                   bits("rt", cdw(10), 2, 8, 3, "Resource Type"),
                   rsvd_bits(cdw(10), 2, 11, 5),
                   hex("cntlid", cdw(10) + 2, 2, "Controller Identifier"),
                   num("nr", cdw(11), 2, "Number of Controller Resources"),
                   rsvd(cdw(11) + 2, 18),
               });
inline constexpr auto capacity = join(head, std::array{
                                                bits("oper", cdw(10), 2, 0, 4, "Operation"),
                                                rsvd_bits(cdw(10), 2, 4, 12),
                                                num("elid", cdw(10) + 2, 2, "Element Identifier"),
                                                num("capl", cdw(11), 4, "Capacity Lower, bytes"),
                                                num("capu", cdw(12), 4, "Capacity Upper"),
                                                rsvd(cdw(13), 12),
                                            });
inline constexpr auto lockdown =
    join(head,
         std::array{
             bits("scp", cdw(10), 2, 0, 4, "Scope"),
             bits("prhbt", cdw(10), 2, 4, 1, "Prohibit"),
             bits("ifc", cdw(10), 2, 5, 2, "Interface"),
             rsvd_bits(cdw(10), 2, 7, 1),
             bits("ofi", cdw(10), 2, 8, 8, "Opcode or Feature Identifier"),
             rsvd(cdw(10) + 2, 14),
         },
         uuid_index, std::array{rsvd(cdw(15), 4)});
inline constexpr auto get_lba_status =
    join(head, std::array{
                   num("slba", cdw(10), 8, "Starting LBA"),
                   zero_based(num("mndw", cdw(12), 4, "Maximum Number of Dwords, 0's based")),
                   num("rl", cdw(13), 2, "Range Length, logical blocks; 0 is to the end"),
                   rsvd(cdw(13) + 2, 1),
                   hex("atype", cdw(13) + 3, 1, "Action Type"),
                   rsvd(cdw(14), 8),
               });
}  // namespace command_parts

inline constexpr layout delete_io_sq_command{"delete-io-sq", "Delete I/O Submission Queue command",
                                             "Base 5.7", 64, command_parts::delete_queue};
inline constexpr layout create_io_sq_command{"create-io-sq", "Create I/O Submission Queue command",
                                             "Base 5.5", 64, command_parts::create_sq};
inline constexpr layout delete_io_cq_command{"delete-io-cq", "Delete I/O Completion Queue command",
                                             "Base 5.6", 64, command_parts::delete_queue};
inline constexpr layout create_io_cq_command{"create-io-cq", "Create I/O Completion Queue command",
                                             "Base 5.4", 64, command_parts::create_cq};
inline constexpr layout get_log_page_command{"get-log-page", "Get Log Page command", "Base 5.16",
                                             64, command_parts::get_log_page};
inline constexpr layout identify_command{"identify", "Identify command", "Base 5.17", 64,
                                         command_parts::identify};
inline constexpr layout abort_command{"abort", "Abort command", "Base 5.1", 64,
                                      command_parts::abort};
inline constexpr layout set_features_command{"set-features", "Set Features command", "Base 5.27",
                                             64, command_parts::set_features};
inline constexpr layout get_features_command{"get-features", "Get Features command", "Base 5.15",
                                             64, command_parts::get_features};
inline constexpr layout async_event_request_command{"async-event-request",
                                                    "Asynchronous Event Request command",
                                                    "Base 5.2", 64, command_parts::plain};
inline constexpr layout namespace_management_command{"namespace-management",
                                                     "Namespace Management command", "Base 5.23",
                                                     64, command_parts::ns_management};
inline constexpr layout firmware_commit_command{"firmware-commit", "Firmware Commit command",
                                                "Base 5.12", 64, command_parts::firmware_commit};
inline constexpr layout firmware_image_download_command{
    "firmware-image-download", "Firmware Image Download command", "Base 5.13", 64,
    command_parts::firmware_download};
inline constexpr layout device_self_test_command{"device-self-test", "Device Self-test command",
                                                 "Base 5.8", 64, command_parts::self_test};
inline constexpr layout namespace_attachment_command{"namespace-attachment",
                                                     "Namespace Attachment command", "Base 5.22",
                                                     64, command_parts::ns_attachment};
inline constexpr layout keep_alive_command{"keep-alive", "Keep Alive command", "Base 5.18", 64,
                                           command_parts::plain};
inline constexpr layout directive_send_command{"directive-send", "Directive Send command",
                                               "Base 5.10", 64, command_parts::directive};
inline constexpr layout directive_receive_command{"directive-receive", "Directive Receive command",
                                                  "Base 5.9", 64, command_parts::directive};
inline constexpr layout virtualization_management_command{
    "virtualization-management", "Virtualization Management command", "Base 5.28", 64,
    command_parts::virtualization};
inline constexpr layout capacity_management_command{
    "capacity-management", "Capacity Management command", "Base 5.3", 64, command_parts::capacity};
inline constexpr layout lockdown_command{"lockdown", "Lockdown command", "Base 5.19", 64,
                                         command_parts::lockdown};
inline constexpr layout format_nvm_command{"format-nvm", "Format NVM command", "Base 5.14", 64,
                                           command_parts::format_nvm};
inline constexpr layout security_send_command{"security-send", "Security Send command", "Base 5.26",
                                              64, command_parts::security_send};
inline constexpr layout security_receive_command{"security-receive", "Security Receive command",
                                                 "Base 5.25", 64, command_parts::security_receive};
inline constexpr layout sanitize_command{"sanitize", "Sanitize command", "Base 5.24", 64,
                                         command_parts::sanitize};
inline constexpr layout get_lba_status_command{"get-lba-status", "Get LBA Status command",
                                               "NVM 4.2.1", 64, command_parts::get_lba_status};

static_assert(complete(delete_io_sq_command) && complete(create_io_sq_command));
static_assert(complete(delete_io_cq_command) && complete(create_io_cq_command));
static_assert(complete(get_log_page_command) && complete(identify_command));
static_assert(complete(abort_command) && complete(set_features_command));
static_assert(complete(get_features_command) && complete(async_event_request_command));
static_assert(complete(namespace_management_command) && complete(namespace_attachment_command));
static_assert(complete(firmware_commit_command) && complete(firmware_image_download_command));
static_assert(complete(device_self_test_command) && complete(keep_alive_command));
static_assert(complete(directive_send_command) && complete(directive_receive_command));
static_assert(complete(virtualization_management_command) && complete(lockdown_command));
static_assert(complete(capacity_management_command) && complete(format_nvm_command));
static_assert(complete(security_send_command) && complete(security_receive_command));
static_assert(complete(sanitize_command) && complete(get_lba_status_command));

}  // namespace nvmf::wire
