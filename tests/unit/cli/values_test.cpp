// SPDX-License-Identifier: BSD-2-Clause
#include "values.hpp"

#include <doctest/doctest.h>

using namespace nvmf::cli;
using namespace std::chrono_literals;

TEST_CASE("a time without a unit counts in what the option says") {
  CHECK(parse_duration("10", 1s).value() == 10s);
  CHECK(parse_duration("10", 1ms).value() == 10ms);
  CHECK(parse_duration("0", 1s).value() == 0ms);
}

TEST_CASE("a time may carry its unit and a fraction") {
  CHECK(parse_duration("1.5s", 1ms).value() == 1500ms);
  CHECK(parse_duration("500ms", 1s).value() == 500ms);
  CHECK(parse_duration("2m", 1s).value() == 2min);
  CHECK(parse_duration("2min", 1s).value() == 2min);
  CHECK(parse_duration("1h", 1s).value() == 1h);
  CHECK(parse_duration(".25", 1s).value() == 250ms);
}

TEST_CASE("what is not a time is refused") {
  for (const char* text : {"", "s", "x", "10x", "-1", "1e9", "nan", "inf", "1 s", "0x10"})
    CHECK_MESSAGE(!parse_duration(text, 1s), text);
  CHECK(parse_duration("99999999999999", 1s).error().reason ==
        "'99999999999999' is too long a time");
}

TEST_CASE("a time is told in the unit that fits") {
  CHECK(duration_text(10s) == "10 s");
  CHECK(duration_text(250ms) == "250 ms");
  CHECK(duration_text(0ms) == "0 s");
}

TEST_CASE("a list holds numbers and ranges in the order given") {
  CHECK(parse_list("0-3,6", 63).value() == std::vector<unsigned>{0, 1, 2, 3, 6});
  CHECK(parse_list("5", 63).value() == std::vector<unsigned>{5});
  CHECK(parse_list("3,1", 63).value() == std::vector<unsigned>{3, 1});
}

TEST_CASE("a list says where it goes wrong") {
  for (const char* text : {"", ",", "1,", "a", "3-1", "0-64", "-", "1-", "-2"})
    CHECK_MESSAGE(!parse_list(text, 63), text);
  CHECK(parse_list("1,x", 63).error().position == 2);
  CHECK(parse_list("3-1", 63).error().reason == "the range 3-1 runs backwards");
}
