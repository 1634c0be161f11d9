// SPDX-License-Identifier: BSD-2-Clause
#include "wire/quantities.hpp"

#include <doctest/doctest.h>

using namespace nvmf::wire;
using namespace std::chrono_literals;

namespace {

std::string time_error(std::string_view text, time_range range = {}) {
  const auto t = parse_time(text, "t", range);
  return t ? "read" : to_text(t.error());
}
std::string part_error(std::string_view text) {
  const auto p = parse_part(text, "p");
  return p ? "read" : to_text(p.error());
}

}  // namespace

TEST_CASE("a time has a unit and is exact") {
  CHECK(parse_time("50ms", "t") == 50ms);
  CHECK(parse_time("1.5s", "t") == 1500ms);
  CHECK(parse_time("10us", "t") == 10us);
  CHECK(parse_time("300ns", "t") == 300ns);
  CHECK(parse_time("2m", "t") == 120s);
  CHECK(parse_time("1h", "t") == 3600s);
  CHECK(parse_time("0s", "t") == 0s);
  CHECK(parse_time("0.000001ms", "t") == 1ns);
  CHECK(parse_time("0.999999h", "t") == 3599996400us);
  CHECK(parse_time("8784h", "t") == 366 * 24h);
}

TEST_CASE("a time that is none says why and where") {
  CHECK(time_error("") == "t: '' is not a time (for example 50ms, 1.5s or 2m)");
  CHECK(time_error("ms") == "t: 'ms' is not a time (for example 50ms, 1.5s or 2m)");
  CHECK(time_error("-1s") == "t: '-1s' is not a time (for example 50ms, 1.5s or 2m)");
  CHECK(time_error("1.s") == "t: '1.s' is not a time (for example 50ms, 1.5s or 2m)");
  CHECK(time_error(".5s") == "t: '.5s' is not a time (for example 50ms, 1.5s or 2m)");
  CHECK(time_error("5") == "t: 5 has no unit: 5ms, 5us or 5s");
  CHECK(time_error("5d") ==
        "t: 'd' is not a unit of time: ns, us, ms, s, m and h are (for example 50ms, 1.5s or 2m)");
  CHECK(parse_time("55d", "t").error().position == 2);
  CHECK(time_error("1.5ns") ==
        "t: '1.5ns' is not whole nanoseconds (for example 50ms, 1.5s or 2m)");
  CHECK(time_error("1.1234567s") ==
        "t: '1.1234567s' has more than 6 decimals (for example 50ms, 1.5s or 2m)");
  CHECK(time_error("8785h") == "t: 8785h is more than 8784h");
  CHECK(time_error("8784.1h") == "t: 8784.1h is more than 8784h");
  CHECK(time_error("99999999999999999s") == "t: 99999999999999999s is more than 8784h");
  CHECK(time_error("18446744073709551617s") ==
        "t: '18446744073709551617s' is too large (for example 50ms, 1.5s or 2m)");
  CHECK(time_error("1ms", {.min = 2ms}) == "t: 1ms is less than 2ms");
  CHECK(time_error("3s", {.max = 2s}) == "t: 3s is more than 2s");
}

TEST_CASE("a time is written in the largest unit that divides") {
  CHECK(time_text(0ns) == "0s");
  CHECK(time_text(1ns) == "1ns");
  CHECK(time_text(1500us) == "1500us");
  CHECK(time_text(90s) == "90s");
  CHECK(time_text(120s) == "2m");
  CHECK(time_text(longest_time) == "8784h");
}

TEST_CASE("a part of 1, as a number or in percent") {
  CHECK(parse_part("10%", "p") == 100'000'000u);
  CHECK(parse_part("0.1", "p") == 100'000'000u);
  CHECK(parse_part("0.000000001", "p") == 1u);
  CHECK(parse_part("0.0000001%", "p") == 1u);
  CHECK(parse_part("1", "p") == whole_ppb);
  CHECK(parse_part("100%", "p") == whole_ppb);
  CHECK(parse_part("0", "p") == 0u);
  CHECK(part_error("10") == "p: 10 is more than 1; did you mean 10%? (for example 10% or 0.1)");
  CHECK(part_error("1.5") == "p: 1.5 is more than 1; did you mean 1.5%? (for example 10% or 0.1)");
  CHECK(part_error("100.1%") == "p: 100.1% is more than 100% (for example 10% or 0.1)");
  CHECK(part_error("%") == "p: '%' is not a part of 1 (for example 10% or 0.1)");
  CHECK(part_error("") == "p: '' is not a part of 1 (for example 10% or 0.1)");
  CHECK(part_error("5x%") == "p: '5x%' is not a part of 1 (for example 10% or 0.1)");
  CHECK(parse_part("5x%", "p").error().position == 1);
  CHECK(part_error("0.0000000001") ==
        "p: '0.0000000001' has more than 9 decimals (for example 10% or 0.1)");
}

TEST_CASE("a part is written in percent") {
  CHECK(part_text(100'000'000) == "10%");
  CHECK(part_text(5'000'000) == "0.5%");
  CHECK(part_text(1) == "0.0000001%");
  CHECK(part_text(whole_ppb) == "100%");
  CHECK(part_text(0) == "0%");
}

TEST_CASE("a place in a text with lines") {
  const std::string_view text = "ab\n\ncde";
  const auto at = [&](std::size_t position, std::size_t line, std::size_t column,
                      std::string_view whole) {
    const text_place p = place_in(text, position);
    CAPTURE(position);
    CHECK(p.line == line);
    CHECK(p.column == column);
    CHECK(p.text == whole);
  };
  at(0, 1, 1, "ab");
  at(2, 1, 3, "ab");  // the line end belongs to its line
  at(3, 2, 1, "");
  at(4, 3, 1, "cde");
  at(7, 3, 4, "cde");
  at(99, 3, 4, "cde");
}
