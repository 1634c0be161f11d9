// SPDX-License-Identifier: BSD-2-Clause
// Values as text.
#include <fmt/format.h>

#include <algorithm>

#include "render_walk.hpp"
#include "uuid.hpp"

namespace nvmf::wire {

namespace {

// A raw field longer than this is shown by its beginning.
constexpr std::size_t raw_bytes_shown = 32;

std::uint8_t octet(std::byte b) { return std::to_integer<std::uint8_t>(b); }

std::string raw_text(byte_span b) {
  std::string out;
  const std::size_t shown = std::min(b.size(), raw_bytes_shown);
  for (std::size_t i = 0; i < shown; ++i)
    fmt::format_to(std::back_inserter(out), "{}{:02x}", i == 0 ? "" : " ", octet(b[i]));
  if (b.size() > shown) {
    fmt::format_to(std::back_inserter(out), " ... ({} bytes)", b.size());
  }
  return out;
}

// In double quotes; what a terminal would obey is escaped.
std::string quoted_text(byte_span b) {
  std::string out = "\"";
  for (const std::byte x : b) {
    const std::uint8_t c = octet(x);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += static_cast<char>(c);
    } else if (c < 0x20 || c >= 0x7f) {
      fmt::format_to(std::back_inserter(out), "\\x{:02x}", c);
    } else {
      out += static_cast<char>(c);
    }
  }
  return out + '"';
}

// Fixed width, padded at the end with spaces or NULs.
std::string ascii_text(byte_span b) {
  std::size_t length = b.size();
  while (length > 0 && (b[length - 1] == std::byte{' '} || b[length - 1] == std::byte{0})) --length;
  return quoted_text(b.first(length));
}

std::string terminated_text(byte_span b) {
  const auto nul = std::find(b.begin(), b.end(), std::byte{0});
  std::string out = quoted_text(b.first(static_cast<std::size_t>(nul - b.begin())));
  if (nul == b.end()) return out + " (no NUL at the end)";
  if (std::any_of(nul, b.end(), [](std::byte x) { return x != std::byte{0}; })) {
    out += " (bytes after the NUL are not zero)";
  }
  return out;
}

std::string uuid_text(byte_span b) {
  uuid u;
  if (b.size() != u.bytes.size()) return raw_text(b);
  std::copy(b.begin(), b.end(), u.bytes.begin());
  return to_text(u);
}

// Numbers wider than a register: counters and capacities of 16 bytes.
std::string wide_text(byte_span b) {
  if (b.size() != 16) return raw_text(b);
  unsigned __int128 v = load_le(b, 8, 8);
  v = (v << 64) | load_le(b, 0, 8);
  return fmt::format("{}", v);
}

std::string flag_names(const table& t, std::uint64_t value) {
  std::string out;
  for (const row& r : t.rows) {
    if (r.value == 0 || (value & r.value) != r.value) continue;
    if (!out.empty()) out += " | ";
    out += r.name;
    value &= ~std::uint64_t{r.value};
  }
  if (value != 0 && !out.empty()) fmt::format_to(std::back_inserter(out), " | {:#x}", value);
  return out;
}

std::string number_text(const field_view& v) {
  const field& f = *v.row;
  std::string out =
      f.as == kind::number ? fmt::format("{}", v.number) : fmt::format("{:#x}", v.number);
  if (f.values != nullptr && f.values->flags) {
    const std::string names = flag_names(*f.values, v.number);
    return names.empty() ? out : fmt::format("{} ({})", out, names);
  }
  if (const row* r = value_row(v); r != nullptr) return fmt::format("{} ({})", out, r->name);
  // 2^64 of anything does not come in 0's based fields; the sum would wrap.
  if (f.zero_based && v.number != ~std::uint64_t{0}) {
    return fmt::format("{} (0's based: {})", out, v.number + 1);
  }
  return out;
}

}  // namespace

const row* value_row(const field_view& v) {
  if (!v.scalar || v.row == nullptr) return nullptr;
  if (v.row->row_by != nullptr) return v.row->row_by(v.structure);
  if (v.row->values == nullptr || v.row->values->flags || v.number > 0xffffffff) return nullptr;
  return v.row->values->find(static_cast<std::uint32_t>(v.number));
}

std::string value_text(const field_view& v) {
  if (v.scalar) return number_text(v);
  switch (v.row->as) {
    case kind::number:
      return wide_text(v.bytes);
    case kind::ascii:
      return ascii_text(v.bytes);
    case kind::text:
      return terminated_text(v.bytes);
    case kind::uuid:
      return uuid_text(v.bytes);
    case kind::hex:
    case kind::raw:
    case kind::reserved:
    case kind::nested:
      break;
  }
  return raw_text(v.bytes);
}

}  // namespace nvmf::wire
