// SPDX-License-Identifier: BSD-2-Clause
// `--between FROM,TO`: a part of a capture by its clock.
#pragma once

#include <cstdint>
#include <expected>
#include <limits>
#include <string>
#include <string_view>

namespace nvmf::cli {

class time_window {
 public:
  // FROM,TO; either may be missing. Each is a time after the first packet (2.5s, 300ms), a time of
  // day (12:34:56.789), or a day and a time (2026-01-31T12:34:56, with Z or +01:00 or neither).
  // The error is a sentence, the text below it, and a mark at the column.
  static std::expected<time_window, std::string> parse(std::string_view text);

  bool given() const { return given_; }
  // The first packet of the capture. What has no zone is meant as UTC, or as the local time is.
  // False: TO comes before FROM.
  [[nodiscard]] bool begin(std::int64_t first_ns, bool utc);

  // Something that lasted from `from_ns` to `to_ns` lies in it, partly at least.
  bool holds(std::int64_t from_ns, std::int64_t to_ns) const {
    return to_ns >= from_ns_ && from_ns <= to_ns_;
  }
  bool is_over(std::int64_t ns) const { return ns > to_ns_; }

 private:
  friend class window_parser;
  struct bound {
    enum class kind : std::uint8_t { open, after_first, of_day, absolute } what = kind::open;
    std::int64_t ns = 0;  // after the first packet, of the day, since 1970
    bool zoned = false;   // of absolute: it said which zone
  };
  static std::int64_t resolve(const bound& b, std::int64_t first_ns, std::int64_t not_before,
                              bool utc);

  bool given_ = false;
  bound from_, to_;
  std::int64_t from_ns_ = std::numeric_limits<std::int64_t>::min();
  std::int64_t to_ns_ = std::numeric_limits<std::int64_t>::max();
};

}  // namespace nvmf::cli
