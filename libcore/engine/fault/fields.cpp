// SPDX-License-Identifier: BSD-2-Clause
// The tables of a fault plan: fields, triggers, actions.
#include <array>
#include <limits>

#include "plan.hpp"
#include "wire/expression/command_fields.hpp"

namespace nvmf::engine {

namespace {

using wire::expression_field;
using wire::value_kind;

using wire::command_fields::connection_names;
using wire::command_fields::host_names;
using wire::command_fields::max32;

// Also the enum fault_field.
constexpr std::array fields{
    wire::command_fields::cmd,
    wire::command_fields::opcode,
    wire::command_fields::fctype,
    wire::command_fields::queue,
    wire::command_fields::nsid,
    wire::command_fields::slba,
    wire::command_fields::nlb,
    expression_field{.name = "bytes",
                     .title = "length of the command's data, whichever way it goes",
                     .example = "4K",
                     .max = max32},
    wire::command_fields::cid,
    expression_field{
        .name = "conn",
        .title = "number of the connection since the start, from 1; each queue has one",
        .example = "1",
        .max = max32,
        .also = connection_names},
    expression_field{.name = "host",
                     .title = "NQN of the host; before Connect there is none",
                     .kind = value_kind::text,
                     .example = "\"nqn.2014-08.org.example:host\"",
                     .also = host_names},
};
static_assert(fields.size() == static_cast<std::size_t>(fault_field::host) + 1);

template <std::size_t N>
struct kebab {
  char text[N]{};
  consteval explicit kebab(const char (&id)[N]) {
    for (std::size_t i = 0; i < N; ++i) text[i] = id[i] == '_' ? '-' : id[i];
  }
};
template <kebab Name>
constexpr std::string_view name_of() {
  return {Name.text, sizeof(Name.text) - 1};
}

constexpr fault_action_info actions[] = {
#define X(id, takes, roles, needs, argument, title)                        \
  {fault_action::id,      name_of<kebab(#id)>(), argument,          title, \
   fault_argument::takes, fault_roles::roles,    fault_needs::needs},
#include "actions.def"
#undef X
};

constexpr fault_trigger_info triggers[] = {
#define X(id, argument, title) {#id, argument, title},
#include "triggers.def"
#undef X
};

}  // namespace

std::span<const expression_field> fault_fields() { return fields; }
std::span<const fault_action_info> fault_actions() { return actions; }
std::span<const fault_trigger_info> fault_triggers() { return triggers; }
const fault_action_info& info_of(fault_action a) { return actions[static_cast<std::size_t>(a)]; }

}  // namespace nvmf::engine
