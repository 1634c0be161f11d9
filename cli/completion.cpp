// SPDX-License-Identifier: BSD-2-Clause
// A bash completion script. It holds the words of every table, so that completing starts no
// program, except for the names that `describe` knows, which are many.
#include <fmt/format.h>

#include "help.hpp"

namespace nvmf::cli {
namespace {

std::string words_of(const option_table& table) {
  std::string words;
  for (const option& row : table.rows()) {
    if (row.positional()) continue;
    if (!row.short_name().empty()) words.append(row.short_name()).append(" ");
    if (row.long_name() != row.short_name()) words.append(row.long_name()).append(" ");
  }
  if (!words.empty()) words.pop_back();
  return words;
}

// What COMPREPLY becomes for a value.
std::string reply(const option& row) {
  switch (row.completion) {
    case completes::file:
      return "COMPREPLY=($(compgen -f -- \"$cur\"))";
    case completes::choices: {
      std::string words;
      for (const std::string_view c : row.choices) words.append(c).append(" ");
      if (!words.empty()) words.pop_back();
      return fmt::format("COMPREPLY=($(compgen -W '{}' -- \"$cur\"))", words);
    }
    case completes::command:
      return "COMPREPLY=($(compgen -W \"$commands\" -- \"$cur\"))";
    case completes::description:
      return "COMPREPLY=($(compgen -W \"$(\"${words[0]}\" describe --names 2>/dev/null)\" -- "
             "\"$cur\"))";
    case completes::nothing:
      break;
  }
  return "COMPREPLY=()";
}

// case lines "command:--option)" that complete the value of the option before the cursor.
std::string value_cases(std::string_view command, const option_table& table) {
  std::string out;
  for (const option& row : table.rows()) {
    if (row.positional() || row.wants != option::takes::value) continue;
    std::string pattern = fmt::format("{}:{}", command, row.long_name());
    if (!row.short_name().empty() && row.short_name() != row.long_name())
      pattern += fmt::format("|{}:{}", command, row.short_name());
    out += fmt::format("    {}) {}; return ;;\n", pattern, reply(row));
  }
  return out;
}

}  // namespace

std::string bash_completion(command_list list, const option_table& globals) {
  std::string names, values, options, places;
  for (const command_factory make : list) {
    const auto cmd = make();
    option_table table;
    cmd->add_options(table);
    const std::string_view name = cmd->info().name;
    names.append(names.empty() ? "" : " ").append(name);
    values += value_cases(name, table);
    options += fmt::format("    {}) options='{}' ;;\n", name, words_of(table));
    for (const option& row : table.rows())
      if (row.positional() && row.completion != completes::nothing)
        places += fmt::format("    {}) {} ;;\n", name, reply(row));
  }
  return fmt::format(R"(# SPDX-License-Identifier: BSD-2-Clause
# bash completion for nvmfctl; made by `nvmfctl completion`.
_nvmfctl() {{
  local cur=${{COMP_WORDS[COMP_CWORD]}} prev=${{COMP_WORDS[COMP_CWORD-1]}}
  local words=("${{COMP_WORDS[@]}}") command='' options='' i
  local commands='{0}'
  for ((i = 1; i < COMP_CWORD; i++)); do
    [[ ${{words[i]}} == -* || " $commands " != *" ${{words[i]}} "* ]] && continue
    command=${{words[i]}}
    break
  done
  case "*:$prev" in
{1}  esac
  case "$command:$prev" in
{2}  esac
  case $command in
{3}  esac
  if [[ $cur == -* ]]; then
    COMPREPLY=($(compgen -W "$options {4}" -- "$cur"))
    return
  fi
  case $command in
    '') COMPREPLY=($(compgen -W "$commands" -- "$cur")) ;;
{5}    *) COMPREPLY=() ;;
  esac
}}
complete -F _nvmfctl nvmfctl
)",
                     names, value_cases("\\*", globals), values, options, words_of(globals),
                     places);
}

}  // namespace nvmf::cli
