// SPDX-License-Identifier: BSD-2-Clause
// A command, and how it ended, in words: what a line of a trace has behind time and direction, and
// what a packet of a capture is told to carry.
#pragma once

#include "known_commands.hpp"
#include "line_buffer.hpp"
#include "render/style.hpp"
#include "trace/conversation/connection.hpp"

namespace nvmf::cli {

class capsule_text {
 public:
  explicit capsule_text(const style& look) : look_(look) {}

  // "0x1005 "
  static void append_cid(line_buffer& to, std::uint16_t cid);
  // "0x1005 read nsid=0x1 nlb=7, 4096 bytes in the capsule"
  void append_command(line_buffer& to, const trace::connection& c, const trace::command& k);
  // "0x1005 read ok, 4096 bytes, 88.1 us = wait 80.0 us + data 0.0 us + end 8.1 us"
  void append_completion(line_buffer& to, const trace::command& k, const trace::completion& done);
  void append(line_buffer& to, tone t, std::string_view text) const;

 private:
  void append_result(line_buffer& to, const trace::command& k, const trace::completion& done) const;

  const style& look_;
  known_commands known_;
};

}  // namespace nvmf::cli
