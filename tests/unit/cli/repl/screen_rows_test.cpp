// SPDX-License-Identifier: BSD-2-Clause
#include "repl/screen_rows.hpp"

#include <doctest/doctest.h>

#include <clocale>

using nvmf::cli::repl::place_after;
using nvmf::cli::repl::screen_place;

TEST_CASE("text wraps when the last column is full") {
  std::setlocale(LC_CTYPE, "C.UTF-8");
  CHECK(place_after(L"", {}, 10) == screen_place{0, 0});
  CHECK(place_after(L"123456789", {}, 10) == screen_place{0, 9});
  CHECK(place_after(L"1234567890", {}, 10) == screen_place{1, 0});
  CHECK(place_after(L"12345678901234567890x", {}, 10) == screen_place{2, 1});
  CHECK(place_after(L"345", {0, 8}, 10) == screen_place{1, 1});
}

TEST_CASE("tabs, controls and wide characters take their room") {
  std::setlocale(LC_CTYPE, "C.UTF-8");
  CHECK(place_after(L"a\tb", {}, 20) == screen_place{0, 9});
  CHECK(place_after(L"\x03", {}, 20) == screen_place{0, 2});
  CHECK(place_after(L"\u00e9", {}, 20) == screen_place{0, 1});
  CHECK(place_after(L"\u4e2d", {}, 20) == screen_place{0, 2});
  CHECK(place_after(L"\u4e2d", {0, 9}, 10) == screen_place{1, 2});  // no half of one at the edge
  CHECK(place_after(L"ab\nc", {}, 20) == screen_place{1, 1});
}
