// SPDX-License-Identifier: BSD-2-Clause
#include "render/text.hpp"

#include <doctest/doctest.h>

using namespace nvmf::cli;

TEST_CASE("width is what a terminal shows") {
  CHECK(display_width("abc") == 3);
  CHECK(display_width("\xe2\x86\x92 x") == 3);
  CHECK(display_width(style{true}(tone::bad, "abc")) == 3);
  CHECK(padded("ab", 4) == "ab  ");
  CHECK(padded("abcd", 2) == "abcd");
}

TEST_CASE("a style is silent without colours") {
  CHECK(style{}(tone::bad, "x") == "x");
  CHECK(style{true}(tone::bad, "x") == "\x1b[31mx\x1b[0m");
  CHECK(style{true}(tone::plain, "x") == "x");
  CHECK(style{true}(tone::good, "") == "");
}

TEST_CASE("colours follow the option, then NO_COLOR, then the terminal") {
  CHECK(wants_colour(color_when::always, false, true));
  CHECK(!wants_colour(color_when::never, true, false));
  CHECK(wants_colour(color_when::automatic, true, false));
  CHECK(!wants_colour(color_when::automatic, true, true));
  CHECK(!wants_colour(color_when::automatic, false, false));
}

TEST_CASE("paragraphs wrap, indented lines stay") {
  CHECK(wrapped("one two three four", 2, 12) == "  one two\n  three four\n");
  CHECK(wrapped("a\nb\n\nc", 0, 80) == "a b\n\nc\n");
  CHECK(wrapped("text\n  kept   as it is\nmore", 0, 10) == "text\n  kept   as it is\nmore\n");
  CHECK(wrapped("averyveryverylongword x", 0, 10) == "averyveryverylongword\nx\n");
  CHECK(wrapped("", 0).empty());
}

TEST_CASE("columns are aligned and the last one wraps under itself") {
  text_table t{2};
  t.align_right(0);
  t.add({"1", "a", "first"});
  t.add({"100", "bcd", "second"});
  CHECK(t.str() == "    1  a    first\n  100  bcd  second\n");

  text_table w;
  w.add({"name", std::string(60, 'x') + " " + std::string(60, 'y')});
  CHECK(w.str() == "name  " + std::string(60, 'x') + "\n      " + std::string(60, 'y') + "\n");
}

TEST_CASE("empty cells leave no blanks at the end of a line") {
  text_table t;
  t.add({"a", "", ""});
  t.add({"bb", "c", "d"});
  CHECK(t.str() == "a\nbb  c  d\n");
}
