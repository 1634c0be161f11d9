// SPDX-License-Identifier: BSD-2-Clause
// The rules that a listener can hold traffic against: one table, rules.def.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace nvmf::trace {

enum class severity : std::uint8_t { note, warning, error };
std::string_view name_of(severity s);

enum class side : std::uint8_t { host, controller };
std::string_view name_of(side s);

// Who can break a rule.
enum class breaker : std::uint8_t { host, controller, either };
std::string_view title_of(breaker b);  // "host or controller"

// What must have been seen before a rule can be judged; where it is lost, the rule is suspended.
enum class needed : std::uint8_t {
  framing,      // where PDUs begin
  setup,        // and ICReq and ICResp
  command,      // the command from its capsule on, without a gap
  connect,      // Connect of this queue
  stream,       // the connection from its first byte, without a gap
  association,  // and what the Admin Queue of the controller told
};
std::string_view title_of(needed n);

enum class rule : std::uint8_t {
#define RULE(id, ...) id,
#include "rules.def"
#undef RULE
};

struct rule_row {
  rule id;
  std::string_view name;  // "r2t-range": what people type, and what JSON has
  severity weight;
  breaker who;
  needed needs;
  std::uint8_t fes;         // 1 << FES of a TermReq that answers it; 0: any
  std::string_view checks;  // "T29 H15": of active checks, the same rule
  std::string_view section;
  std::string_view statement;
};

std::span<const rule_row> all_rules();
const rule_row& row_of(rule r);
// By name, dashes or underscores; or nullptr.
const rule_row* find_rule(std::string_view name);

}  // namespace nvmf::trace
