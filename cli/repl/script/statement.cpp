// SPDX-License-Identifier: BSD-2-Clause
#include "statement.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "wire/text_error.hpp"

namespace nvmf::cli::repl {
namespace {

bool opens(statement_kind k) {
  return k == statement_kind::if_ || k == statement_kind::repeat || k == statement_kind::for_;
}
bool joins(statement_kind k) {
  return k == statement_kind::elif || k == statement_kind::else_ || k == statement_kind::end;
}

}  // namespace

done script_verb::run(workbench&, arguments args) const {
  return wrong(fmt::format("{} stands alone in a line of a script", info_.name),
               args.line().text.find_first_not_of(" \t"));
}

std::optional<word> first_word(std::string_view text) {
  const std::size_t from = text.find_first_not_of(" \t");
  if (from == std::string_view::npos || text[from] == '#') return std::nullopt;
  const std::size_t end = std::min(text.find_first_of(" \t", from), text.size());
  return word{std::string{text.substr(from, end - from)}, from};
}

statement_kind kind_of(const word& first) {
  const auto v = find_verb(first);
  if (!v) return statement_kind::plain;
  const auto* script = dynamic_cast<const script_verb*>(*v);
  return script == nullptr ? statement_kind::plain : script->kind();
}

line without(const line& l, std::size_t n) {
  line rest = l;
  std::fill_n(rest.text.begin(), std::min(n, rest.text.size()), ' ');
  rest.words.clear();
  return rest;
}

// else, elif and end.
done block_reader::join(line l, statement_kind kind, const word& first) {
  if (open_.empty())
    return wrong(fmt::format("{} has no {} before it", first.text,
                             kind == statement_kind::end ? "if, repeat or for" : "if"),
                 first.column);
  const std::size_t after = first.column + first.text.size();
  if (kind != statement_kind::elif)
    if (const auto more = first_word(std::string_view{l.text}.substr(after)))
      return wrong(fmt::format("{} is not expected here", wire::quoted(more->text)),
                   after + more->column);
  if (kind == statement_kind::end) return {};
  statement& s = open_.back();
  if (s.kind != statement_kind::if_)
    return wrong(fmt::format("{} belongs to an if, and line {} is none", first.text, s.at.number),
                 first.column);
  const auto last = first_word(s.branches.back().head.text);
  if (s.branches.size() > 1 && last && kind_of(*last) == statement_kind::else_)
    return wrong(
        fmt::format("{} after the else of line {}", first.text, s.branches.back().head.number),
        first.column);
  s.branches.push_back({std::move(l), {}});
  return {};
}

std::expected<std::optional<statement>, complaint> block_reader::take(line l) {
  const auto first = first_word(l.text);
  if (!first) return std::nullopt;
  const statement_kind kind = kind_of(*first);
  if (open() && ++lines_ > block_lines_max)
    return wrong(fmt::format("a block has at most {} lines", block_lines_max), first->column);
  if (opens(kind)) {
    if (open_.size() == block_depth_max)
      return wrong(fmt::format("more than {} blocks within each other", block_depth_max),
                   first->column);
    statement s{l, kind};
    s.branches.push_back({std::move(l), {}});
    open_.push_back(std::move(s));
    return std::nullopt;
  }
  statement whole{l, kind};
  if (joins(kind)) {
    if (auto d = join(l, kind, *first); !d) return std::unexpected(d.error());
    if (kind != statement_kind::end) return std::nullopt;
    whole = std::move(open_.back());
    open_.pop_back();
  }
  if (open()) {
    open_.back().branches.back().body.push_back(std::move(whole));
    return std::nullopt;
  }
  lines_ = 0;
  return whole;
}

std::pair<complaint, line> block_reader::unfinished() const {
  const line& l = open_.back().at;
  const auto first = first_word(l.text);
  return {complaint{fmt::format("no end ends this {}", first->text), first->column}, l};
}

void block_reader::forget() {
  open_.clear();
  lines_ = 0;
}

}  // namespace nvmf::cli::repl
