// SPDX-License-Identifier: BSD-2-Clause
#include "clock_text.hpp"

#include <ctime>
#include <iterator>
#include <string_view>

namespace nvmf::cli {

namespace {

constexpr std::int64_t second = 1'000'000'000;

void two(char* at, int value) {
  at[0] = static_cast<char>('0' + value / 10 % 10);
  at[1] = static_cast<char>('0' + value % 10);
}

// A point and `digits` digits.
void append_fraction(fmt::memory_buffer& to, std::uint64_t value, unsigned digits) {
  char text[8] = {'.'};
  for (unsigned i = digits; i > 0; --i) {
    text[i] = static_cast<char>('0' + value % 10);
    value /= 10;
  }
  to.append(text, text + digits + 1);
}

}  // namespace

void append_number(fmt::memory_buffer& to, std::uint64_t value) {
  const fmt::format_int text(value);
  to.append(text.data(), text.data() + text.size());
}

void clock_text::start(std::int64_t ns) {
  if (begun_) return;
  begun_ = true;
  first_ns_ = ns;
}

void clock_text::append(fmt::memory_buffer& to, std::int64_t ns) {
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
    fmt::format_to(std::back_inserter(to), "{}", whole);
    return append_fraction(to, micros, 6);
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
  to.append(text_.data(), text_.data() + text_.size());
  append_fraction(to, micros, 6);
}

void append_duration(fmt::memory_buffer& to, std::int64_t ns) {
  using namespace std::string_view_literals;
  if (ns < 0) to.push_back('-');
  const auto n = static_cast<std::uint64_t>(ns < 0 ? -ns : ns);
  const auto put = [&](std::uint64_t unit, unsigned digits, std::uint64_t part,
                       std::string_view name) {
    append_number(to, n / unit);
    append_fraction(to, n % unit / part, digits);
    to.append(name);
  };
  if (n < 10'000'000)
    put(1'000, 1, 100, " us"sv);
  else if (n < 10'000'000'000)
    put(1'000'000, 2, 10'000, " ms"sv);
  else
    put(1'000'000'000, 2, 10'000'000, " s"sv);
}

}  // namespace nvmf::cli
