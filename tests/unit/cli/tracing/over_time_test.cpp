// SPDX-License-Identifier: BSD-2-Clause
#include "tracing/over_time.hpp"

#include <doctest/doctest.h>

#include <boost/json/array.hpp>
#include <numeric>
#include <vector>

namespace nvmf::cli {
namespace {

constexpr std::int64_t ms = 1'000'000;

std::vector<std::uint64_t> row(const over_time& t, std::string_view name) {
  const boost::json::object o = t.json();
  std::vector<std::uint64_t> out;
  for (const auto& v : o.at(name).as_array()) out.push_back(v.to_number<std::uint64_t>());
  return out;
}

TEST_CASE("what happens in an interval is counted there; depth stays where nothing happens") {
  over_time t;
  t.command(100 * ms);
  t.command(100 * ms + 10);
  t.completion(103 * ms, true, 4096);
  t.completion(104 * ms, false, 512);  // without an answer: not counted, and not outstanding
  t.command(106 * ms);
  CHECK(t.width_ns() == ms);
  CHECK(row(t, "completions") == std::vector<std::uint64_t>{0, 0, 0, 1, 0, 0, 0});
  CHECK(row(t, "bytes") == std::vector<std::uint64_t>{0, 0, 0, 4096, 0, 0, 0});
  CHECK(row(t, "depth") == std::vector<std::uint64_t>{2, 2, 2, 2, 1, 0, 1});
}

TEST_CASE("intervals double, as often as need be, and nothing is lost") {
  over_time t;
  for (int i = 0; i < 64; ++i) {
    t.command(i * ms);
    t.completion(i * ms, true, 1);
  }
  CHECK(t.width_ns() == ms);
  t.command(64 * ms);
  t.completion(64 * ms, true, 1);
  CHECK(t.width_ns() == 2 * ms);
  CHECK(row(t, "completions").size() == 33);
  CHECK(row(t, "completions").front() == 2);
  CHECK(row(t, "completions").back() == 1);
  t.command(3'600'000 * ms);  // an hour later
  const auto after = row(t, "completions");
  CHECK(after.size() <= over_time::intervals_max);
  CHECK(std::accumulate(after.begin(), after.end(), std::uint64_t{0}) == 65);
  CHECK(t.width_ns() == (std::int64_t{1} << 16) * ms);
}

TEST_CASE("a clock that was set back does not go before the first interval") {
  over_time t;
  t.command(50 * ms);
  t.completion(10 * ms, true, 8);
  CHECK(row(t, "completions") == std::vector<std::uint64_t>{1});
}

TEST_CASE("a chart: a sign for each interval, with and without block signs") {
  over_time t;
  CHECK(t.text(style{false}, true).empty());
  for (int i = 0; i < 3; ++i)
    for (int n = 0; n < (i == 1 ? 0 : i + 2); ++n) {
      t.command(i * ms);
      t.completion(i * ms, true, 1000);
    }
  const std::string plain = t.text(style{false}, false);
  CHECK(plain.find("Over time, 1000.0 us a sign\n") == 0);
  CHECK(plain.find("  commands  = #  at most 4000 a second\n") != std::string::npos);
  CHECK(plain.find("  bytes     = #  at most 4.0 MB a second\n") != std::string::npos);
  const std::string blocks = t.text(style{false}, true);
  CHECK(blocks.find("  commands  ▄ █  at most 4000 a second\n") != std::string::npos);
}

}  // namespace
}  // namespace nvmf::cli
