// SPDX-License-Identifier: BSD-2-Clause
#include "guide.hpp"

#include <fmt/format.h>

#include "plan.hpp"
#include "wire/expression/guide.hpp"

namespace nvmf::engine {

namespace {

using wire::topic_section;

topic_section triggers_section() {
  topic_section out{
      "Triggers",
      "They stand beside the outermost && of a condition, in any order, and are asked in this one, "
      "after the comparisons: a rule counts the commands that its comparisons hold for.",
      {}};
  for (const fault_trigger_info& t : fault_triggers())
    out.rows.push_back({fmt::format("{} {}", t.name, t.argument), std::string(t.title)});
  return out;
}

std::string limits_of(const fault_action_info& a) {
  std::string out;
  if (a.roles == fault_roles::controller) out += "; controllers only";
  if (a.roles == fault_roles::host) out += "; hosts only";
  if (a.needs == fault_needs::pdu) out += "; NVMe/TCP only";
  if (a.needs == fault_needs::digest) out += "; NVMe/TCP with that digest only";
  return out;
}

topic_section actions_section() {
  topic_section out{
      "Actions",
      fmt::format("Up to {} in a rule, each once. What is in brackets may be left "
                  "out. STATUS is a name or SCT/SC (describe status), FES a name or a "
                  "number (describe fes).",
                  fault_steps_max),
      {}};
  for (const fault_action_info& a : fault_actions())
    out.rows.push_back({fmt::format("{}{}{}", a.name, a.argument.empty() ? "" : " ", a.argument),
                        fmt::format("{}{}", a.title, limits_of(a))});
  return out;
}

topic_section examples_section() {
  return {"Examples",
          {},
          {
              {"when cmd == read && every 100: delay 50ms", "each hundredth Read is slow"},
              {"when cmd == write && probability 1%: status internal-error dnr",
               "one Write in a hundred fails for good, by chance"},
              {"when after 30s && count 1: reset", "one connection breaks after half a minute"},
              {"when queue != admin && bytes >= 64K: short-data 512", "large transfers end early"},
              {"when cmd == connect && host =~ \"web\": drop",
               "hosts with web in their NQN never get an answer to Connect"},
              {"when conn == 2 && after 1000: stop-reading; when cmd == keep-alive: drop",
               "two rules: the second connection stalls, and Keep Alive is not answered"},
          }};
}

}  // namespace

const wire::topic& fault_plan_topic() {
  static const wire::topic topic{
      "fault-plan",
      "Fault plans: when an end breaks the rules, and how",
      {
          {{},
           fmt::format(
               "A plan is one or more rules, up to {}: one a line, or several apart by semicolons. "
               "# begins a comment. A rule without a condition fires for every command; the colon "
               "after a condition has a blank after it. All rules that fire for a command are "
               "done. "
               "Chance is thrown from a seed: the same seed and the same commands give the same "
               "faults.",
               fault_rules_max),
           {{"[when CONDITION:] ACTION {, ACTION}", "a rule"}}},
          wire::conditions_section(),
          wire::fields_section(fault_fields()),
          triggers_section(),
          actions_section(),
          examples_section(),
      }};
  return topic;
}

}  // namespace nvmf::engine
