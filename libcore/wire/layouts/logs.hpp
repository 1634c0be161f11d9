// SPDX-License-Identifier: BSD-2-Clause
// Log pages (Base 2.0, 5.16.1) but for the discovery log page, which is layouts/discovery.hpp.
#pragma once

#include "build.hpp"

namespace nvmf::wire {

namespace log_parts {
using namespace build;

inline constexpr std::array supported_entry{
    bits("lsupp", 0, 4, 0, 1, "LID Supported"),
    bits("ios", 0, 4, 1, 1, "Index Offset Supported"),
    rsvd_bits(0, 4, 2, 14),
    bits("lidspec", 0, 4, 16, 16, "LID Specific Parameter"),
};
inline constexpr std::array status_bits{
    bits("p", 0, 2, 0, 1, "Phase Tag"),
    bits("sc", 0, 2, 1, 8, "Status Code"),
    named(bits("sct", 0, 2, 9, 3, "Status Code Type"), status_code_types),
    bits("crd", 0, 2, 12, 2, "Command Retry Delay"),
    bits("m", 0, 2, 14, 1, "More"),
    bits("dnr", 0, 2, 15, 1, "Do Not Retry"),
};
inline constexpr std::array parameter_location_bits{
    bits("byte", 0, 2, 0, 8, "Byte in the command"),
    bits("bit", 0, 2, 8, 3, "Bit in the byte"),
    rsvd_bits(0, 2, 11, 5),
};
inline constexpr std::array critical_warning_bits{
    bits("spare", 0, 1, 0, 1, "Available spare below threshold"),
    bits("temperature", 0, 1, 1, 1, "Temperature beyond a threshold"),
    bits("degraded", 0, 1, 2, 1, "Reliability degraded"),
    bits("read_only", 0, 1, 3, 1, "Media read only"),
    bits("backup", 0, 1, 4, 1, "Volatile memory backup failed"),
    bits("pmr", 0, 1, 5, 1, "Persistent Memory Region read only or unreliable"),
    rsvd_bits(0, 1, 6, 2),
};
inline constexpr std::array group_warning_bits{
    bits("spare", 0, 1, 0, 1, "Available spare below threshold"),
    rsvd_bits(0, 1, 1, 1),
    bits("degraded", 0, 1, 2, 1, "Reliability degraded"),
    bits("read_only", 0, 1, 3, 1, "Namespaces read only"),
    rsvd_bits(0, 1, 4, 4),
};
}  // namespace log_parts

inline constexpr layout supported_log_entry{"supported-log-entry", "LID Supported and Effects",
                                            "Base 5.16.1.1", 4, log_parts::supported_entry};
inline constexpr layout error_status_layout{"status", "Status Field", "Base 3.3.3.2.1", 2,
                                            log_parts::status_bits};
inline constexpr layout parameter_location_layout{
    "pel", "Parameter Error Location", "Base 5.16.1.2", 2, log_parts::parameter_location_bits};
inline constexpr layout critical_warning_layout{"cw", "Critical Warning", "Base 5.16.1.3", 1,
                                                log_parts::critical_warning_bits};
inline constexpr layout group_warning_layout{"egcws", "Endurance Group Critical Warning Summary",
                                             "Base 5.16.1.3", 1, log_parts::group_warning_bits};

namespace log_parts {
inline constexpr std::array supported{
    nested("lid", 0, supported_log_entry, 256, "One entry per log page identifier"),
};
inline constexpr std::array error_entry{
    num("ecnt", 0, 8, "Error Count; 0 is an empty entry"),
    num("sqid", 8, 2, "Submission Queue ID"),
    hex("cid", 10, 2, "Command ID"),
    with_bits(hex("status", 12, 2, "Status Field"), error_status_layout),
    with_bits(hex("pel", 14, 2, "Parameter Error Location"), parameter_location_layout),
    num("lba", 16, 8, "LBA"),
    hex("nsid", 24, 4, "Namespace"),
    hex("vsia", 28, 1, "Vendor Specific Information Available, a log page identifier"),
    named(num("trtype", 29, 1, "Transport Type"), transport_types),
    rsvd(30, 2),
    hex("csi", 32, 8, "Command Specific Information"),
    hex("ttsi", 40, 2, "Transport Type Specific Information"),
    rsvd(42, 22),
};
inline constexpr std::array smart{
    with_bits(hex("cw", 0, 1, "Critical Warning"), critical_warning_layout),
    num("ctemp", 1, 2, "Composite Temperature, K"),
    num("avsp", 3, 1, "Available Spare, percent"),
    num("avspt", 4, 1, "Available Spare Threshold, percent"),
    num("pused", 5, 1, "Percentage Used; may exceed 100"),
    with_bits(hex("egcws", 6, 1, "Endurance Group Critical Warning Summary"), group_warning_layout),
    rsvd(7, 25),
    num("dur", 32, 16, "Data Units Read, 1000 units of 512 bytes"),
    num("duw", 48, 16, "Data Units Written, 1000 units of 512 bytes"),
    num("hrc", 64, 16, "Host Read Commands"),
    num("hwc", 80, 16, "Host Write Commands"),
    num("cbt", 96, 16, "Controller Busy Time, minutes"),
    num("pwrc", 112, 16, "Power Cycles"),
    num("poh", 128, 16, "Power On Hours"),
    num("upl", 144, 16, "Unsafe Shutdowns"),
    num("mdie", 160, 16, "Media and Data Integrity Errors"),
    num("neile", 176, 16, "Number of Error Information Log Entries"),
    num("wctt", 192, 4, "Warning Composite Temperature Time, minutes"),
    num("cctt", 196, 4, "Critical Composite Temperature Time, minutes"),
    num("tsen1", 200, 2, "Temperature Sensor 1, K"),
    num("tsen2", 202, 2, "Temperature Sensor 2, K"),
    num("tsen3", 204, 2, "Temperature Sensor 3, K"),
    num("tsen4", 206, 2, "Temperature Sensor 4, K"),
    num("tsen5", 208, 2, "Temperature Sensor 5, K"),
    num("tsen6", 210, 2, "Temperature Sensor 6, K"),
    num("tsen7", 212, 2, "Temperature Sensor 7, K"),
    num("tsen8", 214, 2, "Temperature Sensor 8, K"),
    num("tmttc1", 216, 4, "Thermal Management Temperature 1 Transition Count"),
    num("tmttc2", 220, 4, "Thermal Management Temperature 2 Transition Count"),
    num("ttfmt1", 224, 4, "Total Time For Thermal Management Temperature 1, s"),
    num("ttfmt2", 228, 4, "Total Time For Thermal Management Temperature 2, s"),
    rsvd(232, 280),
};
inline constexpr std::array firmware_slot{
    bits("active", 0, 1, 0, 3, "AFI: slot of the running firmware"),
    rsvd_bits(0, 1, 3, 1),
    bits("next", 0, 1, 4, 3, "AFI: slot to be activated at the next reset; 0 is not told"),
    rsvd_bits(0, 1, 7, 1),
    rsvd(1, 7),
    bytes("frs1", 8, 8, kind::ascii, "Firmware Revision for Slot 1"),
    bytes("frs2", 16, 8, kind::ascii, "Firmware Revision for Slot 2"),
    bytes("frs3", 24, 8, kind::ascii, "Firmware Revision for Slot 3"),
    bytes("frs4", 32, 8, kind::ascii, "Firmware Revision for Slot 4"),
    bytes("frs5", 40, 8, kind::ascii, "Firmware Revision for Slot 5"),
    bytes("frs6", 48, 8, kind::ascii, "Firmware Revision for Slot 6"),
    bytes("frs7", 56, 8, kind::ascii, "Firmware Revision for Slot 7"),
    rsvd(64, 448),
};
inline constexpr std::array changed_namespaces{
    repeated(hex("nsid", 0, 4, "Namespaces; FFFFFFFFh first is more than 1024"), 1024),
};
inline constexpr std::array effects_entry{
    bits("csupp", 0, 4, 0, 1, "Command Supported"),
    bits("lbcc", 0, 4, 1, 1, "Logical Block Content Change"),
    bits("ncc", 0, 4, 2, 1, "Namespace Capability Change"),
    bits("nic", 0, 4, 3, 1, "Namespace Inventory Change"),
    bits("ccc", 0, 4, 4, 1, "Controller Capability Change"),
    rsvd_bits(0, 4, 5, 11),
    named(bits("cse", 0, 4, 16, 3, "Command Submission and Execution"), execution_restrictions),
    bits("uss", 0, 4, 19, 1, "UUID Selection Supported"),
    bits("csp", 0, 4, 20, 12, "Command Scope: 1 namespace, 2 controller, 4 NVM Set, 8 group, ..."),
};
inline constexpr std::array ana_group{
    num("agid", 0, 4, "ANA Group ID"),
    num("nnv", 4, 4, "Number of NSID Values"),
    num("chgcnt", 8, 8, "Change Count"),
    named(bits("ana_state", 16, 1, 0, 4, "ANA state"), ana_states),
    rsvd_bits(16, 1, 4, 4),
    rsvd(17, 15),
    repeated(hex("nsid", 32, 4, "Namespaces of the group"), field::open),
};
// A group takes 32 bytes and four for each of its namespaces.
constexpr std::uint64_t ana_group_extent(byte_span b) {
  return b.size() >= 8 ? 32 + std::uint64_t{4} * load_le(b, 4, 4) : 32;
}
inline constexpr std::array reservation_notification{
    num("lpc", 0, 8, "Log Page Count; 0 is an empty page"),
    named(num("rnlpt", 8, 1, "Reservation Notification Log Page Type"),
          reservation_notification_types),
    num("nalp", 9, 1, "Number of Available Log Pages"),
    rsvd(10, 2),
    hex("nsid", 12, 4, "Namespace ID"),
    rsvd(16, 48),
};
inline constexpr std::array sanitize_status{
    num("sprog", 0, 2, "Sanitize Progress, of 65536"),
    named(bits("sos", 2, 2, 0, 3, "Status of the last operation"), sanitize_states),
    bits("opc", 2, 2, 3, 5, "Overwrite passes completed"),
    bits("gde", 2, 2, 8, 1, "Global Data Erased"),
    rsvd_bits(2, 2, 9, 7),
    hex("scdw10", 4, 4, "Sanitize Command Dword 10"),
    num("eto", 8, 4, "Estimated Time For Overwrite, s"),
    num("etbe", 12, 4, "Estimated Time For Block Erase, s"),
    num("etce", 16, 4, "Estimated Time For Crypto Erase, s"),
    num("etond", 20, 4, "Estimated Time For Overwrite With No-Deallocate, s"),
    num("etbend", 24, 4, "Estimated Time For Block Erase With No-Deallocate, s"),
    num("etcend", 28, 4, "Estimated Time For Crypto Erase With No-Deallocate, s"),
    rsvd(32, 480),
};
}  // namespace log_parts

inline constexpr layout supported_log_pages{"supported-log-pages", "Supported Log Pages",
                                            "Base 5.16.1.1", 1024, log_parts::supported};
inline constexpr layout error_log_entry{"error-log-entry", "Error Information Log Entry",
                                        "Base 5.16.1.2", 64, log_parts::error_entry};
inline constexpr layout smart_log{"smart-log", "SMART / Health Information", "Base 5.16.1.3", 512,
                                  log_parts::smart};
inline constexpr layout firmware_slot_log{"firmware-slot-log", "Firmware Slot Information",
                                          "Base 5.16.1.4", 512, log_parts::firmware_slot};
inline constexpr layout changed_namespace_list{"changed-namespace-list", "Changed Namespace List",
                                               "Base 5.16.1.5", 4096,
                                               log_parts::changed_namespaces};
inline constexpr layout command_effects_entry{"command-effects-entry",
                                              "Commands Supported and Effects entry",
                                              "Base 5.16.1.6", 4, log_parts::effects_entry};
inline constexpr layout ana_group_layout{"ana-group",          "ANA Group Descriptor",
                                         "Base 5.16.1.13",     32,
                                         log_parts::ana_group, log_parts::ana_group_extent};
inline constexpr layout reservation_notification_log{"reservation-notification-log",
                                                     "Reservation Notification", "Base 5.16.1.24",
                                                     64, log_parts::reservation_notification};
inline constexpr layout sanitize_status_log{"sanitize-status-log", "Sanitize Status",
                                            "Base 5.16.1.25", 512, log_parts::sanitize_status};

namespace log_parts {
inline constexpr std::array error_log{
    nested_to_end("entry", 0, error_log_entry, "Entries, the latest first"),
};
inline constexpr std::array command_effects{
    nested("acs", 0, command_effects_entry, 256, "Admin commands, by opcode"),
    nested("iocs", 1024, command_effects_entry, 256, "I/O commands, by opcode"),
    rsvd(2048, 2048),
};
inline constexpr std::array ana{
    num("chgcnt", 0, 8, "Change Count"),
    num("nagd", 8, 2, "Number of ANA Group Descriptors"),
    rsvd(10, 6),
    nested_to_end("group", 16, ana_group_layout, "ANA Group Descriptors"),
};
}  // namespace log_parts

inline constexpr layout error_log{"error-log", "Error Information", "Base 5.16.1.2", 0,
                                  log_parts::error_log};
inline constexpr layout command_effects_log{"command-effects-log", "Commands Supported and Effects",
                                            "Base 5.16.1.6", 4096, log_parts::command_effects};
inline constexpr layout ana_log{"ana-log", "Asymmetric Namespace Access", "Base 5.16.1.13", 16,
                                log_parts::ana};

static_assert(complete(supported_log_entry) && complete(supported_log_pages));
static_assert(complete(error_status_layout) && complete(parameter_location_layout));
static_assert(complete(critical_warning_layout) && complete(group_warning_layout));
static_assert(complete(error_log_entry) && complete(error_log) && complete(smart_log));
static_assert(complete(firmware_slot_log) && complete(changed_namespace_list));
static_assert(complete(command_effects_entry) && complete(command_effects_log));
static_assert(complete(ana_group_layout) && complete(ana_log));
static_assert(complete(reservation_notification_log) && complete(sanitize_status_log));

}  // namespace nvmf::wire
