// SPDX-License-Identifier: BSD-2-Clause
#include "repl/script/expression.hpp"

#include <doctest/doctest.h>

#include <array>
#include <map>

#include "wire/status.hpp"
#include "wire/tables.hpp"

using namespace nvmf;
using namespace nvmf::cli::repl;

namespace {

// A workbench of three things: c.status, c.none (absent), c.cns, and b, four bytes.
struct world {
  std::map<std::string, value, std::less<>> variables;

  names_of_words names() const {
    return {.variable =
                [this](std::string_view name) {
                  const auto it = variables.find(name);
                  return it == variables.end() ? nullptr : &it->second;
                },
            .path = [](std::string_view path) { return at(path); },
            .all = [] { return std::vector<std::string>{"count", "b"}; }};
  }

  static std::optional<std::expected<value, std::string>> at(std::string_view path) {
    if (path == "c.status") return value::of_status(wire::status_value(0, 0x80));
    if (path == "c.none") return value{};
    if (path == "c.cns") return value::of_number(1, &wire::cns_values);
    if (path.starts_with("c.")) return std::unexpected(std::string{"c has no such thing"});
    static constexpr std::array bytes{std::byte{1}, std::byte{2}, std::byte{3}, std::byte{4}};
    if (path == "b" || path == "buf b") return value::of_bytes(bytes, nullptr);
    if (path == "b[1,2]") return value::of_bytes(std::span{bytes}.subspan(1, 2), nullptr);
    if (path == "b[2,2]") return value::of_bytes(std::span{bytes}.subspan(2, 2), nullptr);
    return std::nullopt;
  }
};

std::expected<value, complaint> value_in(const world& w, std::string_view text) {
  const auto e = parse_expression(text, 0);
  if (!e) return std::unexpected(e.error());
  return evaluate(*e, w.names());
}

bool holds(const world& w, std::string_view text) {
  const auto v = value_in(w, text);
  REQUIRE_MESSAGE(v.has_value(), text << ": " << (v ? "" : v.error().text));
  const auto t = truth(*v);
  REQUIRE(t);
  return *t;
}

struct mistake {
  std::string_view line;
  std::size_t column;
  std::string_view text;
};

}  // namespace

TEST_CASE("what is true and what is not") {
  world w;
  w.variables["n"] = value::of_number(2);
  w.variables["t"] = value::of_time(std::chrono::milliseconds(5));
  w.variables["name"] = value::of_text("c");
  w.variables["controller"] = value::of_text("shadows nothing");
  for (const std::string_view yes : {"true",
                                     "1 == 0x1",
                                     "4K == 4096",
                                     "n + 1 - 1 == 2",
                                     "1 + n * 3 * 2 == 13",
                                     "(n * 4K) == 8192",
                                     "$n == 2",
                                     "${n} in (1, 2)",
                                     "c.status == lba-out-of-range",
                                     "lba-out-of-range == c.status",
                                     "c.status == 0/80h",
                                     "c.status != success",
                                     "c.cns == controller",
                                     "c.cns == 1",
                                     "controller == c.cns",
                                     "c.cns in (namespace, controller)",
                                     "$controller == 'shadows nothing'",
                                     "c.none == absent",
                                     "absent == c.none",
                                     "c.status != absent",
                                     "not c.none == 3",
                                     "not (c.none != success)",
                                     "b == hex:01020304",
                                     "buf b == b",
                                     "b[1, 2] == hex:0203",
                                     "b contains hex:0304",
                                     "b != hex:00",
                                     "'ab' + \"cd\" == 'abcd'",
                                     "\"abc\" contains 'bc'",
                                     "'abc' =~ \"b\"",
                                     "\"in$n\" == 'in2'",
                                     "\"${n + 1}, ${c.cns}\" == '3, 1'",
                                     "\"\\$n\" == '$n'",
                                     "t == 5ms",
                                     "t < 1s && t > 1us",
                                     "t + 1ms == 6ms",
                                     "$name.status == c.status",
                                     "${name}.cns == 1",
                                     "false || true and not false",
                                     "!(1 == 2)",
                                     "1 == 1 # and a comment",
                                     "true || c.nothing",
                                     "b[n,2] == hex:0304"})
    CHECK_MESSAGE(holds(w, yes), yes);
  for (const std::string_view no :
       {"false", "0", "1 == 2", "c.status == success", "c.none == success", "c.none != success",
        "c.none < 3", "c.status == absent", "true && false || false", "not true or false",
        "b == hex:010203", "n in (3, 4)", "not not false", "'A' == 'a'"})
    CHECK_MESSAGE(!holds(w, no), no);
}

TEST_CASE("&& binds more tightly than ||, not applies to a comparison") {
  const world w;
  CHECK(holds(w, "true || false && false"));
  CHECK(!holds(w, "(true || false) && false"));
  CHECK(!holds(w, "not 1 == 1"));
}

TEST_CASE("mistakes have a column and say what would fit") {
  world w;
  w.variables["big"] = value::of_number(~std::uint64_t{0});
  for (const mistake& m : {
           mistake{"", 0, "the end where a value"},
           mistake{"1 ==", 4, "the end where a value"},
           mistake{"1 == == 1", 5, "'==' where a value"},
           mistake{"1 = 1", 2, "= compares nothing; write =="},
           mistake{"(1 == 1", 7, "the end where an operator or )"},
           mistake{"1 == 1)", 6, "')' where &&, || or the end"},
           mistake{"count", 0, "nothing is called 'count' (let"},
           mistake{"1 == coumt", 5, "nothing is called 'coumt'; did you mean count"},
           mistake{"1 == \"a${n}\"", 9, "nothing is called 'n'"},
           mistake{"'a' == \"$3\"", 8, "the script has not been given $3"},
           mistake{"$x == 1", 0, "there is no variable 'x'"},
           mistake{"$ x", 0, "a $ is followed by"},
           mistake{"$3", 0, "the script has not been given $3"},
           mistake{"c.nothing == 1", 0, "c has no such thing"},
           mistake{"1 == \"a", 5, "the quote \" is not closed"},
           mistake{"b[1,2", 1, "no ] ends this"},
           mistake{"b in 3", 5, "'3' where ( of a list"},
           mistake{"b in (3", 7, "the end where , or )"},
           mistake{"1 +1", 2, "'+1' where a blank after the sign"},
           mistake{"1 - 2 == 0", 4, "1 - 2 is less than 0"},
           mistake{"big + 1 == 0", 6, "is too much"},
           mistake{"big * 2 == 0", 6, "is too much"},
           mistake{"2 * 5ms == 0", 4, "* takes two numbers"},
           mistake{"2 * == 0", 4, "'==' where a value"},
           mistake{"1 == 5ms", 0, "1 is a number and 5ms is a time"},
           mistake{"b < b", 0, "< takes numbers and times, and this is bytes"},
           mistake{"b && true", 0, "not true or false"},
           mistake{"c.status == sucess", 12, "sucess"},
           mistake{"c.status < 3", 0, "< takes numbers and times, and this is a status"},
           mistake{"buf x == b", 0, "there is no buffer 'x'"},
       }) {
    const auto v = value_in(w, m.line);
    REQUIRE_MESSAGE(!v, m.line);
    CHECK_MESSAGE(v.error().column == m.column, m.line);
    CHECK_MESSAGE(v.error().text.contains(m.text), v.error().text);
  }
}

TEST_CASE("parentheses and not nest so deep and no deeper; chains do not nest") {
  const world w;
  const auto nested = [](std::size_t n) {
    return std::string(n, '(') + "true" + std::string(n, ')');
  };
  CHECK(holds(w, nested(expression_depth_max)));
  const auto v = value_in(w, nested(expression_depth_max + 1));
  REQUIRE(!v);
  CHECK(v.error().column == expression_depth_max);
  std::string nots, chain = "true";
  for (std::size_t i = 0; i <= expression_depth_max; ++i) nots += "not ";
  CHECK(!value_in(w, nots + "true"));
  for (int i = 0; i < 5000; ++i) chain += " && 1 + 1 == 2";
  CHECK(holds(w, chain));
}

TEST_CASE("the comparisons that were made, with what stood in them") {
  const world w;
  constexpr std::string_view text = "c.cns == 1 && c.status == success && 1 == 2";
  const auto e = parse_expression(text, 0);
  REQUIRE(e);
  std::vector<compared> made;
  REQUIRE(evaluate(*e, w.names(), &made));
  REQUIRE(made.size() == 2);  // the third is not asked
  CHECK(made[0].result);
  CHECK(!made[1].result);
  CHECK(text.substr(made[1].left_from, made[1].left_to - made[1].left_from) == "c.status");
  CHECK(text.substr(made[1].right_from, made[1].right_to - made[1].right_from) == "success");
  CHECK(shown(made[1].left) == "lba-out-of-range (0/80h)");
}
