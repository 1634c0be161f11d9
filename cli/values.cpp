// SPDX-License-Identifier: BSD-2-Clause
#include "values.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "wire/numbers.hpp"

namespace nvmf::cli {
namespace {

std::unexpected<wire::text_error> wrong(std::size_t at, std::string reason, std::string example) {
  return std::unexpected(wire::text_error{{}, at, std::move(reason), std::move(example)});
}

std::optional<double> milliseconds_of(std::string_view unit, std::chrono::milliseconds plain) {
  if (unit.empty()) return static_cast<double>(plain.count());
  if (unit == "ms") return 1.0;
  if (unit == "s") return 1'000.0;
  if (unit == "m" || unit == "min") return 60'000.0;
  if (unit == "h") return 3'600'000.0;
  return std::nullopt;
}

constexpr double longest_ms = 1e12;  // some thirty years

}  // namespace

std::expected<std::chrono::milliseconds, wire::text_error> parse_duration(
    std::string_view text, std::chrono::milliseconds plain) {
  double value = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value, std::chars_format::fixed);
  const auto scale = milliseconds_of({stop, static_cast<std::size_t>(end - stop)}, plain);
  if (error != std::errc{} || stop == text.data() || !scale || !(value >= 0))
    return wrong(0, fmt::format("{} is not a time", wire::quoted(text)), "10, 1.5s or 500ms");
  if (value * *scale > longest_ms)
    return wrong(0, fmt::format("{} is too long a time", wire::quoted(text)), {});
  return std::chrono::milliseconds{static_cast<std::int64_t>(value * *scale + 0.5)};
}

std::string duration_text(std::chrono::milliseconds time) {
  const std::int64_t ms = time.count();
  return ms % 1000 == 0 ? fmt::format("{} s", ms / 1000) : fmt::format("{} ms", ms);
}

std::expected<std::vector<unsigned>, wire::text_error> parse_list(std::string_view text,
                                                                  unsigned max) {
  std::vector<unsigned> numbers;
  std::size_t at = 0;
  while (true) {
    const std::size_t end = std::min(text.find(',', at), text.size());
    const std::string_view item = text.substr(at, end - at);
    const std::size_t dash = item.find('-');
    const auto first = wire::parse_number(item.substr(0, dash), {}, {.max = max});
    if (!first) return wrong(at, first.error().reason, "0,2 or 0-3");
    auto last = first;
    if (dash != std::string_view::npos)
      last = wire::parse_number(item.substr(dash + 1), {}, {.max = max});
    if (!last) return wrong(at, last.error().reason, "0,2 or 0-3");
    if (*last < *first) return wrong(at, fmt::format("the range {} runs backwards", item), "0-3");
    for (std::uint64_t n = *first; n <= *last; ++n) numbers.push_back(static_cast<unsigned>(n));
    if (end == text.size()) return numbers;
    at = end + 1;
  }
}

}  // namespace nvmf::cli
