// SPDX-License-Identifier: BSD-2-Clause
#include "tracing/clock_text.hpp"

#include <doctest/doctest.h>

using namespace nvmf::cli;

namespace {

std::string duration(std::int64_t ns) {
  line_buffer b;
  append_duration(b, ns);
  return std::string{b.view()};
}

std::string time(trace_time how, std::int64_t start, std::int64_t ns) {
  clock_text clock(how);
  clock.start(start);
  clock.start(start + 1);  // the first stays
  line_buffer b;
  clock.append(b, ns);
  return std::string{b.view()};
}

}  // namespace

TEST_CASE("durations have the unit that suits them") {
  CHECK(duration(0) == "0.0 us");
  CHECK(duration(88'149) == "88.1 us");
  CHECK(duration(999'940) == "999.9 us");
  CHECK(duration(12'300'000) == "12.30 ms");
  CHECK(duration(9'500'000'000) == "9500.00 ms");
  CHECK(duration(45'000'000'000) == "45.00 s");
  CHECK(duration(-1'500) == "-1.5 us");
}

TEST_CASE("times of a day, since the start, since 1970") {
  constexpr std::int64_t at = 1'700'000'000'123'456'789;  // 2023-11-14 22:13:20 UTC
  CHECK(time(trace_time::utc, at, at) == "22:13:20.123456");
  CHECK(time(trace_time::relative, at, at + 1'000'123'000) == "1.000123");
  CHECK(time(trace_time::relative, at, at) == "0.000000");
  CHECK(time(trace_time::epoch, at, at) == "1700000000.123456");
}
