// SPDX-License-Identifier: BSD-2-Clause
#include "tracing/line_buffer.hpp"

#include <doctest/doctest.h>

#include <array>
#include <charconv>
#include <limits>

using namespace nvmf::cli;

namespace {

// What the standard library makes of it.
std::string printed(std::uint64_t value, int base = 10) {
  std::array<char, 32> text{};
  return {text.data(), std::to_chars(text.data(), text.data() + text.size(), value, base).ptr};
}

std::string number(std::uint64_t value) {
  line_buffer b;
  b.number(value);
  return std::string{b.view()};
}

}  // namespace

TEST_CASE("numbers around every power of ten and of two") {
  for (std::uint64_t power = 1;; power *= 10) {
    for (const std::uint64_t n : {power - 1, power, power + 1}) CHECK(number(n) == printed(n));
    if (power > std::numeric_limits<std::uint64_t>::max() / 10) break;
  }
  for (unsigned bit = 0; bit < 64; ++bit) {
    const std::uint64_t power = std::uint64_t{1} << bit;
    for (const std::uint64_t n : {power - 1, power, power + 1}) {
      CHECK(number(n) == printed(n));
      line_buffer b;
      b.hex(n);
      CHECK(b.view() == "0x" + printed(n, 16));
    }
  }
  CHECK(number(std::numeric_limits<std::uint64_t>::max()) == "18446744073709551615");
}

TEST_CASE("numbers with a sign, and with zeros in front") {
  line_buffer b;
  b.signed_number(-1);
  b.push_back(' ');
  b.signed_number(std::numeric_limits<std::int64_t>::min());
  b.push_back(' ');
  b.signed_number(17);
  CHECK(b.view() == "-1 -9223372036854775808 17");
  b.clear();
  b.digits<1>(7);
  b.digits<2>(7);
  b.digits<6>(123'456);
  b.digits<3>(98);
  b.digits<3>(12'345);  // the lowest
  CHECK(b.view() == "707123456098345");
}

TEST_CASE("texts of any size, one behind the other, however much that is") {
  line_buffer b;
  std::string all;
  for (std::size_t size = 0; size < 200; ++size) {
    const std::string text(size, static_cast<char>('a' + size % 26));
    const kept_text kept{text};
    b.append(kept);
    b.literal("|");
    b.append(std::string_view{text});
    b.number(size);
    b.push_back('\n');
    all += text + "|" + text + std::to_string(size) + "\n";
    CHECK(kept.view() == text);
  }
  CHECK(b.view() == all);
  b.cut(2);
  CHECK(b.view() == "|0");
  b.clear();
  CHECK(b.size() == 0);
  b.append(std::string_view{all});
  CHECK(b.view() == all);
}
