// SPDX-License-Identifier: BSD-2-Clause
#include "uuid.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "numbers.hpp"

namespace nvmf::wire {

namespace {

constexpr std::string_view uuid_example = "01234567-89ab-cdef-0123-456789abcdef";
constexpr std::size_t compact_length = 32;

bool is_dash_position(std::size_t i) { return i == 8 || i == 13 || i == 18 || i == 23; }

std::unexpected<text_error> bad_uuid(std::string_view part, std::size_t position,
                                     std::string reason) {
  return bad_text(part, position, std::move(reason), uuid_example);
}

}  // namespace

std::expected<uuid, text_error> parse_uuid(std::string_view text) {
  if (text.size() != uuid_text_length)
    return bad_uuid("UUID", std::min(text.size(), uuid_text_length),
                    fmt::format("has {} characters, not {}", text.size(), uuid_text_length));
  std::string digits;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (!is_dash_position(i)) {
      const bool hex = std::string_view("0123456789abcdefABCDEF").find(text[i]) != text.npos;
      if (!hex)
        return bad_uuid("UUID", i,
                        fmt::format("{} is not a hexadecimal digit", quoted(text.substr(i, 1))));
      digits += text[i];
    } else if (text[i] != '-') {
      return bad_uuid("UUID", i,
                      fmt::format("{} stands where a dash belongs", quoted(text.substr(i, 1))));
    }
  }
  uuid u;
  const auto bytes = parse_hex(digits, "UUID", u.bytes.size());
  if (!bytes) return std::unexpected(bytes.error());
  std::ranges::copy(*bytes, u.bytes.begin());
  return u;
}

std::expected<uuid, text_error> parse_host_id(std::string_view text) {
  std::string dashed(text);
  if (text.size() == compact_length && text.find('-') == text.npos) {
    dashed.clear();
    for (char c : text) {
      if (is_dash_position(dashed.size())) dashed += '-';
      dashed += c;
    }
  }
  auto u = parse_uuid(dashed);
  if (!u) {
    text_error e = u.error();
    e.part = "host id";
    // Back from the dashed form to what was typed.
    if (dashed.size() != text.size())
      e.position -= static_cast<std::size_t>(std::count(
          dashed.begin(), std::next(dashed.begin(), static_cast<std::ptrdiff_t>(e.position)), '-'));
    return std::unexpected(e);
  }
  if (u->is_zero()) return bad_uuid("host id", 0, "is zero, which stands for no host identifier");
  return u;
}

std::string to_text(const uuid& u) {
  std::string out;
  for (std::byte b : u.bytes) {
    if (is_dash_position(out.size())) out += '-';
    out += fmt::format("{:02x}", std::to_integer<unsigned>(b));
  }
  return out;
}

uuid make_uuid_v4(std::array<std::byte, 16> random) {
  uuid u{random};
  u.bytes[6] = (u.bytes[6] & std::byte{0x0f}) | std::byte{0x40};
  u.bytes[8] = (u.bytes[8] & std::byte{0x3f}) | std::byte{0x80};
  return u;
}

}  // namespace nvmf::wire
