// SPDX-License-Identifier: BSD-2-Clause
#include "usage.hpp"

#include <algorithm>

namespace nvmf::cli::repl {
namespace {

bool capital(char c) { return c >= 'A' && c <= 'Z'; }

std::vector<std::string_view> split_at(std::string_view text, char mark) {
  std::vector<std::string_view> parts;
  for (;;) {
    const std::size_t end = text.find(mark);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

class reader {
 public:
  explicit reader(std::string_view text) : text_(text) {}

  usage_form form() {
    usage_form f;
    std::vector<std::size_t> open;  // items at which groups begin
    while (!text_.empty()) {
      const char c = text_.front();
      if (c == ' ') {
        text_.remove_prefix(1);
      } else if (c == '[') {
        text_.remove_prefix(1);
        open.push_back(f.items.size());
      } else if (c == ']') {
        text_.remove_prefix(1);
        const bool again = dots();
        if (!open.empty()) close(f, open.back(), again);
        if (!open.empty()) open.pop_back();
      } else {
        f.items.push_back({split_at(token(), '|')});
        if (dots()) f.items.back().again = f.items.size() - 1;
      }
    }
    return f;
  }

 private:
  // Up to a blank, or the bracket that ends a group; BUF[OFFSET,LENGTH] is one.
  std::string_view token() {
    std::size_t n = 0, depth = 0;
    for (; n < text_.size(); ++n) {
      if (depth == 0 && (text_[n] == ' ' || text_[n] == ']' || text_.substr(n).starts_with("...")))
        break;
      if (text_[n] == '[') ++depth;
      if (text_[n] == ']') --depth;
    }
    const auto taken = text_.substr(0, n);
    text_.remove_prefix(n);
    return taken;
  }
  bool dots() {
    if (!text_.starts_with("...")) return false;
    text_.remove_prefix(3);
    return true;
  }
  static void close(usage_form& f, std::size_t from, bool again) {
    if (from == f.items.size()) return;
    auto& only = f.items[from];
    const bool single = f.items.size() == from + 1 && only.choices.size() == 1;
    if (single && is_literal(only.choices.front())) {  // an option
      f.anywhere.push_back(only.choices.front());
      f.items.pop_back();
      return;
    }
    only.skip_to = f.items.size();
    if (again) f.items.back().again = from;
  }

  std::string_view text_;
};

struct state {
  std::size_t at = 0;
  std::vector<std::pair<std::string_view, std::size_t>> known;
};

void reach(const usage_form& f, std::vector<state>& states) {
  for (std::size_t i = 0; i < states.size(); ++i) {
    const state from = states[i];
    if (from.at >= f.items.size() || f.items[from.at].skip_to == 0) continue;
    const std::size_t to = f.items[from.at].skip_to;
    if (std::ranges::none_of(states, [to](const state& s) { return s.at == to; }))
      states.push_back({to, from.known});
  }
}

bool takes(std::string_view choice, std::string_view word) {
  if (!is_literal(choice)) return true;
  const std::size_t equals = choice.find('=');
  if (equals == std::string_view::npos) return choice == word;
  return word.starts_with(choice.substr(0, equals + 1)) || word == choice.substr(0, equals);
}

}  // namespace

bool is_literal(std::string_view choice) { return !choice.empty() && !capital(choice.front()); }

std::string_view kind_of(std::string_view choice) {
  std::size_t n = 0;
  while (n < choice.size() && capital(choice[n])) ++n;
  return choice.substr(0, n);
}

std::vector<usage_form> parse_usage(std::string_view usage) {
  std::vector<usage_form> forms;
  for (;;) {
    const std::size_t bar = usage.find(" | ");
    forms.push_back(reader(usage.substr(0, bar)).form());
    if (bar == std::string_view::npos) return forms;
    usage.remove_prefix(bar + 3);
  }
}

usage_place place_in_usage(std::string_view usage, const std::vector<std::string_view>& words) {
  usage_place place;
  for (const usage_form& f : parse_usage(usage)) {
    std::vector<state> states{{}};
    std::vector<std::string_view> options = f.anywhere;
    for (std::size_t w = 1; w < words.size(); ++w) {
      const auto option =
          std::ranges::find_if(options, [&](auto choice) { return takes(choice, words[w]); });
      if (option != options.end()) {
        options.erase(option);
        continue;
      }
      reach(f, states);
      std::vector<state> next;
      for (const state& s : states) {
        if (s.at >= f.items.size()) continue;
        const auto& item = f.items[s.at];
        const auto choice =
            std::ranges::find_if(item.choices, [&](auto c) { return takes(c, words[w]); });
        if (choice == item.choices.end()) continue;
        auto known = s.known;
        if (!is_literal(*choice)) known.emplace_back(kind_of(*choice), w);
        if (item.again != usage_form::none) next.push_back({item.again, known});
        next.push_back({s.at + 1, std::move(known)});
      }
      states = std::move(next);
    }
    reach(f, states);
    if (!states.empty()) place.choices.insert(place.choices.end(), options.begin(), options.end());
    for (const state& s : states) {
      if (place.known.empty()) place.known = s.known;
      if (s.at >= f.items.size()) continue;
      const auto& choices = f.items[s.at].choices;
      place.choices.insert(place.choices.end(), choices.begin(), choices.end());
    }
  }
  return place;
}

}  // namespace nvmf::cli::repl
