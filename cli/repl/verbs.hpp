// SPDX-License-Identifier: BSD-2-Clause
// The factories behind all_verbs(); each file of verbs/ gives one group.
#pragma once

#include <memory>
#include <vector>

#include "verb.hpp"

namespace nvmf::cli::repl {

using verb_list = std::vector<std::unique_ptr<const verb>>;

void add_connection_verbs(verb_list& to);
void add_queue_verbs(verb_list& to);
void add_capsule_verbs(verb_list& to);
void add_listening_verbs(verb_list& to);
void add_incoming_verbs(verb_list& to);
void add_memory_verbs(verb_list& to);
void add_shortcut_verbs(verb_list& to);
void add_byte_verbs(verb_list& to);
void add_sending_verbs(verb_list& to);
void add_script_verbs(verb_list& to);
void add_breaking_verbs(verb_list& to);
void add_tracing_verbs(verb_list& to);
void add_break_verbs(verb_list& to);
void add_stepping_verbs(verb_list& to);
void add_inside_verbs(verb_list& to);
void add_session_verbs(verb_list& to);

// What runs any command of the tables that is no verb of its own.
const verb& command_verb();

// Almost every verb: what it says of itself, and a function.
class simple_verb final : public verb {
 public:
  using action = done (*)(workbench&, arguments);
  simple_verb(verb_info info, action does) : info_(info), does_(does) {}
  const verb_info& info() const override { return info_; }
  done run(workbench& bench, arguments args) const override {
    return does_(bench, std::move(args));
  }

 private:
  verb_info info_;
  action does_;
};

}  // namespace nvmf::cli::repl
