// SPDX-License-Identifier: BSD-2-Clause
#include "timing_parse.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>

#include "wire/expression/lexer.hpp"
#include "wire/numbers.hpp"
#include "wire/quantities.hpp"

namespace nvmf::engine {

namespace {

using wire::text_error;
using wire::token;
using wire::token_kind;
using done = std::expected<void, text_error>;

constexpr std::array names_of_triggers{
#define X(id, ...) std::string_view(#id),
#include "triggers.def"
#undef X
};

// A time is a number with a unit, and a number is none.
bool has_unit(std::string_view typed) {
  return !typed.empty() && !typed.starts_with("0x") && !typed.starts_with("0X") &&
         (typed.back() == 's' || typed.back() == 'm' || typed.back() == 'h');
}

done set_number(std::uint64_t& into, const token& value) {
  const auto n = wire::parse_size(value.text, {}, {.min = 1});
  if (!n) return wire::placed_in(value, n.error());
  into = *n;
  return {};
}

}  // namespace

bool timing_terms::claims(std::string_view word) const {
  return std::ranges::find(names_of_triggers, word) != names_of_triggers.end();
}

std::span<const std::string_view> timing_terms::names() const { return names_of_triggers; }

done timing_terms::set_time(duration& into, const token& value) {
  const auto time = wire::parse_time(value.text, {}, {.min = std::chrono::nanoseconds(1)});
  if (!time) return wire::placed_in(value, time.error());
  into = *time;
  if (into_.until && *into_.until <= into_.from)
    return wire::wrong_at(value.position,
                          fmt::format("before {} is over when after {} begins",
                                      wire::time_text(*into_.until), wire::time_text(into_.from)));
  return {};
}

done timing_terms::set(std::string_view name, const token& value) {
  if (name == "every") return set_number(into_.every, value);
  if (name == "count") return set_number(into_.count.emplace(), value);
  if (name == "before") return set_time(into_.until.emplace(), value);
  if (name == "after")
    return has_unit(value.text) ? set_time(into_.from, value) : set_number(into_.after, value);
  const auto ppb = wire::parse_part(value.text, {});
  if (!ppb) return wire::placed_in(value, ppb.error());
  if (*ppb == 0)
    return wire::wrong_at(value.position, "with a probability of 0 it could never fire");
  into_.probability_ppb = *ppb;
  return {};
}

done timing_terms::read(wire::lexer& from) {
  const token name = from.take();
  const token value = from.peek();
  const auto info = std::ranges::find(fault_triggers(), name.text, &fault_trigger_info::name);
  const bool time = value.kind == token_kind::word && has_unit(value.text);
  if (value.kind != token_kind::word)
    return std::unexpected(misplaced(value, info->argument, {}, name.text));
  const bool again = name.text == "every"    ? every_
                     : name.text == "count"  ? into_.count.has_value()
                     : name.text == "before" ? into_.until.has_value()
                     : name.text == "after"  ? (time ? into_.from > duration{} : into_.after > 0)
                                             : probability_;
  if (again)
    return wire::wrong_at(name.position, fmt::format("{} is said twice", wire::quoted(name.text)));
  auto result = set(name.text, value);
  if (!result) return result;
  from.take();
  every_ = every_ || name.text == "every";
  probability_ = probability_ || name.text == "probability";
  return result;
}

}  // namespace nvmf::engine
