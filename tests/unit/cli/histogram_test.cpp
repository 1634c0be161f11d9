// SPDX-License-Identifier: BSD-2-Clause
#include "histogram.hpp"

#include <doctest/doctest.h>

#include <random>
#include <vector>

using nvmf::cli::histogram;

TEST_CASE("an empty histogram says nothing") {
  const histogram h;
  CHECK(h.count() == 0);
  CHECK(h.least() == 0);
  CHECK(h.most() == 0);
  CHECK(h.mean() == 0);
  CHECK(h.percentile(0.5) == 0);
}

TEST_CASE("small values are exact") {
  histogram h;
  for (std::uint64_t v = 1; v <= 60; ++v) h.add(v);
  CHECK(h.percentile(0.5) == 30);
  CHECK(h.percentile(1.0) == 60);
  CHECK(h.percentile(0.0) == 1);
  CHECK(h.least() == 1);
  CHECK(h.most() == 60);
  CHECK(h.mean() == doctest::Approx(30.5));
}

TEST_CASE("every value lies in its step, and steps are within 1.6 percent") {
  for (unsigned bit = 0; bit < 64; ++bit)
    for (const std::uint64_t more :
         {std::uint64_t{0}, std::uint64_t{1}, (std::uint64_t{1} << bit) / 3}) {
      const std::uint64_t value = (std::uint64_t{1} << bit) + more % (std::uint64_t{1} << bit);
      histogram h;
      h.add(value);
      h.add(~std::uint64_t{0});  // so that the largest value does not cut the step
      const std::uint64_t told = h.percentile(0.5);
      CHECK(told >= value);
      CHECK(static_cast<double>(told - value) <= static_cast<double>(value) * 0.016);
    }
}

TEST_CASE("percentiles of many values are those of the sorted list") {
  std::mt19937_64 random{7};
  std::lognormal_distribution<double> spread{10, 1};
  std::vector<std::uint64_t> values;
  histogram h;
  for (int i = 0; i < 20000; ++i) {
    values.push_back(static_cast<std::uint64_t>(spread(random)));
    h.add(values.back());
  }
  std::ranges::sort(values);
  for (const double share : {0.01, 0.5, 0.9, 0.99, 0.999}) {
    const auto at = static_cast<std::size_t>(std::ceil(share * 20000)) - 1;
    CHECK(static_cast<double>(h.percentile(share)) ==
          doctest::Approx(static_cast<double>(values[at])).epsilon(0.016));
  }
  CHECK(h.percentile(1.0) == values.back());
}

TEST_CASE("two histograms together are as if all had been added to one") {
  histogram a, b, both;
  for (std::uint64_t v = 0; v < 1000; ++v) {
    (v % 3 == 0 ? a : b).add(v * v);
    both.add(v * v);
  }
  a.merge(b);
  CHECK(a.count() == both.count());
  CHECK(a.mean() == both.mean());
  CHECK(a.least() == both.least());
  CHECK(a.most() == both.most());
  CHECK(a.percentile(0.7) == both.percentile(0.7));
  a.clear();
  CHECK(a.count() == 0);
}
