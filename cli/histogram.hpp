// SPDX-License-Identifier: BSD-2-Clause
// Times by size, log-linear: 64 steps for every power of two, so that a percentile is right within
// 1.6 %. No allocation, one increment per value.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>

namespace nvmf::cli {

class histogram {
 public:
  void add(std::uint64_t value) {
    ++counts_[index_of(value)];
    ++count_;
    sum_ += value;
    least_ = std::min(least_, value);
    most_ = std::max(most_, value);
  }
  void merge(const histogram& other) {
    for (std::size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
    count_ += other.count_;
    sum_ += other.sum_;
    least_ = std::min(least_, other.least_);
    most_ = std::max(most_, other.most_);
  }
  void clear() { *this = {}; }

  std::uint64_t count() const { return count_; }
  std::uint64_t least() const { return count_ == 0 ? 0 : least_; }
  std::uint64_t most() const { return most_; }
  double mean() const {
    return count_ == 0 ? 0 : static_cast<double>(sum_) / static_cast<double>(count_);
  }
  // The value that `share` (0 to 1) of all values do not exceed: the upper end of its step, but
  // never more than the largest value.
  std::uint64_t percentile(double share) const {
    if (count_ == 0) return 0;
    const auto wanted = static_cast<std::uint64_t>(std::ceil(share * static_cast<double>(count_)));
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < counts_.size(); ++i) {
      seen += counts_[i];
      if (seen >= std::max<std::uint64_t>(wanted, 1)) return std::min(upper_end(i), most_);
    }
    return most_;
  }

 private:
  static constexpr unsigned step_bits = 6;  // 64 steps
  static constexpr std::uint64_t steps = 1u << step_bits;
  static constexpr std::size_t buckets = (64 - step_bits + 1) * steps;

  // Values below `steps` have a step each; above, the highest bit tells the group and the next six
  // the step in it.
  static constexpr std::size_t index_of(std::uint64_t value) {
    if (value < steps) return value;
    const unsigned group = static_cast<unsigned>(std::bit_width(value)) - step_bits;
    return group * steps + ((value >> (group - 1)) - steps);
  }
  static constexpr std::uint64_t upper_end(std::size_t index) {
    const std::size_t group = index / steps;
    const std::uint64_t step = index % steps;
    if (group == 0) return step;
    return ((steps + step + 1) << (group - 1)) - 1;
  }

  std::array<std::uint64_t, buckets> counts_{};
  std::uint64_t count_ = 0, sum_ = 0, most_ = 0;
  std::uint64_t least_ = ~std::uint64_t{0};
};

}  // namespace nvmf::cli
