// SPDX-License-Identifier: BSD-2-Clause
#include "verbs.hpp"

#include <fmt/format.h>

#include "wire/commands.hpp"
#include "wire/names.hpp"

namespace nvmf::cli::repl {

std::span<const std::unique_ptr<const verb>> all_verbs() {
  static const verb_list list = [] {
    verb_list made;
    add_connection_verbs(made);
    add_queue_verbs(made);
    add_capsule_verbs(made);
    add_memory_verbs(made);
    add_byte_verbs(made);
    add_sending_verbs(made);
    add_tracing_verbs(made);
    add_shortcut_verbs(made);
    add_listening_verbs(made);
    add_incoming_verbs(made);
    add_script_verbs(made);
    add_breaking_verbs(made);
    add_break_verbs(made);
    add_stepping_verbs(made);
    add_inside_verbs(made);
    add_session_verbs(made);
    return made;
  }();
  return list;
}

std::expected<const verb*, complaint> find_verb(const word& typed) {
  const std::string name = wire::to_kebab(typed.text);
  std::vector<std::string_view> names, begun;
  const verb* found = nullptr;
  for (const auto& v : all_verbs()) {
    if (v->info().name == name) return v.get();
    names.push_back(v->info().name);
    if (!v->info().name.starts_with(name)) continue;
    begun.push_back(v->info().name);
    found = v.get();
  }
  // Names of commands are taken whole: there are too many to begin like them by chance.
  if (wire::parse_command(typed.text)) return &command_verb();
  if (begun.size() == 1) return found;
  if (begun.empty())
    return wrong(fmt::format("{} is not a command{} (help lists them)", wire::quoted(typed.text),
                             wire::did_you_mean(typed.text, names)),
                 typed.column);
  return wrong(fmt::format("{} may be {}", wire::quoted(typed.text), fmt::join(begun, ", ")),
               typed.column);
}

}  // namespace nvmf::cli::repl
