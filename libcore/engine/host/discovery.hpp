// SPDX-License-Identifier: BSD-2-Clause
// Reads a whole discovery log (Base 2.0, 5.16.1.23): its header, its entries in pieces, and the
// header again; from the start when the generation counter moved meanwhile.
#pragma once

#include <cstdint>
#include <vector>

#include "action.hpp"

namespace nvmf::engine {

inline constexpr std::size_t discovery_entry_limit = 16'384;
inline constexpr unsigned discovery_reads_limit = 8;
inline constexpr std::uint32_t discovery_piece = 64 * 1024;  // bytes of one Get Log Page, at most

class discovery_reader {
 public:
  // `max_transfer`: bytes that one command may move, at least 1024.
  explicit discovery_reader(std::uint64_t max_transfer);

  action start();
  // `failed` carries what the reader itself ran into as an error code: limit_exceeded,
  // protocol_violation; else what became of the command.
  action on_reply(const reply& got);

  const discovery_log& log() const { return log_; }

 private:
  enum class step : std::uint8_t { header, entries, recheck };
  action ask(step next, std::uint64_t offset, std::uint32_t length, bool retain);
  action next_entries();
  action on_header(const reply& got);
  action again();
  action give_up(errc code, std::string detail);

  std::uint32_t piece_;
  step step_ = step::header;
  unsigned reads_ = 0;
  std::uint64_t records_ = 0;
  send_command sent_;
  discovery_log log_;
};

}  // namespace nvmf::engine
