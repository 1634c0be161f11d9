// SPDX-License-Identifier: BSD-2-Clause
#include "value.hpp"

#include <fmt/format.h>

#include "../names.hpp"
#include "../numbers.hpp"
#include "../quantities.hpp"

namespace nvmf::wire {

namespace {

std::expected<std::uint64_t, text_error> truth(std::string_view typed) {
  if (typed == "true" || typed == "1") return 1;
  if (typed == "false" || typed == "0") return 0;
  return std::unexpected(
      text_error{{}, 0, fmt::format("{} is neither true nor false", quoted(typed)), ""});
}

std::expected<std::uint64_t, text_error> number(const expression_field& f, std::string_view typed) {
  if (f.symbols != nullptr) {
    if (const row* r = find_name(*f.symbols, typed)) return r->value;
    // Words are near misses of names; what begins with a digit is a number.
    if (typed.empty() || typed[0] < '0' || typed[0] > '9')
      return parse_value(*f.symbols, typed, f.name, f.max);
  }
  // The specification's way of writing hexadecimal: 0Bh.
  const bool spec_hex = typed.size() > 1 && (typed.back() == 'h' || typed.back() == 'H') &&
                        !typed.starts_with("0x") && !typed.starts_with("0X");
  if (spec_hex)
    if (const auto n = parse_number(fmt::format("0x{}", typed.substr(0, typed.size() - 1)), f.name,
                                    {.max = f.max}))
      return n;
  return parse_size(typed, f.name, {.max = f.max});
}

std::expected<std::uint64_t, text_error> parse_any(const expression_field& f,
                                                   std::string_view typed) {
  if (f.lookup != nullptr) {
    auto named = f.lookup(typed);
    if (named && *named > f.max)
      return std::unexpected(text_error{
          {}, 0, fmt::format("{} ({}) is more than {}", quoted(typed), *named, f.max), ""});
    return named;
  }
  switch (f.kind) {
    case value_kind::duration: {
      const auto time = parse_time(typed, f.name);
      if (!time) return std::unexpected(time.error());
      return static_cast<std::uint64_t>(time->count());
    }
    case value_kind::part: {
      const auto ppb = parse_part(typed, f.name);
      if (!ppb) return std::unexpected(ppb.error());
      return *ppb;
    }
    case value_kind::flag:
      return truth(typed);
    default:
      return number(f, typed);
  }
}

}  // namespace

std::expected<std::uint64_t, text_error> read_value(const expression_field& f, const token& t) {
  const auto typed = text_of(t);
  if (!typed) return std::unexpected(typed.error());
  auto value = parse_any(f, *typed);
  if (value) return value;
  text_error e = std::move(value.error());
  // Escapes move the bytes behind them: then the token's start is as near as it gets.
  const bool as_typed = t.kind == token_kind::word && e.position <= t.text.size();
  e.position = t.position + (as_typed ? e.position : 0);
  e.part = column_text(e.position);
  e.reason = fmt::format("{}: {}", f.name, e.reason);
  if (e.example.empty()) e.example = std::string(f.example);
  return std::unexpected(std::move(e));
}

std::string spell_value(const expression_field& f, std::uint64_t value) {
  if (f.spell != nullptr) return f.spell(value);
  if (f.symbols != nullptr && value <= 0xffff'ffffu)
    if (const row* r = f.symbols->find(static_cast<std::uint32_t>(value)))
      return std::string(r->name);
  switch (f.kind) {
    case value_kind::duration:
      return time_text(std::chrono::nanoseconds(static_cast<std::int64_t>(value)));
    case value_kind::part:
      return part_text(static_cast<std::uint32_t>(value));
    case value_kind::flag:
      return value != 0 ? "true" : "false";
    default:
      return fmt::format("{}", value);
  }
}

}  // namespace nvmf::wire
