// SPDX-License-Identifier: BSD-2-Clause
#include "wire/numbers.hpp"

#include <doctest/doctest.h>

using namespace nvmf::wire;

TEST_CASE("numbers are decimal or hexadecimal, never octal") {
  CHECK(parse_number("0", "n") == 0u);
  CHECK(parse_number("31", "n") == 31u);
  CHECK(parse_number("010", "n") == 10u);
  CHECK(parse_number("0x1F", "n") == 31u);
  CHECK(parse_number("0Xff", "n") == 255u);
  CHECK(parse_number("18446744073709551615", "n") == ~std::uint64_t{0});
  CHECK(parse_number("0xffffffffffffffff", "n") == ~std::uint64_t{0});
}

TEST_CASE("what is no number is refused with its name and place") {
  for (std::string_view bad :
       {"", "-1", "+1", " 1", "1 ", "0x", "x", "1.5", "1_000", "0x1g", "١"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_number(bad, "slba"));
  }
  const auto e = parse_number("12z4", "slba").error();
  CHECK(e.part == "slba");
  CHECK(e.position == 2);
  CHECK(to_text(e) == "slba: '12z4' is not a number (for example 31 or 0x1f)");
  CHECK_FALSE(parse_number("18446744073709551616", "n"));
  CHECK_FALSE(parse_number("0x10000000000000000", "n"));
  CHECK_FALSE(parse_number(std::string(100000, '9'), "n"));
}

TEST_CASE("a range error says the name, the value and the limit") {
  CHECK(to_text(parse_number("70000", "port", {.min = 1, .max = 65535}).error()) ==
        "port: 70000 is more than 65535 (0xffff)");
  CHECK(to_text(parse_number("0", "port", {.min = 1, .max = 65535}).error()) ==
        "port: 0 is less than 1");
  CHECK(parse_number("65535", "port", {.min = 1, .max = 65535}) == 65535u);
}

TEST_CASE("sizes take binary units") {
  CHECK(parse_size("513", "s") == 513u);
  CHECK(parse_size("64M", "s") == 64u << 20);
  CHECK(parse_size("4k", "s") == 4096u);
  CHECK(parse_size("4KiB", "s") == 4096u);
  CHECK(parse_size("4kb", "s") == 4096u);
  CHECK(parse_size("0x10K", "s") == 16384u);
  CHECK(parse_size("2T", "s") == std::uint64_t{2} << 40);
  CHECK(parse_size("16777215T", "s") == std::uint64_t{16777215} << 40);
  for (std::string_view bad : {"", "K", "4KK", "4P", "4 K", "1.5G", "-1K", "4Ki", "16777216T"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_size(bad, "s"));
  }
  CHECK(to_text(parse_size("1G", "size", {.max = 1 << 20}).error()) ==
        "size: 1G is more than 1048576 (0x100000)");
  CHECK(parse_size("12Q", "size").error().position == 2);
}

TEST_CASE("a size is shown exactly") {
  CHECK(size_text(0) == "0 bytes");
  CHECK(size_text(1) == "1 byte");
  CHECK(size_text(513) == "513 bytes");
  CHECK(size_text(4096) == "4 KiB");
  CHECK(size_text(64u << 20) == "64 MiB");
  CHECK(size_text((1u << 20) + 1024) == "1025 KiB");
}

TEST_CASE("hexadecimal bytes") {
  const auto two = parse_hex("0A ff", "sqe", 64);
  REQUIRE(two);
  CHECK(*two == std::vector<std::byte>{std::byte{0x0a}, std::byte{0xff}});
  CHECK(parse_hex("0x0aff\n", "sqe", 2) == two);
  CHECK(parse_hex("", "sqe", 64)->empty());
  CHECK(to_text(parse_hex("abc", "sqe", 64).error()) ==
        "sqe: has an odd number of digits (for example 0a1b2c3d)");
  CHECK(parse_hex("ab c d", "sqe", 64).error().position == 3);
  CHECK(parse_hex("abxd", "sqe", 64).error().position == 2);
  CHECK(to_text(parse_hex("aabbcc", "sqe", 2).error()) == "sqe: is longer than 2 bytes");
}

TEST_CASE("a caret stands under the bad byte, and nothing reaches the terminal raw") {
  CHECK(caret_text("12z4", {"n", 2, "", ""}) == "12z4\n  ^");
  CHECK(caret_text("a\x1b[31m", {"n", 1, "", ""}) == "a.[31m\n ^");
  CHECK(caret_text("", {"n", 9, "", ""}) == "\n^");
  const std::string cut = caret_text(std::string(1000, 'a'), {"n", 500, "", ""});
  CHECK(cut == "..." + std::string(90, 'a') + "...\n" + std::string(63, ' ') + "^");
  CHECK(quoted("a\x1b'") == "'a\\x1b''");
  CHECK(quoted(std::string(61, 'x')) == "'" + std::string(60, 'x') + "...'");
}
