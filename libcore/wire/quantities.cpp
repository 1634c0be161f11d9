// SPDX-License-Identifier: BSD-2-Clause
#include "quantities.hpp"

#include <fmt/format.h>

#include <array>
#include <cstddef>

#include "numbers.hpp"

namespace nvmf::wire {

namespace {

using std::chrono::nanoseconds;

constexpr std::string_view time_example = "50ms, 1.5s or 2m";
constexpr std::string_view part_example = "10% or 0.1";

struct time_unit {
  std::string_view name;
  std::uint64_t ns;
};
constexpr std::array time_units{
    time_unit{"ns", 1},
    time_unit{"us", 1'000},
    time_unit{"ms", 1'000'000},
    time_unit{"s", 1'000'000'000},
    time_unit{"m", 60'000'000'000},
    time_unit{"h", 3'600'000'000'000},
};

// Digits, a point, digits. Nothing is lost: too many of either are an error.
struct decimal {
  std::uint64_t whole = 0;
  std::uint64_t fraction = 0;  // of `scale`
  std::uint64_t scale = 1;     // a power of ten
  std::size_t end = 0;         // the first byte after it
};

constexpr std::uint64_t whole_max = 1'000'000'000'000'000'000;

std::expected<decimal, text_error> read_decimal(std::string_view text, std::string_view what,
                                                std::size_t decimals, std::string_view wanted,
                                                std::string_view example) {
  decimal d;
  for (; d.end < text.size() && is_digit(text[d.end]); ++d.end) {
    if (d.whole >= whole_max / 10)
      return bad_text(what, 0, fmt::format("{} is too large", quoted(text)), example);
    d.whole = d.whole * 10 + static_cast<std::uint64_t>(text[d.end] - '0');
  }
  bool any = d.end > 0;
  if (d.end < text.size() && text[d.end] == '.') {
    const std::size_t first = ++d.end;
    for (; d.end < text.size() && is_digit(text[d.end]); ++d.end) {
      if (d.end - first == decimals)
        return bad_text(what, d.end,
                        fmt::format("{} has more than {} decimals", quoted(text), decimals),
                        example);
      d.fraction = d.fraction * 10 + static_cast<std::uint64_t>(text[d.end] - '0');
      d.scale *= 10;
    }
    any = any && d.end > first;
  }
  if (!any) return bad_text(what, 0, fmt::format("{} is not {}", quoted(text), wanted), example);
  return d;
}

std::string decimals_text(std::uint64_t whole, std::uint64_t fraction, unsigned digits) {
  std::string out = fmt::format("{}", whole);
  if (fraction == 0) return out;
  out += fmt::format(".{:0{}}", fraction, digits);
  while (out.back() == '0') out.pop_back();
  return out;
}

}  // namespace

std::expected<nanoseconds, text_error> parse_time(std::string_view text, std::string_view what,
                                                  time_range range) {
  constexpr std::size_t decimals = 6;  // so that the product with an hour fits in 64 bits
  const auto d = read_decimal(text, what, decimals, "a time", time_example);
  if (!d) return std::unexpected(d.error());
  const std::string_view name = text.substr(d->end);
  std::uint64_t unit = 0;
  for (const time_unit& u : time_units)
    if (u.name == name) unit = u.ns;
  if (name.empty())
    return bad_text(what, text.size(), fmt::format("{0} has no unit: {0}ms, {0}us or {0}s", text),
                    {});
  if (unit == 0)
    return bad_text(
        what, d->end,
        fmt::format("{} is not a unit of time: ns, us, ms, s, m and h are", quoted(name)),
        time_example);
  const auto too_long = [&] {
    return bad_text(what, 0, fmt::format("{} is more than {}", text, time_text(range.max)));
  };
  if (d->whole > static_cast<std::uint64_t>(longest_time.count()) / unit) return too_long();
  const std::uint64_t part = d->fraction * unit;
  if (part % d->scale != 0)
    return bad_text(what, 0, fmt::format("{} is not whole nanoseconds", quoted(text)),
                    time_example);
  const nanoseconds time{static_cast<std::int64_t>(d->whole * unit + part / d->scale)};
  if (time > range.max) return too_long();
  if (time < range.min)
    return bad_text(what, 0, fmt::format("{} is less than {}", text, time_text(range.min)));
  return time;
}

std::string time_text(nanoseconds time) {
  const auto ns = static_cast<std::uint64_t>(time.count());
  if (ns == 0) return "0s";
  std::size_t i = time_units.size() - 1;
  while (ns % time_units[i].ns != 0) --i;
  return fmt::format("{}{}", ns / time_units[i].ns, time_units[i].name);
}

std::expected<std::uint32_t, text_error> parse_part(std::string_view text, std::string_view what) {
  const bool percent = text.ends_with('%');
  const std::string_view digits = percent ? text.substr(0, text.size() - 1) : text;
  auto d = read_decimal(digits, what, percent ? 7 : 9, "a part of 1", part_example);
  if (!d) {
    if (d.error().reason.ends_with("is not a part of 1"))
      d.error().reason = fmt::format("{} is not a part of 1", quoted(text));
    return std::unexpected(d.error());
  }
  if (d->end != digits.size())
    return bad_text(what, d->end, fmt::format("{} is not a part of 1", quoted(text)), part_example);
  const std::uint64_t one = percent ? whole_ppb / 100 : whole_ppb;
  const std::uint64_t most = percent ? 100 : 1;
  if (d->whole > most || (d->whole == most && d->fraction > 0))
    return bad_text(what, 0,
                    percent ? fmt::format("{} is more than 100%", text)
                            : fmt::format("{0} is more than 1; did you mean {0}%?", text),
                    part_example);
  return static_cast<std::uint32_t>(d->whole * one + d->fraction * (one / d->scale));
}

std::string part_text(std::uint32_t ppb) {
  constexpr std::uint32_t percent = whole_ppb / 100;
  return decimals_text(ppb / percent, ppb % percent, 7) + "%";
}

}  // namespace nvmf::wire
