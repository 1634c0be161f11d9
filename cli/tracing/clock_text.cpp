// SPDX-License-Identifier: BSD-2-Clause
#include "clock_text.hpp"

#include <ctime>
#include <iterator>

namespace nvmf::cli {

namespace {

constexpr std::int64_t second = 1'000'000'000;

void two(char* at, int value) {
  at[0] = static_cast<char>('0' + value / 10 % 10);
  at[1] = static_cast<char>('0' + value % 10);
}

}  // namespace

void clock_text::start(std::int64_t ns) {
  if (begun_) return;
  begun_ = true;
  first_ns_ = ns;
}

void clock_text::append(fmt::memory_buffer& to, std::int64_t ns) {
  if (how_ == trace_time::relative) ns -= first_ns_;
  const auto out = std::back_inserter(to);
  const bool before = ns < 0;  // packets of several rings, or a clock that was set
  if (before && how_ == trace_time::relative) {
    fmt::format_to(out, "-");
    ns = -ns;
  }
  std::int64_t whole = ns / second, rest = ns % second;
  if (rest < 0) {
    rest += second;
    --whole;
  }
  const auto micros = static_cast<std::uint64_t>(rest / 1000);
  if (how_ == trace_time::relative || how_ == trace_time::epoch) {
    fmt::format_to(out, "{}.{:06}", whole, micros);
    return;
  }
  if (whole != second_ || text_[0] == '\0') {
    second_ = whole;
    const std::time_t t = static_cast<std::time_t>(whole);
    std::tm parts{};
    if (how_ == trace_time::utc)
      ::gmtime_r(&t, &parts);
    else
      ::localtime_r(&t, &parts);
    text_ = {'0', '0', ':', '0', '0', ':', '0', '0', '.'};
    two(&text_[0], parts.tm_hour);
    two(&text_[3], parts.tm_min);
    two(&text_[6], parts.tm_sec);
  }
  to.append(text_.data(), text_.data() + text_.size());
  fmt::format_to(out, "{:06}", micros);
}

void append_duration(fmt::memory_buffer& to, std::int64_t ns) {
  const auto out = std::back_inserter(to);
  const char* sign = ns < 0 ? "-" : "";
  const auto n = static_cast<std::uint64_t>(ns < 0 ? -ns : ns);
  if (n < 10'000'000)
    fmt::format_to(out, "{}{}.{} us", sign, n / 1000, n / 100 % 10);
  else if (n < 10'000'000'000)
    fmt::format_to(out, "{}{}.{:02} ms", sign, n / 1'000'000, n / 10'000 % 100);
  else
    fmt::format_to(out, "{}{}.{:02} s", sign, n / 1'000'000'000, n / 10'000'000 % 100);
}

}  // namespace nvmf::cli
