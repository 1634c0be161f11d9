// SPDX-License-Identifier: BSD-2-Clause
// The usage of a verb, read by a program: "NAME BUF[OFFSET,LENGTH]... [fill=PATTERN]".
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace nvmf::cli::repl {

// One way in which the words of a verb may stand.
struct usage_form {
  struct item {
    std::vector<std::string_view> choices;  // "on", "off", "QUEUE", "FIELD=VALUE"
    std::size_t skip_to = 0;                // 0: it must be there; else what may stand instead
    std::size_t again = none;               // where what may be repeated begins
  };
  static constexpr std::size_t none = ~std::size_t{0};
  std::vector<item> items;
  std::vector<std::string_view> anywhere;  // "hdgst", "maxr2t=N"
};

std::vector<usage_form> parse_usage(std::string_view usage);

// "on", "hdgst", "maxr2t=": a word that is typed as it stands here. The part after = may be a kind.
bool is_literal(std::string_view choice);
// "BUF" of "BUF[OFFSET,LENGTH]".
std::string_view kind_of(std::string_view choice);

// What a usage says at a place.
struct usage_place {
  std::vector<std::string_view> choices;  // of the next word
  // The words so far that stand for a kind: {"SQE", 1} for the word at index 1.
  std::vector<std::pair<std::string_view, std::size_t>> known;
};
// After `words`, the first of which is the verb.
usage_place place_in_usage(std::string_view usage, const std::vector<std::string_view>& words);

}  // namespace nvmf::cli::repl
