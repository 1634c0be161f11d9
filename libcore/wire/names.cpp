// SPDX-License-Identifier: BSD-2-Clause
#include "names.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "numbers.hpp"

namespace nvmf::wire {

namespace {

// Longer words are not misspelt names; the bound keeps the work on hostile input small.
constexpr std::size_t longest_word = 64;

// Insertions, deletions, replacements and swaps of neighbours that turn a into b.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::array<std::array<std::size_t, longest_word + 1>, 3> d{};
  auto* before = &d[0];
  auto* last = &d[1];
  auto* now = &d[2];
  for (std::size_t j = 0; j <= b.size(); ++j) (*last)[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    (*now)[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t cost = a[i - 1] == b[j - 1] ? 0 : 1;
      std::size_t best = std::min({(*last)[j] + 1, (*now)[j - 1] + 1, (*last)[j - 1] + cost});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        best = std::min(best, (*before)[j - 2] + 1);
      (*now)[j] = best;
    }
    auto* free = before;
    before = last;
    last = now;
    now = free;
  }
  return (*last)[b.size()];
}

// The specification's way of writing hexadecimal: 0Bh.
bool is_spec_hex(std::string_view typed) {
  return typed.size() > 1 && (typed.back() == 'h' || typed.back() == 'H') &&
         typed.find_first_not_of("0123456789abcdefABCDEF") == typed.size() - 1;
}
std::string from_spec_hex(std::string_view typed) {
  return "0x" + std::string(typed.substr(0, typed.size() - 1));
}

std::expected<std::uint64_t, text_error> parse_one(const table& t, std::string_view typed,
                                                   std::string_view what, std::uint64_t max) {
  if (const row* r = find_name(t, typed)) return r->value;
  if (is_spec_hex(typed)) return parse_number(from_spec_hex(typed), what, {.max = max});
  if (!typed.empty() && typed[0] >= '0' && typed[0] <= '9')
    return parse_number(typed, what, {.max = max});
  const auto names = names_of(t);
  return std::unexpected(text_error{
      std::string(what), 0,
      fmt::format("{} is neither a {} nor a number{}", quoted(typed), t.name,
                  did_you_mean(typed, names)),
      t.rows.empty() ? "" : fmt::format("{} or 0x{:02x}", t.rows[0].name, t.rows[0].value)});
}

}  // namespace

std::string to_kebab(std::string_view typed) {
  std::string out(typed);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    if (c == '_') c = '-';
  }
  return out;
}

const row* find_name(const table& t, std::string_view typed) {
  const std::string name = to_kebab(typed);
  if (const row* r = t.find(std::string_view(name))) return r;
  for (const short_form& s : t.short_forms)
    if (s.name == name) return t.find(s.of);
  return nullptr;
}

const row* find_row(const table& t, std::string_view typed) {
  if (const row* r = find_name(t, typed)) return r;
  const std::string number = is_spec_hex(typed) ? from_spec_hex(typed) : std::string(typed);
  const auto value =
      parse_number(number, t.name, {.max = std::numeric_limits<std::uint32_t>::max()});
  return value ? t.find(static_cast<std::uint32_t>(*value)) : nullptr;
}

std::expected<std::uint64_t, text_error> parse_value(const table& t, std::string_view typed,
                                                     std::string_view what, std::uint64_t max) {
  std::uint64_t value = 0;
  std::size_t start = 0;
  while (true) {
    const std::size_t end = t.flags ? typed.find_first_of(",|", start) : std::string_view::npos;
    const auto part = typed.substr(start, end == std::string_view::npos ? end : end - start);
    auto one = parse_one(t, part, what, max);
    if (!one) {
      one.error().position += start;
      return one;
    }
    if (*one > max)
      return std::unexpected(
          text_error{std::string(what), start,
                     fmt::format("{} (0x{:x}) is more than 0x{:x}", part, *one, max), ""});
    value |= *one;
    if (end == std::string_view::npos) return value;
    start = end + 1;
  }
}

std::vector<std::string_view> names_of(const table& t) {
  std::vector<std::string_view> out;
  out.reserve(t.rows.size() + t.short_forms.size());
  for (const row& r : t.rows) out.push_back(r.name);
  for (const short_form& s : t.short_forms) out.push_back(s.name);
  return out;
}

std::vector<std::string_view> nearest(std::string_view word,
                                      std::span<const std::string_view> candidates,
                                      std::size_t limit) {
  struct scored {
    std::size_t score;
    std::size_t order;
    std::string_view name;
  };
  std::vector<scored> near;
  if (word.empty() || word.size() > longest_word) return {};
  const std::string w = to_kebab(word);
  for (std::string_view c : candidates) {
    // What was typed helps nobody, nor does a name that two structures have.
    if (c.size() > longest_word || c == word) continue;
    if (std::ranges::find(near, c, &scored::name) != near.end()) continue;
    const std::string k = to_kebab(c);
    // A word of three letters or more that the candidate starts with or contains is meant more
    // often than not; else a third of the letters may be wrong.
    const std::size_t allowed = std::max<std::size_t>(1, std::max(w.size(), k.size()) / 3);
    const std::size_t longer = std::max(w.size(), k.size()) - std::min(w.size(), k.size());
    std::size_t score = w.size();  // as good as nothing in common
    if (k == w)
      score = 0;
    else if (w.size() >= 3 && k.starts_with(w))
      score = 1;
    else if (w.size() >= 3 && k.find(w) != std::string::npos)
      score = 2;
    else if (longer <= allowed)
      if (const std::size_t d = edit_distance(w, k); d <= allowed) score = d;
    if (score < w.size()) near.push_back({score, near.size(), c});
  }
  // Not stable_sort: libstdc++ 12's calls what Clang says is deprecated.
  std::ranges::sort(near, {}, [](const scored& s) { return std::pair(s.score, s.order); });
  // A much worse candidate beside a good one is noise.
  std::vector<std::string_view> out;
  for (const scored& s : near)
    if (out.size() < limit && s.score <= near.front().score + 1) out.push_back(s.name);
  return out;
}

std::string did_you_mean(std::string_view word, std::span<const std::string_view> candidates) {
  const auto near = nearest(word, candidates);
  if (near.empty()) return {};
  std::string out = "; did you mean ";
  for (std::size_t i = 0; i < near.size(); ++i) {
    if (i > 0) out += i + 1 == near.size() ? " or " : ", ";
    out += near[i];
  }
  return out + "?";
}

}  // namespace nvmf::wire
