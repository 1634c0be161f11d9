// SPDX-License-Identifier: BSD-2-Clause
#include "line_buffer.hpp"

#include <array>
#include <bit>

namespace nvmf::cli {

namespace {

constexpr auto powers = [] {
  std::array<std::uint64_t, 20> out{};
  std::uint64_t power = 1;
  for (std::uint64_t& p : out) {
    p = power;
    power *= 10;
  }
  return out;
}();

// 1233 / 4096 is a little more than the logarithm of 2: one too many at most.
std::size_t digits_of(std::uint64_t value) {
  const auto about = static_cast<std::size_t>(std::bit_width(value | 1)) * 1233 >> 12;
  return about + (value >= powers[about] ? 1 : 0);
}

}  // namespace

void line_buffer::grow(std::size_t size) {
  const std::size_t used = this->size();
  bytes_.resize(2 * (used + size) + slack);
  at_ = bytes_.data() + used;
  end_ = bytes_.data() + bytes_.size() - slack;
}

char* line_buffer::put_long_number(char* to, std::uint64_t value) {
  char* const behind = to + digits_of(value);
  char* at = behind;
  for (; value >= 100; value /= 100) std::memcpy(at -= 2, &pairs[2 * (value % 100)], 2);
  if (value >= 10)
    std::memcpy(at - 2, &pairs[2 * value], 2);
  else
    at[-1] = static_cast<char>('0' + value);
  return behind;
}

void line_buffer::hex(std::uint64_t value) {
  constexpr std::string_view names = "0123456789abcdef";
  const auto count = (static_cast<unsigned>(std::bit_width(value | 1)) + 3) / 4;
  char* to = room(2 + count);
  *to++ = '0';
  *to++ = 'x';
  for (unsigned left = count; left > 0; --left) *to++ = names[value >> (4 * (left - 1)) & 15];
  at_ = to;
}

}  // namespace nvmf::cli
