// SPDX-License-Identifier: BSD-2-Clause
// Features (Base 2.0, 5.27.1 and NVM 1.0, 4.1.3): the dwords of Set Features, what comes back in
// dword 0 of the completion, and the data where a feature has some.
#pragma once

#include "build.hpp"
#include "entries.hpp"

namespace nvmf::wire {

namespace feature_parts {
using namespace build;

inline constexpr std::array arbitration{
    bits("ab", 0, 4, 0, 3, "Arbitration Burst, 2^AB commands; 7 is no limit"),
    rsvd_bits(0, 4, 3, 5),
    zero_based(bits("lpw", 0, 4, 8, 8, "Low Priority Weight, 0's based")),
    zero_based(bits("mpw", 0, 4, 16, 8, "Medium Priority Weight, 0's based")),
    zero_based(bits("hpw", 0, 4, 24, 8, "High Priority Weight, 0's based")),
};
inline constexpr std::array power_management{
    bits("ps", 0, 4, 0, 5, "Power State"),
    bits("wh", 0, 4, 5, 3, "Workload Hint"),
    rsvd_bits(0, 4, 8, 24),
};
inline constexpr std::array lba_range_type{
    zero_based(bits("num", 0, 4, 0, 6, "Number of LBA Ranges, 0's based")),
    rsvd_bits(0, 4, 6, 26),
};
inline constexpr std::array temperature_threshold{
    bits("tmpth", 0, 4, 0, 16, "Temperature Threshold, K"),
    named(bits("tmpsel", 0, 4, 16, 4, "Threshold Temperature Select"), temperature_sensors),
    named(bits("thsel", 0, 4, 20, 2, "Threshold Type Select"), temperature_thresholds),
    rsvd_bits(0, 4, 22, 10),
};
inline constexpr std::array error_recovery{
    bits("tler", 0, 4, 0, 16, "Time Limited Error Recovery, 100 ms units; 0 is no limit"),
    bits("dulbe", 0, 4, 16, 1, "Deallocated or Unwritten Logical Block Error Enable"),
    rsvd_bits(0, 4, 17, 15),
};
inline constexpr std::array volatile_write_cache{
    bits("wce", 0, 4, 0, 1, "Volatile Write Cache Enable"),
    rsvd_bits(0, 4, 1, 31),
};
inline constexpr std::array queues_request{
    zero_based(num("nsqr", 0, 2, "Number of I/O Submission Queues Requested, 0's based")),
    zero_based(num("ncqr", 2, 2, "Number of I/O Completion Queues Requested, 0's based")),
};
inline constexpr std::array queues_result{
    zero_based(num("nsqa", 0, 2, "Number of I/O Submission Queues Allocated, 0's based")),
    zero_based(num("ncqa", 2, 2, "Number of I/O Completion Queues Allocated, 0's based")),
};
inline constexpr std::array interrupt_coalescing{
    zero_based(bits("thr", 0, 4, 0, 8, "Aggregation Threshold, entries, 0's based")),
    bits("time", 0, 4, 8, 8, "Aggregation Time, 100 us units"),
    rsvd_bits(0, 4, 16, 16),
};
inline constexpr std::array interrupt_vector{
    bits("iv", 0, 4, 0, 16, "Interrupt Vector"),
    bits("cd", 0, 4, 16, 1, "Coalescing Disable"),
    rsvd_bits(0, 4, 17, 15),
};
inline constexpr std::array write_atomicity{
    bits("dn", 0, 4, 0, 1, "Disable Normal"),
    rsvd_bits(0, 4, 1, 31),
};
inline constexpr std::array async_event{
    bits("smart_spare", 0, 4, 0, 1, "Available spare below threshold"),
    bits("smart_temp", 0, 4, 1, 1, "Temperature beyond a threshold"),
    bits("smart_degraded", 0, 4, 2, 1, "Reliability degraded"),
    bits("smart_ro", 0, 4, 3, 1, "Media read only"),
    bits("smart_backup", 0, 4, 4, 1, "Volatile memory backup failed"),
    bits("smart_pmr", 0, 4, 5, 1, "Persistent Memory Region read only or unreliable"),
    rsvd_bits(0, 4, 6, 2),
    bits("ns_attr", 0, 4, 8, 1, "Namespace Attribute Notices"),
    bits("fw_act", 0, 4, 9, 1, "Firmware Activation Notices"),
    bits("telemetry", 0, 4, 10, 1, "Telemetry Log Notices"),
    bits("ana_change", 0, 4, 11, 1, "Asymmetric Namespace Access Change Notices"),
    bits("plea", 0, 4, 12, 1, "Predictable Latency Event Aggregate Log Change Notices"),
    bits("lba_status", 0, 4, 13, 1, "LBA Status Information Notices"),
    bits("ege", 0, 4, 14, 1, "Endurance Group Event Aggregate Log Change Notices"),
    bits("shutdown", 0, 4, 15, 1, "Normal NVM Subsystem Shutdown"),
    rsvd_bits(0, 4, 16, 11),
    bits("zone_desc", 0, 4, 27, 1, "Zone Descriptor Changed Notices"),
    rsvd_bits(0, 4, 28, 3),
    bits("disc_log", 0, 4, 31, 1, "Discovery Log Page Change Notification"),
};
inline constexpr std::array apst{
    bits("apste", 0, 4, 0, 1, "Autonomous Power State Transition Enable"),
    rsvd_bits(0, 4, 1, 31),
};
inline constexpr std::array apst_entry{
    rsvd_bits(0, 8, 0, 3),
    bits("itps", 0, 8, 3, 5, "Idle Transition Power State"),
    bits("itpt", 0, 8, 8, 24, "Idle Time Prior to Transition, ms; 0 is off"),
    rsvd_bits(0, 8, 32, 32),
};
inline constexpr std::array host_memory_buffer{
    bits("ehm", 0, 4, 0, 1, "Enable Host Memory"),
    bits("mr", 0, 4, 1, 1, "Memory Return"),
    rsvd_bits(0, 4, 2, 30),
};
inline constexpr std::array timestamp{
    bits("tstmp", 0, 8, 0, 48, "Timestamp, ms since 1970-01-01 UTC"),
    bits("synch", 0, 8, 48, 1, "Synch: the clock was stopped"),
    bits("to", 0, 8, 49, 3, "Timestamp Origin: 0 reset, 1 Set Features"),
    rsvd_bits(0, 8, 52, 12),
};
inline constexpr std::array keep_alive_timer{
    num("kato", 0, 4, "Keep Alive Timeout, ms; 0 is none"),
};
inline constexpr std::array thermal_management{
    bits("tmt2", 0, 4, 0, 16, "Thermal Management Temperature 2, K"),
    bits("tmt1", 0, 4, 16, 16, "Thermal Management Temperature 1, K"),
};
inline constexpr std::array non_operational_power{
    bits("noppme", 0, 4, 0, 1, "Non-Operational Power State Permissive Mode Enable"),
    rsvd_bits(0, 4, 1, 31),
};
inline constexpr std::array nvm_set{
    bits("nvmsetid", 0, 4, 0, 16, "NVM Set Identifier"),
    rsvd_bits(0, 4, 16, 16),
};
inline constexpr std::array read_recovery_level{
    bits("rrl", 0, 4, 0, 4, "Read Recovery Level"),
    rsvd_bits(0, 4, 4, 28),
};
inline constexpr std::array latency_config{
    bits("ple", 0, 4, 0, 1, "Predictable Latency Enable"),
    rsvd_bits(0, 4, 1, 31),
};
inline constexpr std::array latency_window{
    named(bits("winsel", 0, 4, 0, 3, "Window Select"), latency_windows),
    rsvd_bits(0, 4, 3, 29),
};
inline constexpr std::array lba_status{
    bits("lsiri", 0, 4, 0, 16, "LBA Status Information Report Interval, 100 ms units"),
    bits("lsipi", 0, 4, 16, 16, "LBA Status Information Poll Interval, 100 ms units"),
};
inline constexpr std::array sanitize_config{
    bits("nodrm", 0, 4, 0, 1, "No-Deallocate Response Mode: 0 error, 1 warning"),
    rsvd_bits(0, 4, 1, 31),
};
inline constexpr std::array endurance_group{
    bits("endgid", 0, 4, 0, 16, "Endurance Group Identifier"),
    bits("egcw", 0, 4, 16, 8, "Endurance Group Critical Warnings"),
    rsvd_bits(0, 4, 24, 8),
};
inline constexpr std::array command_set_profile{
    bits("iocsci", 0, 4, 0, 9, "I/O Command Set Combination Index"),
    rsvd_bits(0, 4, 9, 23),
};
inline constexpr std::array software_progress{
    bits("pbslc", 0, 4, 0, 8, "Pre-boot Software Load Count"),
    rsvd_bits(0, 4, 8, 24),
};
inline constexpr std::array host_identifier{
    bits("exhid", 0, 4, 0, 1, "Enable Extended Host Identifier: 128 bits"),
    rsvd_bits(0, 4, 1, 31),
};
inline constexpr std::array reservation_mask{
    rsvd_bits(0, 4, 0, 1),
    bits("regpre", 0, 4, 1, 1, "Mask Registration Preempted Notification"),
    bits("resrel", 0, 4, 2, 1, "Mask Reservation Released Notification"),
    bits("respre", 0, 4, 3, 1, "Mask Reservation Preempted Notification"),
    rsvd_bits(0, 4, 4, 28),
};
inline constexpr std::array reservation_persistence{
    bits("ptpl", 0, 4, 0, 1, "Persist Through Power Loss"),
    rsvd_bits(0, 4, 1, 31),
};
inline constexpr std::array write_protection{
    named(bits("wps", 0, 4, 0, 3, "Write Protection State"), write_protections),
    rsvd_bits(0, 4, 3, 29),
};
inline constexpr std::array lba_range{
    named(num("type", 0, 1, "Type"), lba_range_types),
    bits("overwrite", 1, 1, 0, 1, "May be overwritten"),
    bits("hidden", 1, 1, 1, 1, "Hidden from OS, EFI and BIOS"),
    rsvd_bits(1, 1, 2, 6),
    rsvd(2, 14),
    num("slba", 16, 8, "Starting LBA"),
    zero_based(num("nlb", 24, 8, "Number of Logical Blocks, 0's based")),
    bytes("guid", 32, 16, kind::raw, "Unique Identifier"),
    rsvd(48, 16),
};
inline constexpr std::array host_behavior{
    num("acre", 0, 1, "Advanced Command Retry Enable"),
    num("etdas", 1, 1, "Extended Telemetry Data Area 4 Supported"),
    num("lbafee", 2, 1, "LBA Format Extension Enable"),
    rsvd(3, 509),
};
// What Get Features answers when SEL asks for the supported capabilities.
inline constexpr std::array capabilities{
    bits("saveable", 0, 4, 0, 1, "Saveable"),
    bits("ns_specific", 0, 4, 1, 1, "Namespace specific"),
    bits("changeable", 0, 4, 2, 1, "Changeable"),
    rsvd_bits(0, 4, 3, 29),
};
inline constexpr std::array host_identifier_data{
    bytes("hostid", 0, 16, kind::uuid, "Host Identifier, 128 bits"),
};
}  // namespace feature_parts

inline constexpr layout feature_arbitration{"feature-arbitration", "Arbitration", "Base 5.27.1.1",
                                            4, feature_parts::arbitration};
inline constexpr layout feature_power_management{"feature-power-management", "Power Management",
                                                 "Base 5.27.1.2", 4,
                                                 feature_parts::power_management};
inline constexpr layout feature_lba_range_type{"feature-lba-range-type", "LBA Range Type",
                                               "NVM 4.1.3", 4, feature_parts::lba_range_type};
inline constexpr layout feature_temperature_threshold{"feature-temperature-threshold",
                                                      "Temperature Threshold", "Base 5.27.1.3", 4,
                                                      feature_parts::temperature_threshold};
inline constexpr layout feature_error_recovery{"feature-error-recovery", "Error Recovery",
                                               "NVM 4.1.3", 4, feature_parts::error_recovery};
inline constexpr layout feature_volatile_write_cache{"feature-volatile-write-cache",
                                                     "Volatile Write Cache", "Base 5.27.1.4", 4,
                                                     feature_parts::volatile_write_cache};
inline constexpr layout feature_queues_request{"feature-number-of-queues",
                                               "Number of Queues, requested", "Base 5.27.1.5", 4,
                                               feature_parts::queues_request};
inline constexpr layout feature_queues_result{"feature-number-of-queues-result",
                                              "Number of Queues, allocated", "Base 5.27.1.5", 4,
                                              feature_parts::queues_result};
inline constexpr layout feature_interrupt_coalescing{"feature-interrupt-coalescing",
                                                     "Interrupt Coalescing", "Base 5.27.1.6", 4,
                                                     feature_parts::interrupt_coalescing};
inline constexpr layout feature_interrupt_vector{"feature-interrupt-vector",
                                                 "Interrupt Vector Configuration", "Base 5.27.1.7",
                                                 4, feature_parts::interrupt_vector};
inline constexpr layout feature_write_atomicity{"feature-write-atomicity", "Write Atomicity Normal",
                                                "NVM 4.1.3", 4, feature_parts::write_atomicity};
inline constexpr layout feature_async_event{"feature-async-event",
                                            "Asynchronous Event Configuration", "Base 5.27.1.8", 4,
                                            feature_parts::async_event};
inline constexpr layout feature_apst{"feature-apst", "Autonomous Power State Transition",
                                     "Base 5.27.1.9", 4, feature_parts::apst};
inline constexpr layout apst_entry_layout{"apst-entry", "Autonomous Power State Transition entry",
                                          "Base 5.27.1.9", 8, feature_parts::apst_entry};
inline constexpr layout feature_host_memory_buffer{"feature-host-memory-buffer",
                                                   "Host Memory Buffer", "Base 5.27.1.10", 4,
                                                   feature_parts::host_memory_buffer};
inline constexpr layout timestamp_data{"timestamp-data", "Timestamp", "Base 5.27.1.11", 8,
                                       feature_parts::timestamp};
inline constexpr layout feature_keep_alive_timer{"feature-keep-alive-timer", "Keep Alive Timer",
                                                 "Base 5.27.1.12", 4,
                                                 feature_parts::keep_alive_timer};
inline constexpr layout feature_thermal_management{
    "feature-thermal-management", "Host Controlled Thermal Management", "Base 5.27.1.13", 4,
    feature_parts::thermal_management};
inline constexpr layout feature_non_operational_power{
    "feature-non-operational-power", "Non-Operational Power State Config", "Base 5.27.1.14", 4,
    feature_parts::non_operational_power};
inline constexpr layout feature_nvm_set{"feature-nvm-set", "NVM Set of a feature", "Base 5.27.1.15",
                                        4, feature_parts::nvm_set};
inline constexpr layout feature_read_recovery_level{"feature-read-recovery-level",
                                                    "Read Recovery Level Config", "Base 5.27.1.15",
                                                    4, feature_parts::read_recovery_level};
inline constexpr layout feature_latency_config{"feature-latency-config",
                                               "Predictable Latency Mode Config", "Base 5.27.1.16",
                                               4, feature_parts::latency_config};
inline constexpr layout feature_latency_window{"feature-latency-window",
                                               "Predictable Latency Mode Window", "Base 5.27.1.17",
                                               4, feature_parts::latency_window};
inline constexpr layout feature_lba_status{"feature-lba-status",
                                           "LBA Status Information Attributes", "NVM 4.1.3", 4,
                                           feature_parts::lba_status};
inline constexpr layout host_behavior_data{"host-behavior-data", "Host Behavior Support",
                                           "Base 5.27.1.18", 512, feature_parts::host_behavior};
inline constexpr layout feature_sanitize_config{"feature-sanitize-config", "Sanitize Config",
                                                "Base 5.27.1.19", 4,
                                                feature_parts::sanitize_config};
inline constexpr layout feature_endurance_group{
    "feature-endurance-group", "Endurance Group Event Configuration", "Base 5.27.1.20", 4,
    feature_parts::endurance_group};
inline constexpr layout feature_command_set_profile{"feature-command-set-profile",
                                                    "I/O Command Set Profile", "Base 5.27.1.21", 4,
                                                    feature_parts::command_set_profile};
inline constexpr layout feature_software_progress{"feature-software-progress",
                                                  "Software Progress Marker", "Base 5.27.1.24", 4,
                                                  feature_parts::software_progress};
inline constexpr layout feature_host_identifier{"feature-host-identifier", "Host Identifier",
                                                "Base 5.27.1.25", 4,
                                                feature_parts::host_identifier};
inline constexpr layout host_identifier_data{"host-identifier-data", "Host Identifier",
                                             "Base 5.27.1.25", 16,
                                             feature_parts::host_identifier_data};
inline constexpr layout feature_reservation_mask{"feature-reservation-mask",
                                                 "Reservation Notification Mask", "Base 5.27.1.26",
                                                 4, feature_parts::reservation_mask};
inline constexpr layout feature_reservation_persistence{"feature-reservation-persistence",
                                                        "Reservation Persistence", "Base 5.27.1.27",
                                                        4, feature_parts::reservation_persistence};
inline constexpr layout feature_write_protection{
    "feature-write-protection", "Namespace Write Protection Config", "Base 5.27.1.28", 4,
    feature_parts::write_protection};
inline constexpr layout feature_capabilities{"feature-capabilities",
                                             "Supported capabilities of a feature", "Base 5.15", 4,
                                             feature_parts::capabilities};
inline constexpr layout lba_range_layout{"lba-range", "LBA Range Type entry", "NVM 4.1.3", 64,
                                         feature_parts::lba_range};

namespace feature_parts {
inline constexpr std::array apst_data{
    nested("entry", 0, apst_entry_layout, 32, "One entry per power state"),
};
inline constexpr std::array lba_ranges{
    nested_to_end("range", 0, lba_range_layout, "LBA ranges"),
};
}  // namespace feature_parts

inline constexpr layout apst_data{"apst-data", "Autonomous Power State Transition data",
                                  "Base 5.27.1.9", 256, feature_parts::apst_data};
inline constexpr layout lba_range_list{"lba-range-list", "LBA Range Type data", "NVM 4.1.3", 0,
                                       feature_parts::lba_ranges};

// What is known of one feature. A null says: nothing beyond a plain dword, or no data.
struct feature_form {
  std::uint8_t fid;
  const layout* cdw11;  // of Set Features; Get Features takes the same where it takes any
  const layout* cdw12;
  const layout* value;  // dword 0 of the completion of Get Features
  const layout* data;
};
// A feature that is one dword: set in dword 11, got in dword 0.
constexpr feature_form dword_feature(std::uint8_t fid, const layout& l,
                                     const layout* data = nullptr) {
  return {fid, &l, nullptr, &l, data};
}
inline constexpr feature_form feature_forms[] = {
    dword_feature(0x01, feature_arbitration),
    dword_feature(0x02, feature_power_management),
    dword_feature(0x03, feature_lba_range_type, &lba_range_list),
    dword_feature(0x04, feature_temperature_threshold),
    dword_feature(0x05, feature_error_recovery),
    dword_feature(0x06, feature_volatile_write_cache),
    {0x07, &feature_queues_request, nullptr, &feature_queues_result, nullptr},
    dword_feature(0x08, feature_interrupt_coalescing),
    dword_feature(0x09, feature_interrupt_vector),
    dword_feature(0x0a, feature_write_atomicity),
    dword_feature(0x0b, feature_async_event),
    dword_feature(0x0c, feature_apst, &apst_data),
    dword_feature(0x0d, feature_host_memory_buffer),
    {0x0e, nullptr, nullptr, nullptr, &timestamp_data},
    dword_feature(0x0f, feature_keep_alive_timer),
    dword_feature(0x10, feature_thermal_management),
    dword_feature(0x11, feature_non_operational_power),
    {0x12, &feature_nvm_set, &feature_read_recovery_level, &feature_read_recovery_level, nullptr},
    {0x13, &feature_nvm_set, &feature_latency_config, &feature_latency_config, nullptr},
    {0x14, &feature_nvm_set, &feature_latency_window, &feature_latency_window, nullptr},
    dword_feature(0x15, feature_lba_status),
    {0x16, nullptr, nullptr, nullptr, &host_behavior_data},
    dword_feature(0x17, feature_sanitize_config),
    dword_feature(0x18, feature_endurance_group),
    dword_feature(0x19, feature_command_set_profile),
    dword_feature(0x80, feature_software_progress),
    {0x81, &feature_host_identifier, nullptr, nullptr, &host_identifier_data},
    dword_feature(0x82, feature_reservation_mask),
    dword_feature(0x83, feature_reservation_persistence),
    dword_feature(0x84, feature_write_protection),
};
constexpr const feature_form* find_feature(std::uint8_t fid) {
  for (const feature_form& f : feature_forms)
    if (f.fid == fid) return &f;
  return nullptr;
}

static_assert(complete(feature_arbitration) && complete(feature_power_management));
static_assert(complete(feature_lba_range_type) && complete(feature_temperature_threshold));
static_assert(complete(feature_error_recovery) && complete(feature_volatile_write_cache));
static_assert(complete(feature_queues_request) && complete(feature_queues_result));
static_assert(complete(feature_interrupt_coalescing) && complete(feature_interrupt_vector));
static_assert(complete(feature_write_atomicity) && complete(feature_async_event));
static_assert(complete(feature_apst) && complete(apst_entry_layout));
static_assert(complete(feature_host_memory_buffer) && complete(timestamp_data));
static_assert(complete(feature_keep_alive_timer) && complete(feature_thermal_management));
static_assert(complete(feature_non_operational_power) && complete(feature_nvm_set));
static_assert(complete(feature_read_recovery_level) && complete(feature_latency_config));
static_assert(complete(feature_latency_window) && complete(feature_lba_status));
static_assert(complete(host_behavior_data) && complete(feature_sanitize_config));
static_assert(complete(feature_endurance_group) && complete(feature_command_set_profile));
static_assert(complete(feature_software_progress) && complete(feature_host_identifier));
static_assert(complete(host_identifier_data) && complete(feature_reservation_mask));
static_assert(complete(feature_reservation_persistence) && complete(feature_write_protection));
static_assert(complete(feature_capabilities) && complete(lba_range_layout));
static_assert(complete(apst_data) && complete(lba_range_list));

}  // namespace nvmf::wire
