// SPDX-License-Identifier: BSD-2-Clause
// From argv to filled-in options. CLI11 does the splitting; the tables say what there is.
#pragma once

#include <expected>
#include <span>
#include <string>
#include <vector>

#include "options.hpp"

namespace nvmf::cli {

// What an argv falls into before any option is looked at closely.
struct split_arguments {
  std::string command;                // first word that is not an option; empty: none
  std::vector<std::string> words;     // all the others before "--"
  std::vector<std::string> trailing;  // what stands after "--"
  bool has_trailing = false;
};
// `globals` tells which options before the command take a value.
split_arguments split(std::span<const std::string> argv, const option_table& globals);

// Fills both tables from `words`, in the order they stand there. The error is a sentence:
// "unknown option '--qdi' (did you mean '--qid'?)".
std::expected<void, std::string> fill_options(const option_table& globals,
                                              const option_table& options,
                                              std::span<const std::string> words);

}  // namespace nvmf::cli
