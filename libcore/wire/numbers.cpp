// SPDX-License-Identifier: BSD-2-Clause
#include "numbers.hpp"

#include <fmt/format.h>

#include <array>
#include <optional>

namespace nvmf::wire {

namespace {

std::optional<unsigned> digit(char c, unsigned base) {
  unsigned v = 99;
  if (c >= '0' && c <= '9') v = static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'f') v = static_cast<unsigned>(c - 'a') + 10;
  if (c >= 'A' && c <= 'F') v = static_cast<unsigned>(c - 'A') + 10;
  return v < base ? std::optional(v) : std::nullopt;
}

bool is_hex(std::string_view text) { return text.starts_with("0x") || text.starts_with("0X"); }

struct digits {
  std::uint64_t value;
  std::size_t end;  // the first byte that is not a digit
};

constexpr std::string_view number_example = "31 or 0x1f";

std::expected<digits, text_error> read_digits(std::string_view text, std::string_view what,
                                              std::string_view example) {
  if (text.empty()) return bad_text(what, 0, "is empty; a number is wanted", example);
  const unsigned base = is_hex(text) ? 16 : 10;
  const std::size_t start = base == 16 ? 2 : 0;
  digits out{0, start};
  for (; out.end < text.size(); ++out.end) {
    const auto d = digit(text[out.end], base);
    if (!d) break;
    if (out.value > (std::numeric_limits<std::uint64_t>::max() - *d) / base)
      return bad_text(what, 0, fmt::format("{} does not fit in 64 bits", quoted(text)));
    out.value = out.value * base + *d;
  }
  if (out.end == start)
    return bad_text(what, start < text.size() ? start : 0,
                    fmt::format("{} is not a number", quoted(text)), example);
  return out;
}

std::expected<std::uint64_t, text_error> in_range(std::uint64_t v, std::string_view text,
                                                  std::string_view what, number_range range) {
  const auto with_hex = [](std::uint64_t n) {
    return n < 10 ? fmt::format("{}", n) : fmt::format("{} (0x{:x})", n, n);
  };
  if (v > range.max)
    return bad_text(what, 0, fmt::format("{} is more than {}", text, with_hex(range.max)));
  if (v < range.min)
    return bad_text(what, 0, fmt::format("{} is less than {}", text, with_hex(range.min)));
  return v;
}

// The power of 1024 that a suffix stands for; nullopt when it is none.
std::optional<unsigned> size_shift(std::string_view suffix) {
  if (suffix.empty()) return 0;
  constexpr std::string_view units = "KMGT";
  const char c = suffix[0] >= 'a' ? static_cast<char>(suffix[0] - 'a' + 'A') : suffix[0];
  const auto unit = units.find(c);
  if (unit == std::string_view::npos) return std::nullopt;
  const auto rest = suffix.substr(1);
  if (!rest.empty() && rest != "B" && rest != "b" && rest != "iB" && rest != "ib")
    return std::nullopt;
  return 10 * (static_cast<unsigned>(unit) + 1);
}

}  // namespace

std::expected<std::uint64_t, text_error> parse_number(std::string_view text, std::string_view what,
                                                      number_range range) {
  const auto d = read_digits(text, what, number_example);
  if (!d) return std::unexpected(d.error());
  if (d->end != text.size())
    return bad_text(what, d->end, fmt::format("{} is not a number", quoted(text)), number_example);
  return in_range(d->value, text, what, range);
}

std::expected<std::uint64_t, text_error> parse_size(std::string_view text, std::string_view what,
                                                    number_range range) {
  constexpr std::string_view example = "4096, 0x1000, 64K, 64M or 1G";
  const auto d = read_digits(text, what, example);
  if (!d) return std::unexpected(d.error());
  const auto shift = size_shift(text.substr(d->end));
  if (!shift)
    return bad_text(what, d->end,
                    fmt::format("{} is not a unit of size", quoted(text.substr(d->end))), example);
  if (d->value > std::numeric_limits<std::uint64_t>::max() >> *shift)
    return bad_text(what, 0, fmt::format("{} does not fit in 64 bits", quoted(text)));
  return in_range(d->value << *shift, text, what, range);
}

std::string size_text(std::uint64_t bytes) {
  constexpr std::array<std::string_view, 4> units{"KiB", "MiB", "GiB", "TiB"};
  for (std::size_t i = units.size(); i > 0; --i) {
    const std::uint64_t unit = std::uint64_t{1} << (10 * i);
    if (bytes >= unit && bytes % unit == 0) return fmt::format("{} {}", bytes / unit, units[i - 1]);
  }
  return bytes == 1 ? "1 byte" : fmt::format("{} bytes", bytes);
}

std::expected<std::vector<std::byte>, text_error> parse_hex(std::string_view text,
                                                            std::string_view what,
                                                            std::size_t max_bytes) {
  std::vector<std::byte> out;
  std::optional<unsigned> high;
  std::size_t high_at = 0;
  for (std::size_t i = is_hex(text) ? 2 : 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool blank = c == ' ' || c == '\t' || c == '\n' || c == '\r';
    if (blank && !high) continue;
    const auto d = digit(c, 16);
    if (!d && !blank)
      return bad_text(what, i,
                      fmt::format("{} is not a hexadecimal digit", quoted(text.substr(i, 1))),
                      "0a1b2c3d");
    if (!d) return bad_text(what, high_at, "a byte has only one digit", "0a1b2c3d");
    if (!high) {
      high = d;
      high_at = i;
      continue;
    }
    if (out.size() == max_bytes)
      return bad_text(what, high_at, fmt::format("is longer than {} bytes", max_bytes));
    out.push_back(static_cast<std::byte>((*high << 4) | *d));
    high.reset();
  }
  if (high) return bad_text(what, high_at, "has an odd number of digits", "0a1b2c3d");
  return out;
}

}  // namespace nvmf::wire
