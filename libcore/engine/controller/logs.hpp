// SPDX-License-Identifier: BSD-2-Clause
// The log pages of a controller (Base 2.0, 5.16). Each is built whole; the caller cuts out what Get
// Log Page asks for.
#pragma once

#include <array>
#include <cstdint>
#include <nvmf/executor.hpp>
#include <span>
#include <vector>

#include "identify.hpp"

namespace nvmf::engine {

// One failed command, for the Error Information log.
struct error_record {
  std::uint16_t sqid = 0;
  std::uint16_t cid = 0;
  nvme_status status{};
  std::uint16_t location = 0xffff;  // byte of the SQE at fault; FFFFh: none
  std::uint64_t lba = 0;
  std::uint32_t nsid = 0;
};

// The latest errors; the count goes on over all of them.
class error_history {
 public:
  // `missed`: errors that happened before this one and were not recorded.
  void add(const error_record& e, std::uint64_t missed = 0);
  std::uint64_t count() const { return count_; }
  std::vector<std::byte> page(std::uint8_t trtype) const;  // the latest first

 private:
  struct entry {
    error_record e;
    std::uint64_t number;  // from 1
  };
  std::array<entry, error_log_entries> ring_{};
  std::uint64_t count_ = 0;
  std::size_t held_ = 0;
  std::size_t next_ = 0;
};

// NSIDs that changed since the log was read last, ascending; too many of them become one marker.
class changed_namespaces {
 public:
  static constexpr std::size_t capacity = 1024;
  void add(std::uint32_t nsid);
  void clear();
  std::vector<std::byte> page() const;
  bool empty() const { return nsids_.empty() && !overflow_; }

 private:
  std::vector<std::uint32_t> nsids_;
  bool overflow_ = false;
};

// What the I/O queues of a controller have done; sums over them.
struct io_counters {
  std::uint64_t read_bytes = 0, written_bytes = 0;
  std::uint64_t read_commands = 0, write_commands = 0;
  std::uint64_t media_errors = 0;
  void operator+=(const io_counters& o) {
    read_bytes += o.read_bytes;
    written_bytes += o.written_bytes;
    read_commands += o.read_commands;
    write_commands += o.write_commands;
    media_errors += o.media_errors;
  }
};

std::vector<std::byte> supported_pages(controller_kind kind);
// `up`: how long the subsystem has been there.
std::vector<std::byte> smart_page(const io_counters& io, std::uint64_t errors, duration up);
std::vector<std::byte> firmware_page(std::string_view revision);
std::vector<std::byte> command_effects_page();

// Is the page one of a controller of that kind?
bool has_page(std::uint8_t lid, controller_kind kind);
// Is the opcode one that is carried out? For log page 05h and for the dispatch alike.
bool admin_opcode_supported(std::uint8_t opcode, controller_kind kind);
bool io_opcode_supported(std::uint8_t opcode);

}  // namespace nvmf::engine
