// SPDX-License-Identifier: BSD-2-Clause
// The memory that commands borrow, and who touched it when it was not theirs: before and behind
// every piece lie bytes that nobody may write, and after its command's callback the whole piece is
// such bytes, looked at when the run is over. Under AddressSanitizer a late touch, reading too,
// ends the run where it happens.
#pragma once

#include <deque>
#include <string>

#include "pdu.hpp"

namespace nvmf::sim {

class user_memory {
 public:
  user_memory(std::size_t size, bool trap);
  user_memory(const user_memory&) = delete;
  user_memory& operator=(const user_memory&) = delete;
  ~user_memory();

  std::span<std::byte> data() { return std::span{all_}.subspan(guard, all_.size() - 2 * guard); }
  // From now on it is nobody's.
  void retire();
  // Says what was touched, if anything.
  std::string check();
  // Breaks the rule, to show that it is seen.
  void scribble(std::ptrdiff_t at) { all_[static_cast<std::size_t>(guard + at)] = std::byte{0x66}; }

  static constexpr std::ptrdiff_t guard = 64;

 private:
  octets all_;
  bool trap_;
  bool retired_ = false;
};

}  // namespace nvmf::sim
