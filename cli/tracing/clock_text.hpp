// SPDX-License-Identifier: BSD-2-Clause
// Times of a trace, as text.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "line_buffer.hpp"

namespace nvmf::cli {

enum class trace_time : std::uint8_t { local, utc, relative, epoch };
inline constexpr std::array<std::string_view, 4> trace_time_names{"local", "utc", "relative",
                                                                  "epoch"};

class clock_text {
 public:
  explicit clock_text(trace_time how) : how_(how) {}
  // What relative times count from; the first that is told stays.
  void start(std::int64_t ns);
  // "12:34:56.789012", "0.000123", "1700000000.123456".
  void append(line_buffer& to, std::int64_t ns);

 private:
  trace_time how_;
  bool begun_ = false;
  std::int64_t first_ns_ = 0;
  std::int64_t second_ = -1;  // that of text_
  std::array<char, 8> text_{};
};

// "88.1 us", "12.30 ms", "45.00 s"; up to ten of the next unit stay in the smaller one.
void append_duration(line_buffer& to, std::int64_t ns);

}  // namespace nvmf::cli
