// SPDX-License-Identifier: BSD-2-Clause
#include "clock_text.hpp"

#include <cstring>
#include <ctime>
#include <string_view>

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

void clock_text::append(line_buffer& to, std::int64_t ns) {
  if (how_ == trace_time::relative) ns -= first_ns_;
  // Before the first: packets of several rings, or a clock that was set.
  if (ns < 0 && how_ == trace_time::relative) {
    to.push_back('-');
    ns = -ns;
  }
  std::int64_t whole = ns / second, rest = ns % second;
  if (rest < 0) {
    rest += second;
    --whole;
  }
  const auto micros = static_cast<std::uint64_t>(rest / 1000);
  if (how_ == trace_time::relative || how_ == trace_time::epoch) {
    to.signed_number(whole);
    to.push_back('.');
    return to.digits<6>(micros);
  }
  if (whole != second_ || text_[0] == '\0') {
    second_ = whole;
    const std::time_t t = static_cast<std::time_t>(whole);
    std::tm parts{};
    if (how_ == trace_time::utc)
      ::gmtime_r(&t, &parts);
    else
      ::localtime_r(&t, &parts);
    text_ = {'0', '0', ':', '0', '0', ':', '0', '0'};
    two(&text_[0], parts.tm_hour);
    two(&text_[3], parts.tm_min);
    two(&text_[6], parts.tm_sec);
  }
  char* at = to.room(text_.size() + 7);
  std::memcpy(at, text_.data(), text_.size());
  at += text_.size();
  *at++ = '.';
  to.took(line_buffer::put_digits<6>(at, micros));
}

void append_duration(line_buffer& to, std::int64_t ns) {
  if (ns < 0) to.push_back('-');
  const auto n = static_cast<std::uint64_t>(ns < 0 ? -ns : ns);
  if (n < 10'000'000) {
    char* at = line_buffer::put_number(to.room(line_buffer::number_max), n / 1'000);
    *at++ = '.';
    to.took(line_buffer::put_digits<1>(at, n / 100));
    return to.literal(" us");
  }
  // `part`: of the last digit.
  const auto put = [&](std::uint64_t unit, std::uint64_t part) {
    to.number(n / unit);
    to.push_back('.');
    to.digits<2>(n % unit / part);
  };
  if (n < 10'000'000'000) {
    put(1'000'000, 10'000);
    return to.literal(" ms");
  }
  put(1'000'000'000, 10'000'000);
  to.literal(" s");
}

}  // namespace nvmf::cli
