// SPDX-License-Identifier: BSD-2-Clause
#include "action_parse.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "wire/expression/lexer.hpp"
#include "wire/names.hpp"
#include "wire/numbers.hpp"
#include "wire/quantities.hpp"
#include "wire/tables.hpp"

namespace nvmf::engine {

namespace {

using wire::lexer;
using wire::quoted;
using wire::text_error;
using wire::token;
using wire::token_kind;
using done = std::expected<void, text_error>;

constexpr std::uint64_t length_max = 0x7fff'ffff;

std::vector<std::string_view> names_for(const fault_plan_options& options) {
  std::vector<std::string_view> names;
  for (const fault_action_info& a : fault_actions())
    if ((!options.role || a.can(*options.role)) &&
        (options.pdus || a.needs == fault_needs::nothing))
      names.push_back(a.name);
  return names;
}

bool begins_condition(std::string_view word) {
  for (const wire::expression_field& f : fault_fields())
    if (f.name == word || std::ranges::find(f.also, word) != f.also.end()) return true;
  return std::ranges::find(fault_triggers(), word, &fault_trigger_info::name) !=
         fault_triggers().end();
}

std::unexpected<text_error> unknown(const token& t, const fault_plan_options& options) {
  if (t.text == "when")
    return wire::wrong_at(
        t.position, "'when' begins a rule; a semicolon or the end of a line stands before it");
  if (begins_condition(t.text))
    return wire::wrong_at(
        t.position,
        fmt::format("{} is not an action; a condition begins with when", quoted(t.text)),
        "when cmd == read: delay 50ms");
  const auto names = names_for(options);
  std::string near = wire::did_you_mean(t.text, names);
  if (near.empty()) near = fmt::format("; actions are {}", fmt::join(names, ", "));
  return wire::wrong_at(t.position, fmt::format("{} is not an action{}", quoted(t.text), near));
}

std::expected<const fault_action_info*, text_error> read_name(lexer& in,
                                                              const fault_plan_options& options) {
  const token t = in.peek();
  if (t.kind != token_kind::word) {
    text_error e = misplaced(t, "an action");
    e.reason += fmt::format("; actions are {}", fmt::join(names_for(options), ", "));
    return std::unexpected(std::move(e));
  }
  const std::string name = wire::to_kebab(t.text);
  const auto info = std::ranges::find(fault_actions(), name, &fault_action_info::name);
  if (info == fault_actions().end()) return unknown(t, options);
  if (options.role && !info->can(*options.role))
    return wire::wrong_at(
        t.position,
        info->roles == fault_roles::controller
            ? fmt::format("only a controller can do {}, this is a plan for a host", name)
            : fmt::format("only a host can do {}, this is a plan for a controller", name));
  if (!options.pdus && info->needs != fault_needs::nothing)
    return wire::wrong_at(
        t.position, fmt::format("{} needs the {} of NVMe/TCP, and this transport has none", name,
                                info->needs == fault_needs::pdu ? "PDUs" : "digests"));
  in.take();
  return &*info;
}

done set_number(fault_step& s, const token& value) {
  std::string_view digits = value.text;
  const bool has_sign =
      s.what == fault_action::wrong_length && (digits.starts_with('-') || digits.starts_with('+'));
  const bool negative = has_sign && digits.starts_with('-');
  if (has_sign) digits.remove_prefix(1);
  const wire::number_range range = s.what == fault_action::wrong_cid ? wire::number_range{0, 0xffff}
                                   : s.what == fault_action::short_data
                                       ? wire::number_range{1, 0xffff'ffff}
                                       : wire::number_range{1, length_max};
  const auto n = wire::parse_size(digits, info_of(s.what).name, range);
  if (!n) return wire::placed_in(value, n.error(), has_sign ? 1 : 0);
  s.number = static_cast<std::int64_t>(*n) * (negative ? -1 : 1);
  return {};
}

done set_status(fault_step& s, lexer& in) {
  const token value = in.peek();
  const auto code = wire::parse_status(value.text);
  if (!code) return wire::placed_in(value, code.error());
  s.status.sc = static_cast<std::uint8_t>(*code & 0xff);
  s.status.sct = static_cast<std::uint8_t>(*code >> 8);
  return {};
}

done set_argument(fault_step& s, lexer& in) {
  const token value = in.peek();
  switch (info_of(s.what).takes) {
    case fault_argument::none:
      return {};
    case fault_argument::time: {
      const auto time = wire::parse_time(value.text, {}, {.min = std::chrono::nanoseconds(1)});
      if (!time) return wire::placed_in(value, time.error());
      s.time = *time;
      return {};
    }
    case fault_argument::number:
      return set_number(s, value);
    case fault_argument::status:
      return set_status(s, in);
    case fault_argument::digest:
      if (value.text != "header" && value.text != "data")
        return wire::wrong_at(value.position,
                              fmt::format("{} is neither header nor data", quoted(value.text)));
      s.digest = value.text == "header" ? fault_digest::header : fault_digest::data;
      return {};
    case fault_argument::fes: {
      const auto fes = wire::parse_value(wire::fes_codes, value.text, {}, 0xffff);
      if (!fes) return wire::placed_in(value, fes.error());
      s.fes = static_cast<std::uint16_t>(*fes);
      return {};
    }
  }
  return {};
}

}  // namespace

std::expected<fault_step, text_error> read_action(lexer& in, const fault_plan_options& options) {
  const auto info = read_name(in, options);
  if (!info) return std::unexpected(info.error());
  fault_step s;
  s.what = (*info)->id;
  s.fes = static_cast<std::uint16_t>(wire::fes::pdu_sequence_error);
  const token value = in.peek();
  if (value.kind != token_kind::word) {
    if ((*info)->optional()) return s;
    return std::unexpected(misplaced(value, (*info)->argument, {}, (*info)->name));
  }
  if ((*info)->takes == fault_argument::none)
    return wire::wrong_at(value.position, fmt::format("{} after {}, which takes nothing",
                                                      quoted(value.text), (*info)->name));
  if (auto set = set_argument(s, in); !set) return std::unexpected(std::move(set.error()));
  s.given = true;
  in.take();
  if (s.what == fault_action::status && in.peek().kind == token_kind::word) {
    if (in.peek().text != "dnr")
      return std::unexpected(misplaced(in.peek(), "dnr, a comma, a semicolon or the end"));
    s.status.dnr = true;
    in.take();
  }
  return s;
}

}  // namespace nvmf::engine
