// SPDX-License-Identifier: BSD-2-Clause
#include "render/json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <cmath>
#include <optional>

namespace nvmf::cli {
namespace {

namespace json = boost::json;

constexpr std::size_t short_line = 80;

bool is_plain(const json::value& v) {
  if (v.is_object()) return v.get_object().empty();
  return !v.is_array() || v.get_array().empty();
}

// Containers of plain values; those stand on one line when they are short.
bool is_flat(const json::value& v) {
  if (v.is_array()) return std::ranges::all_of(v.get_array(), is_plain);
  return std::ranges::all_of(v.get_object(), [](const auto& m) { return is_plain(m.value()); });
}

// Boost.JSON writes 1.5 as 1.5E0, which is right and hard to read.
void print_plain(std::string& out, const json::value& v) {
  if (!v.is_double())
    out += json::serialize(v);
  else if (std::isfinite(v.get_double()))
    out += fmt::format("{}", v.get_double());
  else
    out += "null";
}

// `indent`: spaces before the line of the closing bracket; without it all goes on one line.
void print(std::string& out, const json::value& v, std::optional<std::size_t> indent);

void print_members(std::string& out, const json::value& v, std::optional<std::size_t> indent) {
  const std::size_t size = v.is_array() ? v.get_array().size() : v.get_object().size();
  const auto inner = indent ? std::optional{*indent + 2} : std::nullopt;
  const auto separate = [&](std::size_t i) {
    out += i == 0 ? "" : indent ? "," : ", ";
    if (inner) out.append("\n").append(*inner, ' ');
  };
  for (std::size_t i = 0; i < size; ++i) {
    separate(i);
    if (v.is_array()) {
      print(out, v.get_array()[i], inner);
    } else {
      const auto& member = *(v.get_object().begin() + static_cast<std::ptrdiff_t>(i));
      out.append(json::serialize(member.key())).append(": ");
      print(out, member.value(), inner);
    }
  }
  if (indent) out.append("\n").append(*indent, ' ');
}

void print(std::string& out, const json::value& v, std::optional<std::size_t> indent) {
  if (is_plain(v)) return print_plain(out, v);
  if (indent && *indent > 0 && is_flat(v)) {
    std::string line;
    print(line, v, std::nullopt);
    if (line.size() <= short_line) {
      out += line;
      return;
    }
  }
  out += v.is_array() ? '[' : '{';
  print_members(out, v, indent);
  out += v.is_array() ? ']' : '}';
}

// Bytes of the UTF-8 sequence at the front of `s`; 0 when there is no valid one.
std::size_t sequence_length(std::string_view s) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(s[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return 1;
  const std::size_t size = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || s.size() < size) return 0;
  for (std::size_t i = 1; i < size; ++i)
    if ((byte(i) & 0xc0) != 0x80) return 0;
  // Overlong forms, surrogates, beyond U+10FFFF.
  if ((lead == 0xe0 && byte(1) < 0xa0) || (lead == 0xed && byte(1) >= 0xa0) ||
      (lead == 0xf0 && byte(1) < 0x90) || (lead == 0xf4 && byte(1) >= 0x90))
    return 0;
  return size;
}

}  // namespace

std::string pretty_json(const boost::json::value& v) {
  std::string out;
  print(out, v, 0);
  return out += '\n';
}

std::string json_line(const boost::json::value& v) {
  std::string out;
  print(out, v, std::nullopt);
  return out += '\n';
}

std::string hex_text(std::span<const std::byte> bytes) {
  static constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const std::byte b : bytes) {
    out += digits[std::to_integer<std::size_t>(b >> 4)];
    out += digits[std::to_integer<std::size_t>(b & std::byte{15})];
  }
  return out;
}

boost::json::string json_text(std::string_view bytes) {
  json::string out;
  out.reserve(bytes.size());
  while (!bytes.empty()) {
    const std::size_t size = sequence_length(bytes);
    if (size == 0)
      out.push_back('?');
    else
      out.append(json::string_view{bytes.data(), size});
    bytes.remove_prefix(std::max<std::size_t>(size, 1));
  }
  return out;
}

}  // namespace nvmf::cli
