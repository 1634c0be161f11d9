// SPDX-License-Identifier: BSD-2-Clause
#include "render/style.hpp"

namespace nvmf::cli {
namespace {

std::string_view escape(tone t) {
  switch (t) {
    case tone::plain:
      return {};
    case tone::strong:
      return "\x1b[1m";
    case tone::faint:
      return "\x1b[2m";
    case tone::good:
      return "\x1b[32m";
    case tone::bad:
      return "\x1b[31m";
    case tone::warning:
      return "\x1b[33m";
    case tone::name:
      return "\x1b[36m";
  }
  return {};
}

}  // namespace

std::string style::operator()(tone t, std::string_view text) const {
  const std::string_view begin = escape(t);
  if (!colours_ || begin.empty() || text.empty()) return std::string{text};
  return std::string{begin}.append(text).append("\x1b[0m");
}

}  // namespace nvmf::cli
