// SPDX-License-Identifier: BSD-2-Clause
// Traffic over time in a fixed number of intervals, whose width doubles when there is no more room:
// memory does not grow with the capture.
#pragma once

#include <algorithm>
#include <array>
#include <boost/json/object.hpp>
#include <cstdint>
#include <string>

#include "render/style.hpp"

namespace nvmf::cli {

class over_time {
 public:
  static constexpr std::size_t intervals_max = 64;
  static constexpr std::int64_t first_width_ns = 1'000'000;

  void command(std::int64_t ns) {
    interval& i = at(ns);
    i.depth = std::max(i.depth, ++depth_);
    i.depth_then = depth_;
  }
  // One that is not `counted` is outstanding no more, that is all.
  void completion(std::int64_t ns, bool counted, std::uint64_t bytes) {
    interval& i = at(ns);
    i.depth = std::max(i.depth, depth_);
    if (depth_ > 0) --depth_;
    i.depth_then = depth_;
    if (!counted) return;
    ++i.completions;
    i.bytes += bytes;
  }

  bool empty() const { return used_ == 0; }
  std::int64_t width_ns() const { return width_ns_; }
  // Lines of a chart for each: completions, bytes, depth.
  std::string text(const style& look, bool unicode) const;
  boost::json::object json() const;

 private:
  struct interval {
    std::uint64_t completions = 0, bytes = 0;
    std::uint32_t depth = 0;       // the most that were outstanding
    std::uint32_t depth_then = 0;  // at its end
    bool seen = false;             // otherwise as the one before it ended
  };
  interval& at(std::int64_t ns) {
    if (used_ == 0) first_ns_ = ns;
    const std::int64_t since = std::max<std::int64_t>(ns - first_ns_, 0);
    while (since / width_ns_ >= static_cast<std::int64_t>(intervals_max)) widen();
    const auto index = static_cast<std::size_t>(since / width_ns_);
    used_ = std::max(used_, index + 1);
    interval& i = all_[index];
    if (!i.seen) {
      i.seen = true;
      i.depth = depth_;
    }
    return i;
  }
  void widen();
  // With those in which nothing happened as they were.
  std::array<interval, intervals_max> filled() const;

  std::int64_t first_ns_ = 0, width_ns_ = first_width_ns;
  std::size_t used_ = 0;
  std::uint32_t depth_ = 0;
  std::array<interval, intervals_max> all_{};
};

}  // namespace nvmf::cli
