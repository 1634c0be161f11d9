// SPDX-License-Identifier: BSD-2-Clause
#include "arguments.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "wire/names.hpp"

namespace nvmf::cli {
namespace {

using error = std::unexpected<std::string>;

struct bound {
  const option* row;
  CLI::Option* parsed;
  std::size_t next = 0;  // occurrence to fill in next
};

bound bind(CLI::App& app, const option& row) {
  CLI::Option* parsed = nullptr;
  if (row.wants == option::takes::value) {
    parsed = app.add_option(std::string{row.names})->type_size(1)->expected(1);
    parsed->allow_extra_args(false);
  } else {
    parsed = app.add_flag(std::string{row.names});
    if (row.wants == option::takes::nothing) parsed->disable_flag_override();
  }
  parsed->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  return {.row = &row, .parsed = parsed};
}

// CLI11 keeps "true" for a flag that stands alone.
std::string flag_text(const std::string& word) { return word == "true" ? "" : word; }

std::string unknown(const option_table& globals, const option_table& options,
                    const std::string& word) {
  std::vector<std::string_view> names;
  for (const option_table* table : {&options, &globals})
    for (const option& row : table->rows())
      if (!row.positional()) names.push_back(row.long_name());
  const std::string typed = word.substr(0, word.find('='));
  const std::string near = wire::did_you_mean(typed, names);
  return fmt::format("unknown option {}{}", wire::quoted(typed),
                     near.empty() ? " (see --help)" : near);
}

class filler {
 public:
  filler(const option_table& globals, const option_table& options)
      : globals_(globals), options_(options) {
    app_.set_help_flag();
    app_.allow_extras();
    for (const option_table* table : {&globals, &options})
      for (const option& row : table->rows())
        if (row.positional())
          places_.push_back(&row);
        else
          bound_.push_back(bind(app_, row));
  }

  std::expected<void, std::string> fill(std::span<const std::string> words) {
    std::vector<std::string> reversed{words.rbegin(), words.rend()};
    try {
      app_.parse(std::move(reversed));
    } catch (const CLI::ParseError& e) {
      return error(explain(e));
    }
    for (const CLI::Option* seen : app_.parse_order())
      if (auto done = take(seen); !done) return done;
    return fill_places(app_.remaining());
  }

 private:
  std::expected<void, std::string> take(const CLI::Option* seen) {
    for (bound& b : bound_) {
      if (b.parsed != seen || b.next >= seen->results().size()) continue;
      if (b.next > 0 && !b.row->repeats && b.row->wants == option::takes::value)
        return error(fmt::format("{} is given twice", b.row->long_name()));
      const std::string& word = seen->results()[b.next++];
      const auto done = b.row->set(b.row->wants == option::takes::value ? word : flag_text(word));
      if (!done) return error(fmt::format("{}: {}", b.row->long_name(), done.error()));
    }
    return {};
  }

  // Words that no option took: positional arguments in the order of the table.
  std::expected<void, std::string> fill_places(const std::vector<std::string>& words) {
    for (const std::string& word : words)
      if (word.size() > 1 && word.front() == '-') return error(unknown(globals_, options_, word));
    std::size_t place = 0, filled = 0;
    for (const std::string& word : words) {
      if (place == places_.size())
        return error(fmt::format("unexpected argument {} (see --help)", wire::quoted(word)));
      if (const auto done = places_[place]->set(word); !done) return error(done.error());
      ++filled;
      if (!places_[place]->repeats) {
        ++place;
        filled = 0;
      }
    }
    for (; place < places_.size(); ++place, filled = 0)
      if (places_[place]->required && filled == 0)
        return error(fmt::format("{} is missing (see --help)", places_[place]->names));
    return {};
  }

  // CLI11's message begins with the option's name; the rest is said in this program's voice.
  std::string explain(const CLI::ParseError& e) const {
    const std::string_view said = e.what();
    for (const bound& b : bound_) {
      const std::string_view name = b.row->long_name();
      const std::string_view bare = name.substr(name.find_first_not_of('-'));
      if (!said.starts_with(fmt::format("{}:", name)) &&
          !said.starts_with(fmt::format("{} ", bare)))
        continue;
      if (b.row->wants == option::takes::value)
        return fmt::format("{} needs a value: {}", name, b.row->value);
      return fmt::format("{} takes no value", name);
    }
    return fmt::format("{} (see --help)", said);
  }

  const option_table& globals_;
  const option_table& options_;
  CLI::App app_;
  std::vector<bound> bound_;
  std::vector<const option*> places_;
};

}  // namespace

split_arguments split(std::span<const std::string> argv, const option_table& globals) {
  split_arguments parts;
  for (std::size_t i = 0; i < argv.size(); ++i) {
    const std::string& word = argv[i];
    if (word == "--") {
      parts.has_trailing = true;
      parts.trailing.assign(argv.begin() + static_cast<std::ptrdiff_t>(i) + 1, argv.end());
      break;
    }
    if (parts.command.empty() && (word.empty() || word.front() != '-')) {
      parts.command = word;
      continue;
    }
    parts.words.push_back(word);
    // The value of a global option before the command is not the command.
    const option* row = parts.command.empty() ? globals.find(word) : nullptr;
    if (row != nullptr && row->wants == option::takes::value && i + 1 < argv.size())
      parts.words.push_back(argv[++i]);
  }
  return parts;
}

std::expected<void, std::string> fill_options(const option_table& globals,
                                              const option_table& options,
                                              std::span<const std::string> words) {
  return filler{globals, options}.fill(words);
}

}  // namespace nvmf::cli
