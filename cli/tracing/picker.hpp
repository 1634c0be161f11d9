// SPDX-License-Identifier: BSD-2-Clause
// What of a trace is put out: by the filter, the first of it or the last of it.
#pragma once

#include <cstdint>
#include <deque>
#include <iosfwd>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "filter.hpp"

namespace nvmf::cli {

struct picking {
  trace_filter filter = {};
  std::uint64_t first = 0;  // 0: all
  std::uint64_t last = 0;   // 0: all
};

class picker {
 public:
  // Text that waits for the end of its command is bounded, for one and for all of them; what is
  // beyond is left out, and that is said.
  static constexpr std::size_t waiting_bytes_max = 1u << 20;
  static constexpr std::size_t all_waiting_bytes_max = 16u << 20;

  picker(const picking& how, std::ostream& out) : how_(how), out_(out) {}

  enum class answer : std::uint8_t { no, yes, later };
  // Asked before the text is made.
  answer wants(const sight& s) const;
  // `what` is what wants() said for it.
  void put(answer what, const sight& s, std::string_view text);
  // The command of `s` is over: what waited for that is decided.
  void settle(const sight& s);

  // A connection is over.
  void forget(std::uint32_t connection);

  // No more will be put out: --first has been reached, or nobody reads.
  bool done() const { return done_; }
  // What was put out leaves.
  void flush();
  // The capture is over.
  void finish();
  std::uint64_t shown() const { return shown_; }

 private:
  struct chunk {
    std::optional<std::uint8_t> pdu;
    std::string text;
  };
  struct waiting {
    std::size_t used = 0;  // chunks keep their strings for the next command
    std::size_t bytes = 0;
    std::size_t left_out = 0;
    std::vector<chunk> chunks;
  };
  void emit(std::string_view text);

  const picking& how_;
  std::ostream& out_;
  std::string pending_;
  std::deque<std::string> tail_;
  std::unordered_map<std::uint32_t, std::vector<waiting>> waiting_;  // by connection, by slot
  std::size_t waiting_bytes_ = 0;
  std::uint64_t shown_ = 0;
  bool done_ = false;
};

}  // namespace nvmf::cli
