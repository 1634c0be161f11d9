// SPDX-License-Identifier: BSD-2-Clause
// What the interpreter does for each kind of statement.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>

#include "../interpreter.hpp"
#include "../workbench.hpp"
#include "event_filter.hpp"
#include "script_file.hpp"
#include "wire/names.hpp"
#include "wire/quantities.hpp"

namespace nvmf::cli::repl {
namespace {

constexpr std::size_t files_max = 16;  // that `source` each other

bool in_name(char c) {
  return c == '_' || (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

// Words that expressions know already.
constexpr std::array reserved{
    std::string_view{"true"},  std::string_view{"false"},    std::string_view{"absent"},
    std::string_view{"and"},   std::string_view{"or"},       std::string_view{"not"},
    std::string_view{"in"},    std::string_view{"contains"}, std::string_view{"buf"},
    std::string_view{"event"}, std::string_view{"failure"}};

done check_variable(std::string_view name, std::size_t column) {
  const bool good =
      !name.empty() && !(name[0] >= '0' && name[0] <= '9') && std::ranges::all_of(name, in_name);
  if (!good)
    return wrong(fmt::format("{} is no name for a variable: a letter or _, then letters, digits "
                             "and _",
                             wire::quoted(name)),
                 column);
  if (std::ranges::find(reserved, name) == reserved.end()) return {};
  return wrong(fmt::format("{} means something in expressions; choose another name", name), column);
}

std::size_t after_blanks(std::string_view text, std::size_t from) {
  return std::min(text.find_first_not_of(" \t", from), text.size());
}

// How long the name is that begins at `from`.
std::size_t name_length(std::string_view text, std::size_t from) {
  std::size_t n = 0;
  while (from + n < text.size() && in_name(text[from + n])) ++n;
  return n;
}

// What stands for the line of an expectation in a report.
std::string told(const line& l, std::size_t from) {
  std::string_view text = std::string_view{l.text}.substr(std::min(from, l.text.size()));
  const std::size_t last = text.find_last_not_of(" \t");
  const std::size_t first = text.find_first_not_of(" \t");
  return first == std::string_view::npos ? std::string{}
                                         : std::string{text.substr(first, last + 1 - first)};
}

// An operand that says itself what it is needs no line of its own.
bool says_itself(std::string_view typed, const value& v) {
  return v.is == value::kind::word || typed == "absent" || typed.starts_with('"') ||
         typed.starts_with('\'') || literal_of(typed).has_value();
}

std::string first_difference(const value& a, const value& b) {
  if (a.is != value::kind::bytes || b.is != value::kind::bytes) return {};
  const auto [x, y] = std::ranges::mismatch(a.bytes, b.bytes);
  const auto at = x - a.bytes.begin();
  if (x == a.bytes.end() || y == b.bytes.end())
    return a.bytes.size() == b.bytes.size()
               ? std::string{}
               : fmt::format("they have {} and {} bytes", a.bytes.size(), b.bytes.size());
  return fmt::format("they differ first at byte {}: {:02x} and {:02x}", at,
                     std::to_integer<unsigned>(*x), std::to_integer<unsigned>(*y));
}

std::vector<std::string> found_text(const line& l, const std::vector<compared>& made) {
  std::vector<std::string> lines;
  const auto add = [&](std::size_t from, std::size_t to, const value& v) {
    const std::string typed = l.text.substr(from, to - from);
    auto text = fmt::format("{} is {}", typed, shown(v));
    if (!says_itself(typed, v) && std::ranges::find(lines, text) == lines.end())
      lines.push_back(std::move(text));
  };
  for (const compared& c : made) {
    add(c.left_from, c.left_to, c.left);
    add(c.right_from, c.right_to, c.right);
    if (auto d = first_difference(c.left, c.right); !d.empty()) lines.push_back(std::move(d));
  }
  return lines;
}

}  // namespace

done interpreter::execute_body(const std::vector<statement>& body) {
  done result;
  for (const statement& s : body) {
    if (bench_.quitting) break;
    auto d = execute(s);
    if (d) continue;
    if (result) result = d;
    if (!keep_going_ || quiet_ > 0 || d.error().status == exit_status::interrupted) return d;
  }
  return result;
}

done interpreter::execute(const statement& s) {
  ++lines_run_;
  switch (s.kind) {
    case statement_kind::if_:
      return conditional(s);
    case statement_kind::repeat:
      return repeat(s);
    case statement_kind::for_:
      return loop(s);
    case statement_kind::expect:
      return expect(s.at, *first_word(s.at.text));
    case statement_kind::source:
      return source(s.at);
    default:
      break;
  }
  const auto began = clock::now();
  auto d = simple(s);
  tested o{told(s.at, 0), s.at.source, s.at.number};
  o.took = clock::now() - began;
  if (!d) return fail(d.error(), s.at, std::move(o));
  if (s.kind == statement_kind::must_fail && quiet_ == 0) report_.add(std::move(o));
  return d;
}

done interpreter::simple(const statement& s) {
  const auto first = *first_word(s.at.text);
  switch (s.kind) {
    case statement_kind::let:
      return let(s.at, first);
    case statement_kind::mark:
      return set_mark(s.at);
    case statement_kind::must_fail:
      return must_fail(s.at, first);
    case statement_kind::exit:
      return exit_by(s.at);
    default:
      return plain(s.at);
  }
}

done interpreter::plain(line l) {
  if (auto d = split(l); !d) return d;
  const auto v = find_verb(l.words.front());
  if (!v) return std::unexpected(v.error());
  return (*v)->run(bench_, arguments(l));
}

done interpreter::let(const line& l, const word& first) {
  const std::size_t from = after_blanks(l.text, first.column + first.text.size());
  const std::size_t length = name_length(l.text, from);
  const std::string name = l.text.substr(from, length);
  if (from == l.text.size()) return wrong("a name for the variable is missing here", from);
  if (auto d = check_variable(name, from); !d) return d;
  const std::size_t sign = after_blanks(l.text, from + length);
  if (sign == l.text.size() || l.text[sign] != '=' || l.text.substr(sign, 2) == "==")
    return wrong("a = is missing here: let NAME = EXPRESSION", sign);
  const auto v = value_of(l.text, sign + 1);
  if (!v) return std::unexpected(v.error());
  variables_.set(name, v->snapshot());
  return {};
}

done interpreter::set_mark(line l) {
  if (auto d = split(l); !d) return d;
  if (auto d = arguments(l).end(); !d) return d;
  mark_ = bench_.events_noted();
  return {};
}

done interpreter::exit_by(line l) {
  if (auto d = split(l); !d) return d;
  arguments args(l);
  if (!args.empty()) {
    const auto w = args.take("");
    const auto n = wire::parse_value(wire::exit_statuses, w->text, "status", 255);
    if (!n) return wrong(to_text(n.error()), w->column);
    bench_.status = static_cast<exit_status>(*n);
  }
  if (auto d = args.end(); !d) return d;
  bench_.quitting = true;
  return {};
}

done interpreter::must_fail(const line& l, const word& first) {
  const line rest = without(l, first.column + first.text.size());
  const auto verb = first_word(rest.text);
  if (!verb) return wrong("a command is missing here", l.text.size());
  const statement_kind kind = kind_of(*verb);
  if (kind != statement_kind::plain && kind != statement_kind::let &&
      kind != statement_kind::source)
    return wrong(fmt::format("must-fail takes a command, and {} is none", verb->text),
                 verb->column);
  ++quiet_;
  auto d = kind == statement_kind::source ? source(rest) : simple({rest, kind});
  --quiet_;
  if (d)
    return wrong(fmt::format("{} was to fail, and did not", verb->text), verb->column,
                 exit_status::expectation);
  if (d.error().status == exit_status::interrupted) return d;
  failure_ = d.error();
  bench_.say(fmt::format("failed, as it must: {}", failure_->text));
  return {};
}

done interpreter::source(line l) {
  if (auto d = split(l); !d) return fail(d.error(), l);
  arguments args(l);
  const auto name = args.take("a file to read");
  if (!name) return fail(name.error(), l);
  std::filesystem::path path = name->text;
  // Beside the file that says so.
  if (path.is_relative() && !files_.empty())
    path = std::filesystem::path(files_.back()).parent_path() / path;
  if (files_.size() == files_max)
    return fail(
        {fmt::format("{} files source each other already, {} the last", files_max, files_.back()),
         name->column},
        l);
  auto file = open_script(path.string());
  if (!file) return fail({file.error(), name->column}, l);
  std::vector<std::string> words;
  for (const word& w : args.take_all()) words.push_back(w.text);
  auto before = variables_.set_arguments(std::move(words));
  auto d = run_script(*file, path.string());
  (void)variables_.set_arguments(std::move(before));
  return d;
}

done interpreter::met(tested o, const line& l, complaint why) {
  if (o.met) {
    if (quiet_ == 0) report_.add(std::move(o));
    return {};
  }
  auto found = o.details;
  if (why.status == exit_status::expectation)
    for (auto& e : last_events()) found.push_back(std::move(e));
  return fail(std::move(why), l, std::move(o), found);
}

done interpreter::expect(const line& l, const word& first) {
  const std::size_t from = after_blanks(l.text, first.column + first.text.size());
  if (const auto second = first_word(std::string_view{l.text}.substr(from));
      second && second->text == "event")
    return expect_event(l);
  const auto began = clock::now();
  std::vector<compared> made;
  const auto e = parse_expression(l.text, from);
  const auto v = e ? evaluate(*e, names(), &made) : std::unexpected(e.error());
  tested o{e ? l.text.substr(e->from, e->to - e->from) : told(l, from), l.source, l.number};
  std::expected<bool, std::string> is_true = v ? truth(*v) : std::unexpected(std::string{});
  o.took = clock::now() - began;
  o.met = v && is_true && *is_true;
  if (!v) return met(std::move(o), l, v.error());
  if (!is_true) return met(std::move(o), l, {is_true.error(), from});
  if (!o.met) o.details = found_text(l, made);
  if (!o.met && made.empty()) o.details = {fmt::format("{} is {}", o.name, shown(*v))};
  const auto text = fmt::format("not met: {}", o.name);
  return met(std::move(o), l, {text, from, exit_status::expectation});
}

done interpreter::expect_event(line l) {
  const auto began = clock::now();
  const std::size_t from = first_word(l.text)->column + first_word(l.text)->text.size();
  tested o{told(l, from), l.source, l.number, false};
  if (auto d = split(l); !d) return met(std::move(o), l, d.error());
  arguments args(l);
  (void)args.take_keyword("event");
  const auto filter = take_event_filter(args);
  if (!filter) return met(std::move(o), l, filter.error());
  const auto found = [&] {
    const auto& all = bench_.events();
    const std::uint64_t gone = bench_.events_noted() - all.size();
    for (std::size_t i = mark_ > gone ? mark_ - gone : 0; i < all.size(); ++i)
      if (filter->matches(all[i])) {
        mark_ = gone + i + 1;
        return true;
      }
    return false;
  };
  const auto limit = filter->within.value_or(bench_.options.timeout);
  const auto there = bench_.wait_until(found, limit);
  o.took = clock::now() - began;
  if (!there) return met(std::move(o), l, there.error());
  o.met = *there;
  complaint why{
      fmt::format("not met within {}: {}{}", wire::time_text(limit), o.name, paused_hint(bench_)),
      l.words[1].column, exit_status::expectation};
  return met(std::move(o), l, std::move(why));
}

done interpreter::conditional(const statement& s) {
  for (const auto& branch : s.branches) {
    const auto first = *first_word(branch.head.text);
    if (kind_of(first) == statement_kind::else_) return execute_body(branch.body);
    const std::size_t from = first.column + first.text.size();
    const auto v = value_of(branch.head.text, from);
    if (!v) return fail(v.error(), branch.head);
    const auto t = truth(*v);
    if (!t) return fail({t.error(), after_blanks(branch.head.text, from)}, branch.head);
    if (*t) return execute_body(branch.body);
  }
  return {};
}

done interpreter::one_round(const statement& s) {
  if (bench_.take_interrupt()) return fail({"interrupted", {}, exit_status::interrupted}, s.at);
  return execute_body(s.branches.front().body);
}

done interpreter::repeat(const statement& s) {
  line l = s.at;
  if (auto d = split(l); !d) return fail(d.error(), l);
  arguments args(l);
  const auto count = args.take("how often, such as 10,");
  if (!count) return fail(count.error(), l);
  const auto literal = literal_of(count->text);  // $2 is not what 2 means
  const value* named = literal ? nullptr : variables_.find(count->text);
  const value times = named != nullptr ? *named : value_of_word(count->text);
  if (times.is != value::kind::number)
    return fail({fmt::format("{} is {}, a number is wanted here", wire::quoted(count->text),
                             kind_text(times.is)),
                 count->column},
                l);
  std::string counter;
  if (args.take_keyword("as")) {
    const auto name = args.take("a name for the counter");
    if (!name) return fail(name.error(), l);
    if (auto d = check_variable(name->text, name->column); !d) return fail(d.error(), l);
    counter = name->text;
  }
  if (auto d = args.end(); !d) return fail(d.error(), l);
  done result;
  for (std::uint64_t i = 0; i < times.number && !bench_.quitting; ++i) {
    if (!counter.empty()) variables_.set(counter, value::of_number(i));
    auto d = one_round(s);
    if (d) continue;
    if (!keep_going_ || quiet_ > 0 || d.error().status == exit_status::interrupted) return d;
    if (result) result = std::move(d);
  }
  return result;
}

done interpreter::loop(const statement& s) {
  line l = s.at;
  if (auto d = split(l); !d) return fail(d.error(), l);
  arguments args(l);
  const auto name = args.take("a name for the variable");
  if (!name) return fail(name.error(), l);
  if (auto d = check_variable(name->text, name->column); !d) return fail(d.error(), l);
  const std::size_t column = args.column();
  if (!args.take_keyword("in")) return fail({"for NAME in WORD...", column}, l);
  done result;
  for (const word& w : args.take_all()) {
    if (bench_.quitting) break;
    variables_.set(name->text, w.quoted ? value::of_text(w.text) : value_of_word(w.text));
    auto d = one_round(s);
    if (d) continue;
    if (!keep_going_ || quiet_ > 0 || d.error().status == exit_status::interrupted) return d;
    if (result) result = std::move(d);
  }
  return result;
}

}  // namespace nvmf::cli::repl
