// SPDX-License-Identifier: BSD-2-Clause
// An I/O command as the controller understands it: checked against the namespace and the limits,
// in plain numbers (NVM Command Set 1.0, 3). Pure and without allocation: this is the hot path.
#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <span>

#include "namespaces.hpp"
#include "refusal.hpp"

namespace nvmf::engine {

enum class io_kind : std::uint8_t {
  read,
  write,
  compare,
  verify,
  write_zeroes,
  deallocate,  // Dataset Management that asks for it
  hint,        // Dataset Management that does not: nothing to do
  flush,       // of one namespace, or of all
};

struct io_request {
  io_kind kind = io_kind::flush;
  std::uint32_t nsid = 0;
  std::uint64_t lba = 0;
  std::uint32_t blocks = 0;
  std::uint32_t bytes = 0;   // that travel between host and controller
  bool durable = false;      // FUA
  bool deallocate = false;   // Write Zeroes with DEAC
  std::uint16_t ranges = 0;  // Dataset Management: how many
};

struct io_limits {
  std::uint64_t transfer_max = 0;  // bytes per command (MDTS), 0: no limit
};

std::uint32_t io_nsid(std::span<const std::byte, 64> sqe);
// The first LBA of a command that names one, else 0; for the error log.
std::uint64_t io_lba(std::span<const std::byte, 64> sqe);

// `ns`: the active namespace of the command's NSID, or nullptr. `data_length`: SGL length, bytes.
std::expected<io_request, refusal> read_io_command(std::span<const std::byte, 64> sqe,
                                                   std::uint32_t data_length,
                                                   const namespace_view* ns,
                                                   const io_limits& limits);

// One range of Dataset Management.
struct block_range {
  std::uint64_t lba = 0;
  std::uint32_t blocks = 0;
};
inline constexpr std::size_t dsm_range_bytes = 16;
// Range `index` of the command's data; refused when it leaves the namespace.
std::expected<block_range, refusal> read_range(std::span<const std::byte> data, std::size_t index,
                                               const namespace_view& ns);

}  // namespace nvmf::engine
