// SPDX-License-Identifier: BSD-2-Clause
// plan   { [ rule ] ( ";" | line end ) }
// rule   [ "when" condition ":" ] action { "," action }
#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "action_parse.hpp"
#include "plan.hpp"
#include "timing_parse.hpp"
#include "wire/expression/lexer.hpp"
#include "wire/names.hpp"

namespace nvmf::engine {

namespace {

using wire::lexer;
using wire::text_error;
using wire::token;
using wire::token_kind;

constexpr std::string_view action_ends = "a comma, a semicolon or the end";

bool is_word(const token& t, std::string_view word) {
  return t.kind == token_kind::word && t.text == word;
}
bool ends_rule(const token& t) {
  return t.kind == token_kind::semicolon || t.kind == token_kind::line_end ||
         t.kind == token_kind::end;
}

// "read:drop" is one word, as an NQN is: the colon that ends a condition has a blank after it.
std::optional<text_error> colon_in_word(const token& t) {
  const auto colon = t.text.rfind(':');
  if (t.kind != token_kind::word || colon == std::string_view::npos) return std::nullopt;
  const std::string after = wire::to_kebab(t.text.substr(colon + 1));
  if (std::ranges::find(fault_actions(), after, &fault_action_info::name) == fault_actions().end())
    return std::nullopt;
  const std::size_t at = t.position + colon;
  return text_error{wire::column_text(at), at, "the : that ends a condition wants a blank after it",
                    ""};
}

std::expected<void, text_error> read_condition(lexer& in, fault_rule& rule) {
  timing_terms timing(rule.timing);
  auto condition = wire::parse_expression(in, fault_fields(), &timing);
  if (!condition) {
    if (auto better = colon_in_word(in.peek())) return std::unexpected(std::move(*better));
    return std::unexpected(std::move(condition.error()));
  }
  rule.condition = std::move(*condition);
  const token colon = in.peek();
  if (colon.kind != token_kind::colon) {
    if (ends_rule(colon))
      return wire::wrong_at(colon.position,
                            fmt::format("{} where : and an action are wanted", token_text(colon)),
                            "when cmd == read: delay 50ms");
    return std::unexpected(misplaced(colon, "&&, || or :"));
  }
  in.take();
  return {};
}

std::expected<void, text_error> read_actions(lexer& in, const fault_plan_options& options,
                                             fault_rule& rule) {
  while (true) {
    const token name = in.peek();
    auto step = read_action(in, options);
    if (!step) return std::unexpected(std::move(step.error()));
    if (rule.find(step->what) != nullptr)
      return wire::wrong_at(name.position,
                            fmt::format("{} stands in this rule before", token_text(name)));
    if (rule.steps.size() == fault_steps_max)
      return wire::wrong_at(name.position,
                            fmt::format("more than {} actions in a rule", fault_steps_max));
    rule.steps.push_back(*step);
    if (ends_rule(in.peek())) return {};
    if (in.peek().kind != token_kind::comma)
      return std::unexpected(misplaced(in.peek(), action_ends));
    in.take();
  }
}

std::expected<fault_rule, text_error> read_rule(lexer& in, const fault_plan_options& options) {
  fault_rule rule;
  const token first = in.peek();
  if (is_word(first, "when")) {
    in.take();
    if (auto done = read_condition(in, rule); !done)
      return std::unexpected(std::move(done.error()));
  }
  if (auto done = read_actions(in, options, rule); !done)
    return std::unexpected(std::move(done.error()));
  rule.source = std::string(in.text().substr(first.position, in.taken_to() - first.position));
  if (rule.source.size() > wire::expression_bytes_max)
    return wire::wrong_at(first.position + wire::expression_bytes_max,
                          fmt::format("a rule of more than {} bytes", wire::expression_bytes_max));
  return rule;
}

std::expected<std::vector<fault_rule>, text_error> read_plan(std::string_view text,
                                                             const fault_plan_options& options) {
  if (text.size() > fault_plan_bytes_max)
    return wire::wrong_at(fault_plan_bytes_max,
                          fmt::format("the plan is longer than {} bytes", fault_plan_bytes_max));
  lexer in(text, wire::line_ends::are_tokens);
  std::vector<fault_rule> rules;
  while (true) {
    const token next = in.peek();
    if (next.kind == token_kind::end) break;
    if (ends_rule(next)) {
      in.take();
      continue;
    }
    if (rules.size() == fault_rules_max)
      return wire::wrong_at(next.position, fmt::format("more than {} rules", fault_rules_max));
    auto rule = read_rule(in, options);
    if (!rule) return std::unexpected(std::move(rule.error()));
    const auto place = wire::place_in(text, next.position);
    rule->number = static_cast<std::uint32_t>(rules.size() + 1);
    rule->line = place.line;
    rule->column = place.column;
    rules.push_back(std::move(*rule));
  }
  if (rules.empty())
    return wire::wrong_at(0, "the plan has no rule", "when cmd == read && every 100: delay 50ms");
  return rules;
}

}  // namespace

std::expected<fault_plan, text_error> fault_plan::parse(std::string_view text,
                                                        fault_plan_options options) {
  auto rules = read_plan(text, options);
  if (!rules) {
    text_error e = std::move(rules.error());
    const bool has_lines = text.substr(0, text.find_last_not_of(" \t\r\n") + 1).contains('\n');
    if (has_lines) {
      const auto place = wire::place_in(text, e.position);
      e.part = fmt::format("line {}, column {}", place.line, place.column);
    }
    return std::unexpected(std::move(e));
  }
  fault_plan plan;
  plan.rules_ = std::move(*rules);
  return plan;
}

}  // namespace nvmf::engine
