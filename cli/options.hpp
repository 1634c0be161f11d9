// SPDX-License-Identifier: BSD-2-Clause
// The options of a command as a table. Command line, REPL, help, completion and man page read it.
// A row is bound to a member of the command object that it fills.
#pragma once

#include <fmt/format.h>

#include <chrono>
#include <cstdint>
#include <deque>
#include <expected>
#include <functional>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "wire/numbers.hpp"

namespace nvmf::cli {

// What may follow on the command line; completion uses it too.
enum class completes : std::uint8_t { nothing, file, choices, command, description };

struct duration_range {
  std::chrono::milliseconds min{0};
  std::chrono::milliseconds max = std::chrono::milliseconds::max();
};

struct option {
  enum class takes : std::uint8_t {
    nothing,   // a flag
    value,     // "--qid 3" or "--qid=3"
    optional,  // "--hold" or "--hold=3", never "--hold 3"
  };

  std::string_view names;  // "-q,--hostnqn"; a positional argument has no dashes: "URI"
  std::string_view value;  // "NQN": what the value is called; empty for a flag
  std::string help;        // a phrase, first letter lower case, no full stop
  std::string fallback;    // the default, as text; empty when there is none to tell
  takes wants = takes::nothing;
  bool repeats = false;   // may be given several times
  bool required = false;  // positional arguments only
  completes completion = completes::nothing;
  std::vector<std::string_view> choices;
  // Takes the text in; the error says what is wrong with it. A flag gets "".
  std::function<std::expected<void, std::string>(std::string_view)> set;

  bool positional() const { return names.front() != '-'; }
  std::string_view long_name() const;   // "--hostnqn"; the only name if there is just one
  std::string_view short_name() const;  // "-q" or empty
};

class option_table {
 public:
  // Rows are kept in the order they are added; that is the order of help.
  option& add(option row);

  option& flag(std::string_view names, bool& target, std::string_view help);
  option& text(std::string_view names, std::string_view value, std::string& target,
               std::string_view help);
  option& texts(std::string_view names, std::string_view value, std::vector<std::string>& target,
                std::string_view help);
  option& size(std::string_view names, std::string_view value, std::uint64_t& target,
               std::string_view help, wire::number_range range = {}, std::uint64_t step = 1);
  // A number without a unit counts in `plain`.
  option& duration(std::string_view names, std::string_view value,
                   std::chrono::milliseconds& target, std::chrono::milliseconds plain,
                   std::string_view help, duration_range range = {});
  template <class T>
  option& number(std::string_view names, std::string_view value, T& target, std::string_view help,
                 std::uint64_t min = 0, std::uint64_t max = std::numeric_limits<T>::max());
  // One of `names_of` by name; the value is the index.
  option& choice(std::string_view names, std::string_view value, std::size_t& target,
                 std::span<const std::string_view> names_of, std::string_view help);
  // Any conversion: `set` is called with the text.
  option& custom(std::string_view names, std::string_view value, std::string_view help,
                 std::function<std::expected<void, std::string>(std::string_view)> set);

  const std::deque<option>& rows() const { return rows_; }
  const option* find(std::string_view name) const;

 private:
  std::deque<option> rows_;  // references to rows stay good
};

template <class T>
option& option_table::number(std::string_view names, std::string_view value, T& target,
                             std::string_view help, std::uint64_t min, std::uint64_t max) {
  option& row =
      custom(names, value, help,
             [&target, min, max](std::string_view text) -> std::expected<void, std::string> {
               const auto n = wire::parse_number(text, {}, {.min = min, .max = max});
               if (!n) return std::unexpected(to_text(n.error()));
               target = static_cast<T>(*n);
               return {};
             });
  row.fallback = fmt::format("{}", target);
  return row;
}

}  // namespace nvmf::cli
