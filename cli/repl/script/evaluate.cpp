// SPDX-License-Identifier: BSD-2-Clause
#include <fmt/format.h>

#include "../words.hpp"
#include "expression.hpp"
#include "wire/names.hpp"

namespace nvmf::cli::repl {
namespace {

using kind = expression_node::kind;
using evaluated = std::expected<value, complaint>;
constexpr std::size_t compared_max = 16;

class evaluator {
 public:
  evaluator(const names_of_words& names, std::vector<compared>* made)
      : names_(names), made_(made) {}

  evaluated of(const expression_node& e) {
    switch (e.is) {
      case kind::quoted:
        return quoted(e);
      case kind::word:
        return word(e);
      case kind::variable:
        return variable(e);
      case kind::buffer:
        return buffer(e);
      case kind::any_of:
      case kind::all_of:
        return joined(e);
      case kind::invert: {
        const auto t = true_of(e.parts[0]);
        if (!t) return std::unexpected(t.error());
        return value::of(!*t);
      }
      case kind::compare:
        return comparing(e);
      case kind::one_of:
        return among(e);
      case kind::sum:
      case kind::product:
        return reckoned(e);
    }
    return value{};
  }

  // Nothing beside it could know what a bare word names.
  evaluated known(const expression_node& e) {
    auto v = of(e);
    if (v && v->is == value::kind::word) return unknown(e, *v);
    return v;
  }

 private:
  std::unexpected<complaint> unknown(const expression_node& e, const value& v) const {
    const auto all = names_.all();
    const std::vector<std::string_view> views(all.begin(), all.end());
    const std::string_view name = std::string_view{v.text}.substr(0, v.text.find_first_of(".["));
    return wrong(fmt::format("nothing is called {}{} (let makes a variable; text stands in quotes)",
                             wire::quoted(name), wire::did_you_mean(name, views)),
                 e.from);
  }

  evaluated quoted(const expression_node& e) {
    const auto words = split_words(e.text, [&](std::string_view what, std::size_t column) {
      return expand(what, e.from + column, names_);
    });
    if (!words) return std::unexpected(words.error());
    return value::of_text(words->front().text);
  }

  evaluated variable(const expression_node& e) {
    if (const value* v = names_.variable(e.text)) {
      if (e.tail.empty()) return *v;
      expression_node held = e;
      held.text = spelled(*v) + e.tail;
      auto found = word(held);
      if (found && found->is == value::kind::word) return unknown(held, *found);
      return found;
    }
    const auto all = names_.all();
    const std::vector<std::string_view> views(all.begin(), all.end());
    const bool argument = e.text[0] >= '0' && e.text[0] <= '9';
    return wrong(argument ? fmt::format("the script has not been given ${}", e.text)
                          : fmt::format("there is no variable {}{} (let makes one)",
                                        wire::quoted(e.text), wire::did_you_mean(e.text, views)),
                 e.from);
  }

  // Items of [ ] that are not numbers are variables.
  std::expected<std::string, complaint> with_indices(const expression_node& e) {
    std::string out;
    for (std::size_t at = 0; at < e.text.size();) {
      const std::size_t end = std::min(e.text.find_first_of("[],", at), e.text.size());
      const std::string_view item = std::string_view{e.text}.substr(at, end - at);
      const bool within = at > 0 && (e.text[at - 1] == '[' || e.text[at - 1] == ',');
      const bool dollar = item.starts_with('$');
      const value* v = within ? names_.variable(dollar ? item.substr(1) : item) : nullptr;
      const bool named = v != nullptr && (dollar || !literal_of(item));
      if (named && v->is != value::kind::number)
        return wrong(fmt::format("{} is {}, a number is wanted here", item, kind_text(v->is)),
                     e.from);
      out += named ? fmt::format("{}", v->number) : std::string{item};
      if (end < e.text.size()) out += e.text[end];
      at = end + 1;
    }
    return out;
  }

  evaluated word(const expression_node& e) {
    if (auto v = literal_of(e.text)) return *v;
    if (e.text == "absent") {
      value v;
      v.text = e.text;
      return v;
    }
    if (const value* v = names_.variable(e.text)) return *v;
    const auto path = with_indices(e);
    if (!path) return std::unexpected(path.error());
    auto found = names_.path(*path);
    if (!found) return value{.is = value::kind::word, .text = e.text};
    if (!*found) return wrong(found->error(), e.from);
    return std::move(**found);
  }

  evaluated buffer(const expression_node& e) {
    const auto path = with_indices(e);
    if (!path) return std::unexpected(path.error());
    const auto found = names_.path("buf " + *path);
    if (!found) {
      const std::string name = path->substr(0, path->find_first_of(".["));
      return wrong(fmt::format("there is no buffer {} (buf makes one)", wire::quoted(name)),
                   e.from);
    }
    if (!*found) return wrong(found->error(), e.from);
    return **found;
  }

  std::expected<bool, complaint> true_of(const expression_node& e) {
    const auto v = known(e);
    if (!v) return std::unexpected(v.error());
    const auto t = truth(*v);
    if (!t) return wrong(t.error(), e.from);
    return *t;
  }

  evaluated joined(const expression_node& e) {
    const bool any = e.is == kind::any_of;
    for (const auto& part : e.parts) {
      const auto t = true_of(part);
      if (!t) return std::unexpected(t.error());
      if (*t == any) return value::of(any);
    }
    return value::of(!any);
  }

  void keep(const expression_node& l, const expression_node& r, const value& a, const value& b,
            bool result) {
    if (made_ != nullptr && made_->size() < compared_max)
      made_->push_back({l.from, l.to, r.from, r.to, a, b, result});
  }

  std::expected<bool, complaint> one_comparison(const expression_node& l, const expression_node& r,
                                                const value& a, const value& b, comparison how) {
    using is = value::kind;
    const bool left_unknown = a.is == is::word && !b.has_names();
    if (left_unknown) return unknown(l, a);
    // The name of what is absent is not looked up: an end that has not come is not a typing error.
    if (b.is == is::word && !a.has_names() && a.is != is::absent) return unknown(r, b);
    const auto result = b.is == is::word && a.is == is::absent
                            ? std::expected<bool, std::string>{false}
                            : compare(how, a, b);
    if (!result) return wrong(result.error(), (b.is == is::word ? r : l).from);
    keep(l, r, a, b, *result);
    return *result;
  }

  // Beside a field, a name of its table means that, whatever else has the name.
  static void prefer_name(const expression_node& e, value& v, const value& beside) {
    if (e.is == kind::word && v.is != value::kind::word && !literal_of(e.text) &&
        could_be(beside, e.text))
      v = {.is = value::kind::word, .text = e.text};
  }

  evaluated comparing(const expression_node& e) {
    auto a = of(e.parts[0]);
    if (!a) return a;
    auto b = of(e.parts[1]);
    if (!b) return b;
    prefer_name(e.parts[1], *b, *a);
    prefer_name(e.parts[0], *a, *b);
    const auto result = one_comparison(e.parts[0], e.parts[1], *a, *b, e.how);
    if (!result) return std::unexpected(result.error());
    return value::of(*result);
  }

  evaluated among(const expression_node& e) {
    const auto a = of(e.parts[0]);
    if (!a) return a;
    for (std::size_t i = 1; i < e.parts.size(); ++i) {
      auto b = of(e.parts[i]);
      if (!b) return b;
      prefer_name(e.parts[i], *b, *a);
      const auto result = one_comparison(e.parts[0], e.parts[i], *a, *b, comparison::equal);
      if (!result) return std::unexpected(result.error());
      if (*result) return value::of(true);
    }
    return value::of(false);
  }

  evaluated reckoned(const expression_node& e) {
    auto total = known(e.parts[0]);
    for (std::size_t i = 1; total && i < e.parts.size(); ++i) {
      const auto next = known(e.parts[i]);
      if (!next) return next;
      auto both = e.is == kind::product ? product(*total, *next) : sum(*total, *next, e.minus[i]);
      if (!both) return wrong(both.error(), e.parts[i].from);
      total = std::move(*both);
    }
    return total;
  }

  const names_of_words& names_;
  std::vector<compared>* made_;
};

}  // namespace

std::expected<value, complaint> evaluate(const expression_node& e, const names_of_words& names,
                                         std::vector<compared>* made) {
  return evaluator(names, made).known(e);
}

std::expected<std::string, complaint> expand(std::string_view what, std::size_t column,
                                             const names_of_words& names) {
  // Positions in what is padded are columns of the line.
  const bool bare = what.find_first_not_of("0123456789#") == std::string_view::npos;
  const auto e =
      parse_expression(std::string(column, ' ') + (bare ? "$" : "") + std::string{what}, column);
  const auto v = e ? evaluate(*e, names) : std::unexpected(e.error());
  if (!v) {
    complaint c = v.error();
    if (bare && c.column) c.column = column - 1;
    return std::unexpected(std::move(c));
  }
  if (v->is == value::kind::absent) return wrong(fmt::format("{} has no value", what), column);
  return spelled(*v);
}

}  // namespace nvmf::cli::repl
