// SPDX-License-Identifier: BSD-2-Clause
// Recursive descent over the lexer of the wire's expressions; chains are flat, so that only
// parentheses and `not` nest.
#include "expression.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "wire/expression/lexer.hpp"

namespace nvmf::cli::repl {
namespace {

using wire::token;
using wire::token_kind;
using kind = expression_node::kind;
using parsed = std::expected<expression_node, complaint>;

constexpr std::string_view operand_text = "a value, such as 4096, c1.status or \"text\",";

bool is_word(const token& t, std::string_view text) {
  return t.kind == token_kind::word && t.text == text;
}
bool is_and(const token& t) { return t.kind == token_kind::logical_and || is_word(t, "and"); }
bool is_or(const token& t) { return t.kind == token_kind::logical_or || is_word(t, "or"); }
bool is_not(const token& t) { return t.kind == token_kind::logical_not || is_word(t, "not"); }

class parser {
 public:
  parser(std::string_view line, std::size_t from)
      : line_(line), base_(from), in_(line.substr(from), wire::line_ends::are_blanks) {}

  parsed all() {
    auto e = any_of();
    if (!e) return e;
    if (!at_end()) {
      std::string_view fits = e->is == kind::word || e->is == kind::sum || e->is == kind::product ||
                                      e->is == kind::quoted
                                  ? "an operator, such as == or +,"
                                  : "&&, || or the end";
      if (in_.peek().kind == token_kind::word &&
          (in_.peek().text[0] == '+' || in_.peek().text[0] == '-'))
        fits = "a blank after the sign, or an operator,";
      return misplaced(fits);
    }
    return e;
  }

 private:
  std::size_t column(const token& t) const { return base_ + t.position; }
  // A # that begins a word begins a comment.
  bool at_end() const {
    const token& t = in_.peek();
    return t.kind == token_kind::end || (t.kind == token_kind::bad_character && t.text == "#");
  }
  bool adjacent(const token& t) const { return t.position == in_.taken_to(); }
  bool peek_sign(std::string_view text) const {
    return in_.peek().kind == token_kind::bad_character && in_.peek().text == text;
  }

  std::unexpected<complaint> misplaced(std::string_view wanted) const {
    token t = in_.peek();
    if (at_end()) t = {token_kind::end, t.position, {}};
    return wrong(wire::misplaced(t, wanted).reason, column(t));
  }
  expression_node node(kind is, const token& from) const {
    expression_node n;
    n.is = is;
    n.from = column(from);
    return n;
  }
  expression_node ended(expression_node n) const {
    n.to = base_ + in_.taken_to();
    return n;
  }

  parsed chain(kind is, bool (*joins)(const token&), parsed (parser::*part)()) {
    const token first = in_.peek();
    auto one = (this->*part)();
    if (!one || !joins(in_.peek())) return one;
    auto n = node(is, first);
    n.parts.push_back(std::move(*one));
    while (joins(in_.peek())) {
      in_.take();
      auto next = (this->*part)();
      if (!next) return next;
      n.parts.push_back(std::move(*next));
    }
    return ended(std::move(n));
  }
  parsed any_of() { return chain(kind::any_of, is_or, &parser::all_of); }
  parsed all_of() { return chain(kind::all_of, is_and, &parser::unary); }

  parsed unary() {
    if (!is_not(in_.peek())) return compared();
    if (++depth_ > expression_depth_max)
      return wrong(fmt::format("more than {} levels of not and parentheses", expression_depth_max),
                   column(in_.peek()));
    auto n = node(kind::invert, in_.take());
    auto of = unary();
    --depth_;
    if (!of) return of;
    n.parts.push_back(std::move(*of));
    return ended(std::move(n));
  }

  parsed compared() {
    const token first = in_.peek();
    auto left = summed();
    if (!left) return left;
    if (is_word(in_.peek(), "in")) return one_of(std::move(*left), first);
    const auto how = wire::comparison_of(in_.peek());
    if (!how) return left;
    in_.take();
    auto right = summed();
    if (!right) return right;
    auto n = node(kind::compare, first);
    n.how = *how;
    n.parts.push_back(std::move(*left));
    n.parts.push_back(std::move(*right));
    return ended(std::move(n));
  }

  parsed one_of(expression_node left, const token& first) {
    in_.take();
    if (in_.peek().kind != token_kind::open) return misplaced("( of a list");
    in_.take();
    auto n = node(kind::one_of, first);
    n.parts.push_back(std::move(left));
    while (true) {
      auto v = summed();
      if (!v) return v;
      n.parts.push_back(std::move(*v));
      if (in_.peek().kind != token_kind::comma) break;
      in_.take();
    }
    if (in_.peek().kind != token_kind::close) return misplaced(", or )");
    in_.take();
    return ended(std::move(n));
  }

  parsed multiplied() {
    const auto sign = [](const token& t) {
      return t.kind == token_kind::bad_character && t.text == "*";
    };
    return chain(kind::product, sign, &parser::atom);
  }

  parsed summed() {
    const token first = in_.peek();
    auto one = multiplied();
    const auto sign = [&] { return is_word(in_.peek(), "+") || is_word(in_.peek(), "-"); };
    if (!one || !sign()) return one;
    auto n = node(kind::sum, first);
    n.parts.push_back(std::move(*one));
    n.minus.push_back(false);
    while (sign()) {
      n.minus.push_back(in_.take().text == "-");
      auto next = multiplied();
      if (!next) return next;
      n.parts.push_back(std::move(*next));
    }
    return ended(std::move(n));
  }

  parsed atom() {
    const token t = in_.peek();
    if (at_end()) return misplaced(operand_text);
    if (t.kind == token_kind::open) return group();
    if (t.kind == token_kind::quoted) {
      auto n = node(kind::quoted, in_.take());
      n.text = t.text;
      return ended(std::move(n));
    }
    if (peek_sign("$")) return variable();
    if (t.kind != token_kind::word || is_and(t) || is_or(t) || is_word(t, "in"))
      return misplaced(operand_text);
    in_.take();
    // `buf b1` is the buffer, whatever else is called b1.
    const token next = in_.peek();
    if (t.text == "buf" && next.kind == token_kind::word && !is_and(next) && !is_or(next) &&
        next.text != "in" && next.text != "contains" && next.text != "+" && next.text != "-")
      return path(kind::buffer, t, in_.take());
    return path(kind::word, t, t);
  }

  parsed group() {
    if (++depth_ > expression_depth_max)
      return wrong(fmt::format("more than {} levels of not and parentheses", expression_depth_max),
                   column(in_.peek()));
    in_.take();
    auto inner = any_of();
    --depth_;
    if (!inner) return inner;
    if (in_.peek().kind != token_kind::close) return misplaced("an operator or )");
    in_.take();
    return inner;
  }

  // $NAME, ${NAME}, $1, $#, and a tail.
  parsed variable() {
    auto n = node(kind::variable, in_.take());
    const bool braces = peek_sign("{") && adjacent(in_.peek());
    if (braces) in_.take();
    const token name = in_.peek();
    if (!adjacent(name) || (name.kind != token_kind::word && !peek_sign("#")))
      return wrong("a $ is followed by the name of a variable", n.from);
    in_.take();
    const std::size_t dot = std::min(name.text.find('.'), name.text.size());
    n.text = name.text.substr(0, dot);
    if (braces) {
      if (dot < name.text.size()) return wrong("${ } holds a variable here", n.from);
      if (!peek_sign("}")) return misplaced("}");
      in_.take();
    }
    if (auto d = skip_tail(); !d) return std::unexpected(d.error());
    n.tail = text_from(name.position + (braces ? name.text.size() + 1 : dot));
    return ended(std::move(n));
  }

  parsed path(kind is, const token& first, const token& word) {
    auto n = node(is, first);
    if (auto d = skip_tail(); !d) return std::unexpected(d.error());
    n.text = text_from(word.position);
    return ended(std::move(n));
  }

  // What was taken from there on, without blanks.
  std::string text_from(std::size_t position) const {
    std::string text;
    for (const char c : line_.substr(base_ + position, in_.taken_to() - position))
      if (c != ' ' && c != '\t') text += c;
    return text;
  }

  // What follows right behind a name: [0,16] and .member.
  done skip_tail() {
    while (true) {
      const token t = in_.peek();
      if (!adjacent(t)) return {};
      if (t.kind == token_kind::word && t.text.starts_with('.')) {
        in_.take();
        continue;
      }
      if (!peek_sign("[")) return {};
      while (!peek_sign("]")) {
        if (in_.peek().kind == token_kind::end) return wrong("no ] ends this", column(t));
        in_.take();
      }
      in_.take();
    }
  }

  std::string_view line_;
  std::size_t base_;
  wire::lexer in_;
  std::size_t depth_ = 0;
};

}  // namespace

std::expected<expression_node, complaint> parse_expression(std::string_view line,
                                                           std::size_t from) {
  return parser(line, from).all();
}

}  // namespace nvmf::cli::repl
