// SPDX-License-Identifier: BSD-2-Clause
#include "render/json.hpp"

#include <doctest/doctest.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <limits>

using namespace nvmf::cli;
namespace json = boost::json;

TEST_CASE("a document is indented, short flat parts are one line") {
  const json::value v = {{"schema", "x/1"},
                         {"list", {1, 2, 3}},
                         {"rows", {{{"a", 1}, {"b", {{"c", true}}}}}},
                         {"none", nullptr}};
  CHECK(pretty_json(v) ==
        "{\n"
        "  \"schema\": \"x/1\",\n"
        "  \"list\": [1, 2, 3],\n"
        "  \"rows\": [\n"
        "    {\n"
        "      \"a\": 1,\n"
        "      \"b\": {\"c\": true}\n"
        "    }\n"
        "  ],\n"
        "  \"none\": null\n"
        "}\n");
}

TEST_CASE("empty containers and the widest numbers") {
  CHECK(pretty_json(json::object{}) == "{}\n");
  CHECK(json_line(json::array{}) == "[]\n");
  CHECK(json_line(json::array{std::numeric_limits<std::uint64_t>::max(), -1, 0.25, 1e300}) ==
        "[18446744073709551615, -1, 0.25, 1e+300]\n");
  CHECK(json_line(json::array{std::numeric_limits<double>::infinity()}) == "[null]\n");
}

TEST_CASE("a stream's record is one line and parses to what it was") {
  const json::value v = {{"text", "a\"\\\n\x01"}, {"deep", {{"deeper", {1, {{"x", "y"}}}}}}};
  const std::string line = json_line(v);
  CHECK(line.find('\n') == line.size() - 1);
  CHECK(json::parse(line) == v);
}

TEST_CASE("text of a peer is valid UTF-8 whatever it sent") {
  CHECK(json_text("plain") == "plain");
  CHECK(json_text("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80") ==
        "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
  CHECK(json_text("a\xff"
                  "b") == "a?b");
  CHECK(json_text("\xc0\xaf") == "??");            // overlong
  CHECK(json_text("\xe0\x80\x80") == "???");       // overlong
  CHECK(json_text("\xed\xa0\x80") == "???");       // surrogate
  CHECK(json_text("\xf4\x90\x80\x80") == "????");  // beyond U+10FFFF
  CHECK(json_text("\xe2\x82") == "??");            // cut short
  CHECK(json_text(std::string_view{"\0x", 2}).size() == 2);
}

TEST_CASE("bytes as digits") {
  const std::byte b[] = {std::byte{0x06}, std::byte{0xff}};
  CHECK(hex_text(b) == "06ff");
  CHECK(hex_text({}).empty());
}
