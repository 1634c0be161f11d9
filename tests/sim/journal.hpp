// SPDX-License-Identifier: BSD-2-Clause
// What happened in a run: lines for a replay, a hash of all of it so that two runs of one seed can
// be compared, how often each thing occurred, and the first thing that was wrong.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "support/virtual_executor.hpp"

namespace nvmf::sim {

// How often each thing occurred, by a name that is static text.
using tally = std::map<std::string_view, std::uint64_t>;

class journal {
 public:
  // `tell`: lines go to stdout as they come.
  journal(const test::virtual_time& time, bool tell) : time_(time), tell_(tell) {}

  bool telling() const { return tell_; }
  // A line of the trace, with the time in front.
  void say(std::string_view line);
  // Bytes of the trace that no line shows whole.
  void add(std::span<const std::byte> bytes);
  void count(std::string_view what) { ++counts_[what]; }
  // The first stands.
  void wrong(std::string what);

  std::uint64_t hash() const { return hash_; }
  const tally& counts() const { return counts_; }
  const std::string& what_is_wrong() const { return wrong_; }

 private:
  void mix(std::uint64_t word);

  const test::virtual_time& time_;
  bool tell_;
  std::uint64_t hash_ = 0;
  tally counts_;
  std::string wrong_;
};

}  // namespace nvmf::sim
