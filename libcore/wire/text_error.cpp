// SPDX-License-Identifier: BSD-2-Clause
#include "text_error.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace nvmf::wire {

namespace {

constexpr std::size_t quoted_max_bytes = 60;
constexpr std::size_t caret_before_bytes = 60;
constexpr std::size_t caret_width_bytes = 90;

bool printable(char c) { return c >= ' ' && c <= '~'; }

}  // namespace

std::unexpected<text_error> bad_text(std::string_view part, std::size_t position,
                                     std::string reason, std::string_view example) {
  return std::unexpected(
      text_error{std::string(part), position, std::move(reason), std::string(example)});
}

std::string to_text(const text_error& e) {
  std::string out = e.part.empty() ? e.reason : fmt::format("{}: {}", e.part, e.reason);
  if (!e.example.empty()) out += fmt::format(" (for example {})", e.example);
  return out;
}

std::string caret_text(std::string_view text, const text_error& e) {
  const std::size_t position = std::min(e.position, text.size());
  const std::size_t first = position > caret_before_bytes ? position - caret_before_bytes : 0;
  const bool cut_after = text.size() - first > caret_width_bytes;
  std::string line(first > 0 ? "..." : "");
  const std::size_t lead = line.size();
  for (char c : text.substr(first, caret_width_bytes)) line += printable(c) ? c : '.';
  if (cut_after) line += "...";
  return line + '\n' + std::string(lead + position - first, ' ') + '^';
}

text_place place_in(std::string_view text, std::size_t position) {
  position = std::min(position, text.size());
  const std::string_view before = text.substr(0, position);
  const auto newline = before.rfind('\n');
  const std::size_t first = newline == std::string_view::npos ? 0 : newline + 1;
  const std::size_t end = std::min(text.find('\n', position), text.size());
  return {.line = 1 + static_cast<std::size_t>(std::ranges::count(before, '\n')),
          .column = position - first + 1,
          .text = text.substr(first, end - first)};
}

std::string quoted(std::string_view text) {
  std::string out = "'";
  for (char c : text.substr(0, quoted_max_bytes)) {
    if (printable(c))
      out += c;
    else
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
  }
  out += text.size() > quoted_max_bytes ? "...'" : "'";
  return out;
}

}  // namespace nvmf::wire
