// SPDX-License-Identifier: BSD-2-Clause
#include "repl/words.hpp"

#include <doctest/doctest.h>

#include <sstream>

#include "repl/script/script_file.hpp"

using namespace nvmf::cli::repl;

namespace {

// $x is "a b", all else is wrong.
std::expected<std::string, complaint> expand(std::string_view what, std::size_t column) {
  if (what == "x") return "a b";
  if (what == "x + 1") return "sum";
  return wrong("no " + std::string{what}, column);
}

std::string joined(std::string_view text) {
  const auto words = split_words(text, expand);
  if (!words) return "! " + words.error().text;
  std::string all;
  for (const word& w : *words) all += "<" + w.text + ">";
  return all;
}

}  // namespace

TEST_CASE("a value stands within its word, and the word stays one") {
  CHECK(joined("p $x q") == "<p><a b><q>");
  CHECK(joined("n=$x,${x + 1}.") == "<n=a b,sum.>");
  CHECK(joined("\"$x\" '$x' \"\\$x\"") == "<a b><$x><$x>");
  CHECK(joined("b[$x, 2]") == "<b[a b, 2]>");
  CHECK(joined("p # $y") == "<p>");
  CHECK(joined("$xy") == "! no xy");
  CHECK(joined("a $") ==
        "! a $ is followed by a name, a number, # or {EXPRESSION}; '$' in single "
        "quotes is just that");
  CHECK(joined("${x") == "! no } ends this");
  CHECK(joined("${}").starts_with("! a $ is followed"));
  CHECK(split_words("ab ${y}", expand).error().column == 5);
  CHECK(split_words("p $x=1", expand)->at(1).from(3).column == 2);
}

TEST_CASE("without values a $ is a character") {
  const auto words = split_words("$x ${");
  REQUIRE(words);
  CHECK((*words)[0].text == "$x");
  CHECK((*words)[1].text == "${");
}

TEST_CASE("lines are UTF-8 without control characters") {
  CHECK(check_line("a\tb \xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80"));
  for (const std::string_view bad :
       {"ab\x01", "ab\x7f", "ab\x80", "ab\xc0\xaf", "ab\xe0\x80\xaf", "ab\xed\xa0\x80",
        "ab\xf0\x80\x80\xaf", "ab\xf4\x90\x80\x80", "ab\xf5\x80\x80\x80", "ab\xc3", "ab\xe2\x82"}) {
    REQUIRE_MESSAGE(!check_line(bad), bad);
    CHECK(check_line(bad).error().column == 2);
  }
  CHECK(!check_line(std::string_view("a\0b", 3)));
  CHECK(check_line(std::string(line_bytes_max, 'a')));
  CHECK(!check_line(std::string(line_bytes_max + 1, 'a')));
}

TEST_CASE("a line that is too long is read over and not kept") {
  std::istringstream in("one\n" + std::string(1'000'000, 'a') + "\nthree");
  CHECK(next_line(in)->text == "one");
  CHECK(next_line(in)->text.size() == line_bytes_max + 1);
  const auto last = next_line(in);
  CHECK(last->text == "three");
  CHECK(!last->ended);
  CHECK(!next_line(in));
}
