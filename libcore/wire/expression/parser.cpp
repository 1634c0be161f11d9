// SPDX-License-Identifier: BSD-2-Clause
#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <optional>

#include "../expression.hpp"
#include "../names.hpp"
#include "lexer.hpp"
#include "value.hpp"

namespace nvmf::wire {

namespace {

bool is_word(const token& t, std::string_view word) {
  return t.kind == token_kind::word && t.text == word;
}
bool is_and(const token& t) { return t.kind == token_kind::logical_and || is_word(t, "and"); }
bool is_or(const token& t) { return t.kind == token_kind::logical_or || is_word(t, "or"); }
bool is_not(const token& t) { return t.kind == token_kind::logical_not || is_word(t, "not"); }

// What could stand at the beginning of a comparison.
std::string list_of(std::span<const expression_field> fields, const outer_terms* outer) {
  std::string out;
  for (const expression_field& f : fields)
    out.append(out.empty() ? "; fields are " : ", ").append(f.name);
  if (outer != nullptr)
    out += fmt::format("; {}s are {}", outer->called(), fmt::join(outer->names(), ", "));
  return out;
}

}  // namespace

// Recursive descent; the program and the canonical text are made on the way.
class expression_parser {
 public:
  expression_parser(lexer& from, std::span<const expression_field> fields, outer_terms* outer)
      : in_(from), fields_(fields), outer_(outer), start_(from.peek().position) {}

  std::expected<expression, text_error> all() {
    auto whole = any_of();
    if (!whole) return std::unexpected(std::move(whole.error()));
    made_.text_ = std::move(whole->text);
    return std::move(made_);
  }

 private:
  using operation = expression::operation;
  // What binds as tightly as `level` needs parentheses within what binds more tightly.
  enum class level : std::uint8_t { any_of, all_of, unary, atom };
  struct fragment {
    std::string text;  // empty: only terms of the outer language
    level binds = level::atom;
  };
  using parsed = std::expected<fragment, text_error>;

  static std::string within(const fragment& f, level wanted) {
    return f.binds < wanted ? fmt::format("({})", f.text) : f.text;
  }
  std::uint32_t here() const { return static_cast<std::uint32_t>(made_.code_.size()); }
  std::size_t skip(operation what) {
    made_.code_.push_back({.what = what});
    return made_.code_.size() - 1;
  }
  void land(std::span<const std::size_t> skips) {
    for (std::size_t at : skips) made_.code_[at].first = here();
  }

  parsed any_of();
  parsed all_of();
  parsed unary();
  parsed group();
  parsed compared();
  parsed flag_alone(std::size_t field);
  std::expected<void, text_error> outer_term();
  std::expected<std::size_t, text_error> field();
  struct sign {
    comparison how;
    bool one_of;
    std::string_view text;  // canonical
  };
  std::expected<sign, text_error> comparing(const expression_field& f);
  std::expected<std::string, text_error> operand(const expression_field& f);
  std::expected<std::string, text_error> operands(const expression_field& f);

  lexer& in_;
  std::span<const expression_field> fields_;
  outer_terms* outer_;
  std::size_t start_;
  std::size_t depth_ = 0;            // of parentheses
  bool inverted_ = false;            // a ! stands right before
  bool alternatives_ = false;        // a top-level || was seen
  std::optional<token> outer_seen_;  // the first term of the outer language
  expression made_;
};

expression_parser::parsed expression_parser::any_of() {
  auto all = all_of();
  if (!all || !is_or(in_.peek())) return all;
  fragment out{std::move(all->text), all->binds};
  std::vector<std::size_t> skips;
  while (is_or(in_.peek())) {
    if (depth_ == 0) alternatives_ = true;
    if (depth_ == 0 && outer_seen_)
      return wrong_at(outer_seen_->position,
                      fmt::format("{} is a {} and stands beside ||; it can only stand beside &&",
                                  token_text(*outer_seen_), outer_->called()));
    in_.take();
    skips.push_back(skip(operation::skip_if_true));
    auto more = all_of();
    if (!more) return more;
    out.text += fmt::format(" || {}", within(*more, level::all_of));
  }
  land(skips);
  return fragment{std::move(out.text), level::any_of};
}

expression_parser::parsed expression_parser::all_of() {
  fragment out;
  std::vector<std::size_t> skips;
  std::size_t terms = 0;
  while (true) {
    const token& next = in_.peek();
    if (outer_ != nullptr && next.kind == token_kind::word && outer_->claims(next.text)) {
      if (auto done = outer_term(); !done) return std::unexpected(std::move(done.error()));
    } else {
      if (terms > 0) skips.push_back(skip(operation::skip_if_false));
      auto term = unary();
      if (!term) return term;
      // A group of && within && says the same without its parentheses.
      if (terms == 0)
        out = std::move(*term);
      else
        out = {fmt::format("{} && {}", within(out, level::all_of), within(*term, level::all_of)),
               level::all_of};
      ++terms;
    }
    if (!is_and(in_.peek())) break;
    in_.take();
  }
  land(skips);
  // Alone among terms of the outer language a group of || keeps its parentheses.
  if (depth_ == 0 && outer_seen_ && out.binds < level::all_of)
    out = {within(out, level::all_of), level::atom};
  return out;
}

std::expected<void, text_error> expression_parser::outer_term() {
  const token word = in_.peek();
  const auto only = [&](std::string_view where) {
    return wrong_at(word.position,
                    fmt::format("{} is a {} and stands {}; it can only stand beside &&",
                                token_text(word), outer_->called(), where));
  };
  if (inverted_) return only("after !");
  if (depth_ > 0) return only("inside parentheses");
  if (alternatives_) return only("beside ||");
  if (!outer_seen_) outer_seen_ = word;
  return outer_->read(in_);
}

expression_parser::parsed expression_parser::unary() {
  bool invert = false;
  const bool any = is_not(in_.peek());
  for (; is_not(in_.peek()); in_.take()) invert = !invert;
  inverted_ = any;
  auto inner = in_.peek().kind == token_kind::open ? group() : compared();
  inverted_ = false;
  if (!inner || !invert) return inner;
  made_.code_.push_back({.what = operation::invert});
  return fragment{"!" + within(*inner, level::atom), level::unary};
}

expression_parser::parsed expression_parser::group() {
  const token open = in_.take();
  inverted_ = false;
  if (depth_ == expression_depth_max)
    return wrong_at(open.position, fmt::format("more than {} parentheses within each other",
                                               expression_depth_max));
  ++depth_;
  auto inner = any_of();
  --depth_;
  if (!inner) return inner;
  const token& close = in_.peek();
  if (close.kind == token_kind::end || close.kind == token_kind::line_end)
    return wrong_at(open.position, "this ( is not closed");
  if (close.kind != token_kind::close) return std::unexpected(misplaced(close, "&&, || or )"));
  in_.take();
  return inner;
}

std::expected<std::size_t, text_error> expression_parser::field() {
  const token t = in_.peek();
  if (t.kind != token_kind::word) {
    text_error e = misplaced(t, "a field");
    e.reason += list_of(fields_, outer_);
    return std::unexpected(std::move(e));
  }
  if (outer_ != nullptr && outer_->claims(t.text)) {
    const auto refused = outer_term();
    assert(!refused);
    return std::unexpected(refused.error());
  }
  const std::string name = to_kebab(t.text);
  std::vector<std::string_view> names;
  for (std::size_t i = 0; i < fields_.size(); ++i) {
    const expression_field& f = fields_[i];
    if (f.name == name || std::ranges::find(f.also, name) != f.also.end()) {
      in_.take();
      return i;
    }
    names.push_back(f.name);
    names.insert(names.end(), f.also.begin(), f.also.end());
  }
  if (outer_ != nullptr)
    for (std::string_view n : outer_->names()) names.push_back(n);
  if (t.text[0] >= '0' && t.text[0] <= '9')
    return wrong_at(t.position, fmt::format("a comparison begins with a field, not with {}{}",
                                            token_text(t), list_of(fields_, outer_)));
  std::string near = did_you_mean(t.text, names);
  if (near.empty()) near = list_of(fields_, outer_);
  return wrong_at(t.position, fmt::format("{} is not a field{}", token_text(t), near));
}

std::expected<expression_parser::sign, text_error> expression_parser::comparing(
    const expression_field& f) {
  const token t = in_.peek();
  const bool one_of = is_word(t, "in");
  const auto how = one_of ? comparison::equal : comparison_of(t);
  if (!how) return std::unexpected(misplaced(t, operators_text(f.kind), {}, f.name));
  const bool ordered = *how >= comparison::less && *how <= comparison::greater_equal;
  const bool has_order =
      f.kind == value_kind::number || f.kind == value_kind::duration || f.kind == value_kind::part;
  if ((ordered && !has_order) || (*how == comparison::contains && f.kind != value_kind::text) ||
      (one_of && f.kind == value_kind::flag))
    return wrong_at(t.position, fmt::format("{} does not go with {}; {} does", token_text(t),
                                            f.name, operators_text(f.kind)));
  in_.take();
  return sign{*how, one_of, *how == comparison::contains ? "=~" : t.text};
}

// One value; its canonical text.
std::expected<std::string, text_error> expression_parser::operand(const expression_field& f) {
  const token t = in_.peek();
  if (t.kind != token_kind::word && t.kind != token_kind::quoted)
    return std::unexpected(
        misplaced(t, fmt::format("{} for {}", value_text(f.kind), f.name), f.example));
  expression::operand o;
  std::string spelt;
  if (f.kind == value_kind::text) {
    const auto text = text_of(t);
    if (!text) return std::unexpected(text.error());
    o.text_at = static_cast<std::uint32_t>(made_.pool_.size());
    o.text_bytes = static_cast<std::uint32_t>(text->size());
    made_.pool_ += *text;
    spelt = in_quotes(*text);
  } else {
    const auto value = read_value(f, t);
    if (!value) return std::unexpected(value.error());
    o.number = *value;
    spelt = spell_value(f, *value);
  }
  made_.operands_.push_back(o);
  in_.take();
  return spelt;
}

std::expected<std::string, text_error> expression_parser::operands(const expression_field& f) {
  const token open = in_.peek();
  if (open.kind != token_kind::open)
    return std::unexpected(
        misplaced(open, "(", fmt::format("{} in ({})", f.name, f.example), "in"));
  in_.take();
  std::string out = "(";
  while (true) {
    const auto one = operand(f);
    if (!one) return one;
    out += *one;
    const token t = in_.peek();
    if (t.kind == token_kind::close) break;
    if (t.kind == token_kind::end || t.kind == token_kind::line_end)
      return wrong_at(open.position, "this ( is not closed");
    if (t.kind != token_kind::comma) return std::unexpected(misplaced(t, "a comma or )"));
    in_.take();
    out += ", ";
  }
  in_.take();
  return out + ')';
}

expression_parser::parsed expression_parser::flag_alone(std::size_t field) {
  made_.code_.push_back({.field = static_cast<std::uint16_t>(field),
                         .first = static_cast<std::uint32_t>(made_.operands_.size()),
                         .count = 1});
  made_.operands_.push_back({.number = 1});
  return fragment{std::string(fields_[field].name), level::atom};
}

expression_parser::parsed expression_parser::compared() {
  const auto which = field();
  if (!which) return std::unexpected(which.error());
  const expression_field& f = fields_[*which];
  const token_kind next = in_.peek().kind;
  if (f.kind == value_kind::flag && next != token_kind::equal && next != token_kind::not_equal)
    return flag_alone(*which);
  const token at = in_.peek();
  const auto by = comparing(f);
  if (!by) return std::unexpected(by.error());
  expression::instruction test{.how = by->how,
                               .field = static_cast<std::uint16_t>(*which),
                               .first = static_cast<std::uint32_t>(made_.operands_.size())};
  const auto right = by->one_of ? operands(f) : operand(f);
  if (!right) return std::unexpected(right.error());
  if (in_.taken_to() - start_ > expression_bytes_max)
    return wrong_at(at.position,
                    fmt::format("the condition is longer than {} bytes", expression_bytes_max));
  test.count = static_cast<std::uint32_t>(made_.operands_.size()) - test.first;
  made_.code_.push_back(test);
  return fragment{fmt::format("{} {} {}", f.name, by->text, *right), level::unary};
}

std::expected<expression, text_error> parse_expression(lexer& from,
                                                       std::span<const expression_field> fields,
                                                       outer_terms* outer) {
  return expression_parser(from, fields, outer).all();
}

std::expected<expression, text_error> expression::parse(std::string_view text,
                                                        std::span<const expression_field> fields) {
  if (text.size() > expression_bytes_max)
    return std::unexpected(
        text_error{column_text(expression_bytes_max), expression_bytes_max,
                   fmt::format("the condition is longer than {} bytes", expression_bytes_max), ""});
  lexer in(text, line_ends::are_blanks);
  auto made = parse_expression(in, fields);
  if (made && in.peek().kind != token_kind::end)
    return std::unexpected(misplaced(in.peek(), "&&, || or the end"));
  return made;
}

std::string_view value_text(value_kind kind) {
  switch (kind) {
    case value_kind::number:
      return "a number";
    case value_kind::duration:
      return "a time";
    case value_kind::part:
      return "a part of 1";
    case value_kind::text:
      return "a text";
    case value_kind::symbol:
      return "a name";
    case value_kind::flag:
      return "true or false";
  }
  return "a value";
}

std::string_view operators_text(value_kind kind) {
  switch (kind) {
    case value_kind::number:
    case value_kind::duration:
    case value_kind::part:
      return "==, !=, <, <=, >, >= or in";
    case value_kind::text:
      return "==, !=, =~ or in";
    case value_kind::symbol:
      return "==, != or in";
    case value_kind::flag:
      return "== or !=";
  }
  return "==";
}

}  // namespace nvmf::wire
