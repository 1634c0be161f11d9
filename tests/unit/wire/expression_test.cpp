// SPDX-License-Identifier: BSD-2-Clause
#include "wire/expression.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <map>
#include <vector>

#include "support/refusals.hpp"
#include "wire/expression/symbols.hpp"
#include "wire/tables.hpp"

using namespace nvmf::wire;

namespace {

constexpr std::string_view connection[] = {"connection"};
constexpr expression_field fields[] = {
    {.name = "cmd",
     .title = "",
     .kind = value_kind::symbol,
     .example = "read",
     .lookup = lookup_command,
     .spell = spell_command},
    {.name = "bytes", .title = "", .example = "4K", .max = 0xffff'ffff},
    {.name = "conn", .title = "", .example = "1", .max = 0xffff, .also = connection},
    {.name = "latency", .title = "", .kind = value_kind::duration, .example = "1ms"},
    {.name = "load", .title = "", .kind = value_kind::part, .example = "10%"},
    {.name = "host", .title = "", .kind = value_kind::text, .example = "\"nqn\""},
    {.name = "dnr", .title = "", .kind = value_kind::flag},
    {.name = "pdu",
     .title = "",
     .kind = value_kind::symbol,
     .example = "r2t",
     .max = 0xff,
     .symbols = &pdu_types},
    {.name = "status",
     .title = "",
     .example = "success",
     .max = 0x7ff,
     .lookup = lookup_status,
     .spell = spell_status},
};

using values = std::map<std::string_view, field_value>;

expression parsed(std::string_view text) {
  auto e = expression::parse(text, fields);
  REQUIRE_MESSAGE(e.has_value(), text);
  return *e;
}
bool holds(std::string_view text, const values& v) {
  return parsed(text).matches([&](std::size_t i) {
    const auto it = v.find(fields[i].name);
    return it == v.end() ? field_value::absent() : it->second;
  });
}
std::string canonical(std::string_view text) {
  const std::string once = parsed(text).text();
  CHECK(parsed(once).text() == once);
  return once;
}
void refused(std::string_view text, std::size_t column, std::string_view why) {
  nvmf::test::check_refused(text, expression::parse(text, fields), column, why);
}

field_value num(std::uint64_t n) { return field_value::of(n); }
field_value text(std::string_view t) { return field_value::of(t); }

constexpr std::string_view all_fields =
    "; fields are cmd, bytes, conn, latency, load, host, dnr, pdu, status";

}  // namespace

TEST_CASE("each operator on numbers") {
  const values v{{"bytes", num(4096)}};
  CHECK(holds("bytes == 4096", v));
  CHECK(holds("bytes == 0x1000", v));
  CHECK(holds("bytes==4K", v));
  CHECK(holds("bytes == 1000h", v));
  CHECK_FALSE(holds("bytes == 4095", v));
  CHECK(holds("bytes != 4095", v));
  CHECK_FALSE(holds("bytes != 4096", v));
  CHECK(holds("bytes < 4097", v));
  CHECK_FALSE(holds("bytes < 4096", v));
  CHECK(holds("bytes <= 4096", v));
  CHECK_FALSE(holds("bytes <= 4095", v));
  CHECK(holds("bytes > 4095", v));
  CHECK_FALSE(holds("bytes > 4096", v));
  CHECK(holds("bytes >= 4096", v));
  CHECK_FALSE(holds("bytes >= 4097", v));
  CHECK(holds("bytes in (512, 4K)", v));
  CHECK(holds("bytes in (4096)", v));
  CHECK_FALSE(holds("bytes in (512, 8K)", v));
}

TEST_CASE("the values of the other kinds") {
  CHECK(holds("latency > 1ms", {{"latency", num(1'000'001)}}));
  CHECK_FALSE(holds("latency > 1ms", {{"latency", num(1'000'000)}}));
  CHECK(holds("latency == 1.5us", {{"latency", num(1500)}}));
  CHECK(holds("load >= 10%", {{"load", num(100'000'000)}}));
  CHECK(holds("load >= 0.1", {{"load", num(100'000'000)}}));
  CHECK(holds("cmd == read", {{"cmd", num(0x102)}}));        // NVM set, opcode 02h
  CHECK_FALSE(holds("cmd == read", {{"cmd", num(0x002)}}));  // Get Log Page
  CHECK(holds("cmd == Get_Log_Page", {{"cmd", num(0x002)}}));
  CHECK(holds("cmd == dsm", {{"cmd", num(0x109)}}));
  CHECK(holds("cmd == connect", {{"cmd", num(0x201)}}));
  CHECK(holds("cmd == admin:0xc1", {{"cmd", num(0x0c1)}}));
  CHECK(holds("cmd in (read, write)", {{"cmd", num(0x101)}}));
  CHECK(holds("pdu == R2T", {{"pdu", num(9)}}));
  CHECK(holds("pdu == 9", {{"pdu", num(9)}}));
  CHECK(holds("status != 0", {{"status", num(2)}}));
  CHECK(holds("status == success", {{"status", num(0)}}));
  CHECK(holds("status == 1/82h", {{"status", num(0x182)}}));
  CHECK(command_number(false, 0x02, 0) == 0x102);
  CHECK(command_number(true, 0x02, 0) == 0x002);
  CHECK(command_number(true, 0x7f, 1) == 0x201);
  CHECK(command_number(false, 0x7f, 4) == 0x204);
}

TEST_CASE("texts, bare and in quotes") {
  const values v{{"host", text("nqn.2014-08.org:uuid:a b\"c\\")}};
  CHECK(holds("host =~ 2014-08.org:uuid", v));
  CHECK(holds("host contains \"a b\"", v));
  CHECK(holds(R"(host == "nqn.2014-08.org:uuid:a b\"c\\")", v));
  CHECK(holds(R"(host == 'nqn.2014-08.org:uuid:a b"c\\')", v));
  CHECK(holds(R"(host =~ "\x61 b")", v));
  CHECK(holds("host != nqn", v));
  CHECK_FALSE(holds("host =~ NQN", v));
  CHECK(holds("host =~ \"\"", v));
  CHECK_FALSE(holds("host == \"\"", v));
  CHECK_FALSE(holds("host in (a, b)", v));
  CHECK(holds("host in (and, \"in\")", {{"host", text("and")}}));
}

TEST_CASE("flags stand alone or are compared") {
  const values on{{"dnr", num(1)}}, off{{"dnr", num(0)}};
  CHECK(holds("dnr", on));
  CHECK_FALSE(holds("dnr", off));
  CHECK(holds("!dnr", off));
  CHECK(holds("dnr == true", on));
  CHECK(holds("dnr == false", off));
  CHECK(holds("dnr != 1", off));
  CHECK(holds("dnr && conn == 1", {{"dnr", num(1)}, {"conn", num(1)}}));
}

TEST_CASE("a comparison with what is absent is false, and its inverse is true") {
  for (std::string_view c : {"bytes == 0", "bytes != 0", "bytes < 1", "bytes >= 0", "host =~ \"\"",
                             "host != a", "dnr", "dnr == false", "bytes in (0, 1)"}) {
    CAPTURE(c);
    CHECK_FALSE(holds(c, {}));
    CHECK(holds(fmt::format("!({})", c), {}));
  }
}

TEST_CASE("&& binds more tightly than ||, and ! more than either") {
  const auto bit = [](unsigned n) { return num(n); };
  // All eight assignments against the truth table made by hand from a && b || !c and its kin.
  for (unsigned m = 0; m < 8; ++m) {
    const bool a = (m & 4) != 0, b = (m & 2) != 0, c = (m & 1) != 0;
    const values v{{"bytes", bit(a)}, {"conn", bit(b)}, {"dnr", bit(c)}};
    CAPTURE(m);
    CHECK(holds("bytes==1 && conn==1 || dnr", v) == ((a && b) || c));
    CHECK(holds("dnr || bytes==1 && conn==1", v) == (c || (a && b)));
    CHECK(holds("bytes==1 and conn==1 or not dnr", v) == ((a && b) || !c));
    CHECK(holds("bytes==1 && (conn==1 || dnr)", v) == (a && (b || c)));
    CHECK(holds("(bytes==1 || conn==1) && dnr", v) == ((a || b) && c));
    CHECK(holds("!(bytes==1 || conn==1) && !dnr", v) == (!(a || b) && !c));
    CHECK(holds("!(bytes==1 && conn==1) || dnr", v) == (!(a && b) || c));
    CHECK(holds("!bytes==1 || conn==1 && dnr", v) == (!a || (b && c)));
    CHECK(holds("!!dnr", v) == c);
    CHECK(holds("not not not dnr", v) == !c);
    CHECK(holds("bytes==1 || conn==1 || dnr", v) == (a || b || c));
    CHECK(holds("bytes==1 && conn==1 && dnr", v) == (a && b && c));
    CHECK(holds("(bytes==1 || conn==1) && (conn==1 || dnr) || bytes==0 && !dnr", v) ==
          (((a || b) && (b || c)) || (!a && !c)));
  }
}

TEST_CASE("only what decides is fetched, from left to right") {
  std::vector<std::size_t> asked;
  const auto fetch = [&](std::size_t i) {
    asked.push_back(i);
    return num(1);
  };
  CHECK(parsed("dnr || bytes == 1").matches(fetch));
  CHECK(asked == std::vector<std::size_t>{6});
  asked.clear();
  CHECK_FALSE(parsed("bytes == 2 && dnr").matches(fetch));
  CHECK(asked == std::vector<std::size_t>{1});
  CHECK(parsed("dnr || bytes == 1").uses(1));
  CHECK_FALSE(parsed("dnr || bytes == 1").uses(2));
}

TEST_CASE("the canonical form") {
  CHECK(canonical("cmd==Get_Log and not(bytes>4k or Latency<=1500us)") ==
        "cmd == get-log-page && !(bytes > 4096 || latency <= 1500us)");
  CHECK(canonical("((dnr))") == "dnr");
  CHECK(canonical("!!!dnr") == "!dnr");
  CHECK(canonical("!(!dnr)") == "!(!dnr)");
  CHECK(canonical("dnr == 1 || dnr != true") == "dnr == true || dnr != true");
  CHECK(canonical("(dnr && conn==1) && bytes==2") == "dnr && conn == 1 && bytes == 2");
  CHECK(canonical("(dnr || conn==1) || bytes==2") == "dnr || conn == 1 || bytes == 2");
  CHECK(canonical("dnr || (conn==1 || bytes==2)") == "dnr || (conn == 1 || bytes == 2)");
  CHECK(canonical("(dnr || conn==1) && bytes==2") == "(dnr || conn == 1) && bytes == 2");
  CHECK(canonical("(dnr && conn==1) || bytes==2") == "dnr && conn == 1 || bytes == 2");
  CHECK(canonical("! bytes == 2") == "!(bytes == 2)");
  CHECK(canonical("connection in(1 ,0x2,\n3)") == "conn in (1, 2, 3)");
  CHECK(canonical("host contains 'a\"b'") == R"(host =~ "a\"b")");
  CHECK(canonical("host=='\\x01\\xFf'") == R"(host == "\x01\xff")");
  CHECK(canonical("load<0.5%") == "load < 0.5%");
  CHECK(canonical("cmd==nvm:2 || cmd==nvm:0x90 || cmd==fabrics:1") ==
        "cmd == read || cmd == nvm:0x90 || cmd == connect");
  CHECK(canonical("status==0x182 || status==0x7ff || pdu==4 || pdu==0xee") ==
        "status == connect-invalid-parameters || status == 7/FFh || pdu == capsule-cmd || "
        "pdu == 238");
  CHECK(parsed("dnr") == parsed(" ( dnr ) "));
  CHECK_FALSE(parsed("dnr") == parsed("!dnr"));
}

TEST_CASE("an expression that was never parsed is always true") {
  const expression e;
  CHECK(e.always());
  CHECK(e.text().empty());
  CHECK(e.matches([](std::size_t) { return field_value::absent(); }));
  CHECK_FALSE(parsed("dnr").always());
}

TEST_CASE("where a field is wanted") {
  refused("", 1, fmt::format("the end where a field is wanted{}", all_fields));
  refused("dnr &&", 7, fmt::format("the end where a field is wanted{}", all_fields));
  refused("dnr && || conn==1", 8, fmt::format("'||' where a field is wanted{}", all_fields));
  refused("()", 2, fmt::format("')' where a field is wanted{}", all_fields));
  refused("! ", 3, fmt::format("the end where a field is wanted{}", all_fields));
  refused("\"cmd\" == read", 1, fmt::format("'cmd' where a field is wanted{}", all_fields));
  refused("command == read", 1, fmt::format("'command' is not a field{}", all_fields));
  refused("dnr && latncy > 1ms", 8, "'latncy' is not a field; did you mean latency?");
  refused("byte == 1", 1, "'byte' is not a field; did you mean bytes?");
  refused("4096 == bytes", 1,
          fmt::format("a comparison begins with a field, not with '4096'{}", all_fields));
}

TEST_CASE("where an operator is wanted") {
  refused("cmd", 4, "the end where ==, != or in is wanted after cmd");
  refused("cmd read", 5, "'read' where ==, != or in is wanted after cmd");
  refused("bytes 4K", 7, "'4K' where ==, !=, <, <=, >, >= or in is wanted after bytes");
  refused("host)", 5, "')' where ==, !=, =~ or in is wanted after host");
  refused("cmd < read", 5, "'<' does not go with cmd; ==, != or in does");
  refused("cmd =~ read", 5, "'=~' does not go with cmd; ==, != or in does");
  refused("host >= a", 6, "'>=' does not go with host; ==, !=, =~ or in does");
  refused("bytes contains 4", 7,
          "'contains' does not go with bytes; ==, !=, <, <=, >, >= or in does");
  refused("bytes = 4", 7, "= compares nothing; write ==");
  refused("dnr & dnr", 5, "& means nothing; write &&");
  refused("dnr | dnr", 5, "| means nothing; write ||");
  refused("bytes not in (1)", 7, "'not' where ==, !=, <, <=, >, >= or in is wanted after bytes");
}

TEST_CASE("where a value is wanted") {
  refused("cmd ==", 7, "the end where a name for cmd is wanted (for example read)");
  refused("bytes == (4)", 10, "'(' where a number for bytes is wanted (for example 4K)");
  refused("host == &&", 9, "'&&' where a text for host is wanted (for example \"nqn\")");
  refused("dnr == ", 8, "the end where true or false for dnr is wanted");
  refused("dnr == yes", 8, "dnr: 'yes' is neither true nor false");
  refused("cmd == raed", 8,
          "cmd: 'raed' is not a command; did you mean read? "
          "(for example identify, read or admin:0xc1)");
  refused("cmd == 0x02", 8,
          "cmd: 0x02 could be an admin or an I/O command; say admin:0x02 or nvm:0x02 "
          "(for example identify, read or admin:0xc1)");
  refused("cmd == admin:0x100", 14,
          "cmd: 0x100 is more than 255 (0xff) (for example identify, read or admin:0xc1)");
  refused("bytes == 4X", 11,
          "bytes: 'X' is not a unit of size (for example 4096, 0x1000, 64K, 64M or 1G)");
  refused("bytes == -1", 10,
          "bytes: '-1' is not a number (for example 4096, 0x1000, 64K, 64M or 1G)");
  refused("bytes == 10%", 12,
          "bytes: '%' is not a unit of size (for example 4096, 0x1000, 64K, 64M or 1G)");
  refused("bytes == 5G", 10, "bytes: 5G is more than 4294967295 (0xffffffff) (for example 4K)");
  refused("conn == 65536", 9, "conn: 65536 is more than 65535 (0xffff) (for example 1)");
  refused("bytes == 18446744073709551616", 10,
          "bytes: '18446744073709551616' does not fit in 64 bits (for example 4K)");
  refused("latency > 1", 12, "latency: 1 has no unit: 1ms, 1us or 1s (for example 1ms)");
  refused("latency > 9000h", 11, "latency: 9000h is more than 8784h (for example 1ms)");
  refused("load > 10", 8, "load: 10 is more than 1; did you mean 10%? (for example 10% or 0.1)");
  refused("pdu == r3t", 8,
          "pdu: 'r3t' is neither a pdu-type nor a number; did you mean r2t? "
          "(for example icreq or 0x00)");
  refused("pdu == 0x100", 8, "pdu: 0x100 is more than 255 (0xff) (for example r2t)");
  refused("status == sucess", 11,
          "status: 'sucess' is neither a status-code nor a number; did you mean success? "
          "(for example success or 0x00)");
}

TEST_CASE("lists") {
  refused("cmd in read", 8, "'read' where ( is wanted after in (for example cmd in (read))");
  refused("bytes in (", 11, "the end where a number for bytes is wanted (for example 4K)");
  refused("bytes in ()", 11, "')' where a number for bytes is wanted (for example 4K)");
  refused("bytes in (1,)", 13, "')' where a number for bytes is wanted (for example 4K)");
  refused("bytes in (1 2)", 13, "'2' where a comma or ) is wanted");
  refused("bytes in (1", 10, "this ( is not closed");
}

TEST_CASE("what follows a comparison") {
  refused("dnr dnr", 5, "'dnr' where &&, || or the end is wanted");
  refused("dnr)", 4, "')' where &&, || or the end is wanted");
  refused("conn == 1 2", 11, "'2' where &&, || or the end is wanted");
  refused("(dnr dnr)", 6, "'dnr' where &&, || or ) is wanted");
  refused("dnr && (conn==1", 8, "this ( is not closed");
  refused("dnr;", 4, "';' where &&, || or the end is wanted");
  refused("1ms < latency < 2ms", 1,
          fmt::format("a comparison begins with a field, not with '1ms'{}", all_fields));
  refused("latency > 1ms > 2ms", 15, "'>' where &&, || or the end is wanted");
}

TEST_CASE("characters and quotes that are none") {
  refused("dnr @", 5, "'@' means nothing here; text with such characters stands in quotes");
  refused("host == \xc3\xa4", 9,
          "'\\xc3' means nothing here; text with such characters stands in quotes");
  refused(std::string_view("dnr \0", 5), 5,
          "'\\x00' means nothing here; text with such characters stands in quotes");
  refused("host == \"abc", 9, "the quote \" is not closed");
  refused("host == 'abc\\'", 9, "the quote ' is not closed");
  refused("host == 'a\nb'", 9, "the quote ' is not closed");
  refused(R"(host == "a\n")", 11, R"(a backslash stands before ", ' or another, or begins \xNN)");
  refused(R"(host == "a\x1")", 11, R"(a backslash stands before ", ' or another, or begins \xNN)");
}

TEST_CASE("limits for hostile text") {
  const std::string deep(expression_depth_max, '(');
  CHECK(expression::parse(deep + "dnr" + std::string(expression_depth_max, ')'), fields));
  refused(deep + "(dnr", expression_depth_max + 1, "more than 32 parentheses within each other");
  // A ! needs no stack.
  CHECK(parsed(std::string(4000, '!') + "dnr").text() == "dnr");
  refused("dnr" + std::string(expression_bytes_max, ' '), expression_bytes_max + 1,
          "the condition is longer than 4096 bytes");
  std::string many = "conn in (1";
  while (many.size() < expression_bytes_max - 3) many += ",1";
  CHECK(holds(many + ")", {{"conn", num(1)}}));
}
