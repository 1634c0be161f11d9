// SPDX-License-Identifier: BSD-2-Clause
// What Tab offers. A verb's usage says what it takes next: a word in lower case is that word, one
// in capitals is a kind of thing (`NAME`, `SQE`, `FIELD=VALUE`), [ ] may be left out, | is one or
// the other, ... is any number of them.
#pragma once

#include "line_editor.hpp"
#include "verb.hpp"

namespace nvmf::cli::repl {

// `variables`: what a $ may be followed by.
completions complete_at(const workbench& bench, std::string_view before_cursor,
                        std::span<const std::string_view> variables = {});

// By the usage of a verb: whole words that may stand in the place of the last of `words`, which
// begin with the verb.
std::vector<std::string> complete_by_usage(const verb_info& verb, const workbench& bench,
                                           std::span<const word> words);

// The words in capitals of a usage that stand for no kind of thing.
std::vector<std::string> unknown_kinds(std::string_view usage);

// In columns of a screen of that width, each line with its end; the first few hundred of many.
std::string in_columns(const std::vector<std::string>& words, unsigned screen_columns);

}  // namespace nvmf::cli::repl
