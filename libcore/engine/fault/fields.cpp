// SPDX-License-Identifier: BSD-2-Clause
// The tables of a fault plan: fields, triggers, actions.
#include <array>
#include <limits>

#include "plan.hpp"
#include "wire/expression/symbols.hpp"
#include "wire/names.hpp"
#include "wire/numbers.hpp"
#include "wire/tables.hpp"

namespace nvmf::engine {

namespace {

using wire::expression_field;
using wire::value_kind;

constexpr std::uint64_t max16 = 0xffff;
constexpr std::uint64_t max32 = 0xffff'ffff;
constexpr std::array<std::string_view, 1> qid{"qid"};
constexpr std::array<std::string_view, 1> connection{"connection"};
constexpr std::array<std::string_view, 1> hostnqn{"hostnqn"};

std::expected<std::uint64_t, wire::text_error> lookup_queue(std::string_view typed) {
  if (wire::to_kebab(typed) == "admin") return 0;
  return wire::parse_number(typed, {}, {.max = max16});
}

// Also the enum fault_field.
constexpr std::array fields{
    expression_field{.name = "cmd",
                     .title = "command, by name: read, get-log-page, dsm; admin:0xc1, nvm:0x90",
                     .kind = value_kind::symbol,
                     .example = "read",
                     .lookup = wire::lookup_command,
                     .spell = wire::spell_command},
    expression_field{
        .name = "opcode", .title = "opcode, whatever the queue", .example = "0x02", .max = 0xff},
    expression_field{.name = "fctype",
                     .title = "type of a fabrics command, by name or number; others have none",
                     .example = "connect",
                     .max = 0xff,
                     .symbols = &wire::fabrics_types},
    expression_field{.name = "queue",
                     .title = "queue identifier; admin is 0",
                     .example = "admin",
                     .max = max16,
                     .also = qid,
                     .lookup = lookup_queue},
    expression_field{.name = "nsid",
                     .title = "namespace identifier; a fabrics command has none",
                     .example = "1",
                     .max = max32},
    expression_field{.name = "slba",
                     .title = "first block of a command that has a range of them",
                     .example = "0"},
    expression_field{.name = "nlb",
                     .title = "number of blocks as it stands in the command: 0's based, 7 is eight",
                     .example = "7",
                     .max = max16},
    expression_field{.name = "bytes",
                     .title = "length of the command's data, whichever way it goes",
                     .example = "4K",
                     .max = max32},
    expression_field{.name = "cid", .title = "command identifier", .example = "0x10", .max = max16},
    expression_field{
        .name = "conn",
        .title = "number of the connection since the start, from 1; each queue has one",
        .example = "1",
        .max = max32,
        .also = connection},
    expression_field{.name = "host",
                     .title = "NQN of the host; before Connect there is none",
                     .kind = value_kind::text,
                     .example = "\"nqn.2014-08.org.example:host\"",
                     .also = hostnqn},
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
