// SPDX-License-Identifier: BSD-2-Clause
#include "arguments.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "wire/numbers.hpp"
#include "wire/quantities.hpp"

namespace nvmf::cli::repl {
namespace {

complaint at_word(const word& w, const wire::text_error& e) {
  // Columns within quoted words are those of the word: escapes have changed the rest.
  return {to_text(e), w.quoted || w.expanded ? w.column : w.column + e.position};
}

template <class T>
std::expected<T, complaint> placed(std::expected<T, wire::text_error> r, const word& w) {
  if (!r) return std::unexpected(at_word(w, r.error()));
  return *r;
}

}  // namespace

arguments::arguments(const repl::line& of) : line_(of), words_(of.words) {
  if (!words_.empty()) words_.erase(words_.begin());  // the verb
}

std::size_t arguments::column() const {
  return words_.empty() ? line_.text.size() : words_.front().column;
}

std::expected<word, complaint> arguments::take(std::string_view what) {
  if (words_.empty()) return wrong(fmt::format("{} is missing here", what), line_.text.size());
  word w = std::move(words_.front());
  words_.erase(words_.begin());
  return w;
}

bool arguments::take_keyword(std::string_view keyword) {
  if (words_.empty() || words_.front().quoted || words_.front().text != keyword) return false;
  words_.erase(words_.begin());
  return true;
}

std::optional<word> arguments::take_option(std::string_view name) {
  for (auto it = words_.begin(); it != words_.end(); ++it) {
    std::optional<word> found;
    if (it->text == name && !it->quoted)
      found = word{"on", it->column};
    else if (it->text.size() > name.size() && it->text.starts_with(name) &&
             it->text[name.size()] == '=')
      found = it->from(name.size() + 1);
    if (!found) continue;
    words_.erase(it);
    return found;
  }
  return std::nullopt;
}

std::expected<std::optional<std::uint64_t>, complaint> arguments::take_number(std::string_view name,
                                                                              std::uint64_t max) {
  const auto w = take_option(name);
  if (!w) return std::optional<std::uint64_t>{};
  return number_of(*w, name, max);
}

std::expected<std::optional<bool>, complaint> arguments::take_flag(std::string_view name) {
  const auto w = take_option(name);
  if (!w) return std::optional<bool>{};
  if (w->text == "on" || w->text == "1") return true;
  if (w->text == "off" || w->text == "0") return false;
  return wrong(fmt::format("{}: {} is not on or off", name, wire::quoted(w->text)), w->column);
}

std::expected<std::optional<std::chrono::nanoseconds>, complaint> arguments::take_time(
    std::string_view name) {
  const auto w = take_option(name);
  if (!w) return std::optional<std::chrono::nanoseconds>{};
  return time_of(*w, name);
}

std::expected<std::optional<word>, complaint> arguments::take_pair(std::string_view keyword,
                                                                   std::string_view what) {
  const auto at =
      std::ranges::find_if(words_, [&](const word& w) { return w.text == keyword && !w.quoted; });
  if (at == words_.end()) return std::optional<word>{};
  if (std::next(at) == words_.end())
    return wrong(fmt::format("{} is missing here", what), line_.text.size());
  word found = std::move(*std::next(at));
  words_.erase(at, at + 2);
  return found;
}

std::string_view arguments::take_rest() {
  const std::size_t from = column();
  words_.clear();
  return std::string_view{line_.text}.substr(from);
}

done arguments::end() const {
  if (words_.empty()) return {};
  return wrong(fmt::format("{} is not expected here", wire::quoted(words_.front().text)),
               words_.front().column);
}

std::expected<std::uint64_t, complaint> number_of(const word& w, std::string_view what,
                                                  std::uint64_t max) {
  return placed(wire::parse_number(w.text, what, {.max = max}), w);
}

std::expected<std::uint64_t, complaint> size_of(const word& w, std::string_view what,
                                                std::uint64_t max) {
  return placed(wire::parse_size(w.text, what, {.max = max}), w);
}

std::expected<std::chrono::nanoseconds, complaint> time_of(const word& w, std::string_view what) {
  return placed(wire::parse_time(w.text, what), w);
}

}  // namespace nvmf::cli::repl
