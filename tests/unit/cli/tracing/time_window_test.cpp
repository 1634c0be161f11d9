// SPDX-License-Identifier: BSD-2-Clause
#include "tracing/time_window.hpp"

#include <doctest/doctest.h>

namespace nvmf::cli {
namespace {

constexpr std::int64_t s = 1'000'000'000;
// 2023-11-14T22:13:20Z
constexpr std::int64_t first = 1'700'000'000 * s;

time_window of(std::string_view text) {
  auto w = time_window::parse(text);
  REQUIRE_MESSAGE(w.has_value(), w.error());
  REQUIRE(w->begin(first, true));
  return *w;
}
// The column that the error names, from 1; 0: there is none.
int column(std::string_view text) {
  const auto w = time_window::parse(text);
  if (w) return 0;
  CHECK(w.error().starts_with("column "));
  return std::stoi(w.error().substr(7));
}

TEST_CASE("after the first packet, with open ends") {
  const time_window w = of("2.5s,3s");
  CHECK(!w.holds(first, first + 2'499'999'999));
  CHECK(w.holds(first, first + 2'500'000'000));  // it ends where the window begins
  CHECK(w.holds(first + 3 * s, first + 9 * s));
  CHECK(!w.holds(first + 3 * s + 1, first + 9 * s));
  CHECK(w.holds(first, first + 9 * s));  // all around it
  CHECK(!w.is_over(first + 3 * s));
  CHECK(w.is_over(first + 3 * s + 1));
  CHECK(!of("2s,").is_over(first + 1'000'000 * s));
  CHECK(of(",300ms").holds(first - s, first - s));
}

TEST_CASE("of day, on the day of the first packet, over midnight") {
  CHECK(of("22:13:21.5,").holds(first + 1'500'000'000, first + 1'500'000'000));
  CHECK(!of("22:13:21.5,").holds(first, first + 1'499'999'999));
  CHECK(of("22:13:20,00:00:01").holds(first + 6400 * s, first + 6400 * s));  // midnight
  CHECK(of("22:13:20,00:00:01").is_over(first + 6402 * s));
  CHECK(of(",22:13:30").is_over(first + 11 * s));
}

TEST_CASE("days, with and without a zone") {
  CHECK(of("2023-11-14T22:13:22Z,").holds(first + 2 * s, first + 2 * s));
  CHECK(!of("2023-11-14T22:13:22Z,").holds(first, first + 2 * s - 1));
  CHECK(of("2023-11-14 23:13:22+01:00,2023-11-14T22:13:23").is_over(first + 3 * s + 1));
  CHECK(of("2023-11-14T20:13:22.25-02:00,").holds(first, first + 2'250'000'000));
  CHECK(!of("2023-11-14T20:13:22.25-02:00,").holds(first, first + 2'249'999'999));
  CHECK(of("2024-02-29T00:00:00Z,").is_over(first) == false);
}

TEST_CASE("what is wrong, and at which column") {
  CHECK(column("2s") == 3);
  CHECK(column(",") == 1);
  CHECK(column("3s,2s") == 4);
  CHECK(column("5,6s") == 1);  // no unit
  CHECK(column("1s,x") == 4);
  CHECK(column("25:00:00,") == 1);
  CHECK(column("12:60:00,") == 4);
  CHECK(column("12:34,") == 6);
  CHECK(column("12:34:56.,") == 10);
  CHECK(column("12:34:56x,") == 9);
  CHECK(column(",2023-02-29T00:00:00") == 2);
  CHECK(column("2023-13-01T00:00:00,") == 6);
  CHECK(column("1200-01-01T00:00:00,") == 1);
  CHECK(column("2023-01-01,") == 11);
  CHECK(column("2023-01-01T00:00:00+1,") == 21);
  CHECK(column("1s,2s,3s") == 4);
  const auto w = time_window::parse("2s,12:34:99");
  REQUIRE(!w);
  CHECK(w.error() == "column 10: the second is two digits, 00 to 59\n  2s,12:34:99\n           ^");
}

TEST_CASE("ends of different kinds can be told apart only with the first packet") {
  auto w = time_window::parse("100s,2023-11-14T22:13:21Z");
  REQUIRE(w);
  CHECK(!w->begin(first, true));
}

}  // namespace
}  // namespace nvmf::cli
