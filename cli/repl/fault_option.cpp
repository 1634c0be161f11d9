// SPDX-License-Identifier: BSD-2-Clause
#include "fault_option.hpp"

#include <fmt/format.h>

#include "fault_plan.hpp"
#include "workbench.hpp"

namespace nvmf::cli::repl {

std::expected<std::shared_ptr<faults>, complaint> take_faults(workbench& bench, arguments& args,
                                                              role side, bool pdus) {
  const auto seed = args.take_number("fault-seed");
  if (!seed) return std::unexpected(seed.error());
  const auto typed = args.take_option("fault");
  if (!typed) return nullptr;
  const auto text = fault_text(typed->text);
  if (!text) return wrong(text.error(), typed->column);
  const auto plan = faults::make(
      *text, {.side = side, .pdus = pdus, .seed = seed->value_or(1), .start = bench.on().now()});
  if (plan) return *plan;
  // The plan stands in the line as it was typed, but for $ and escapes in it.
  const std::size_t at = args.line().text.find(*text);
  return wrong(
      fmt::format("fault: {} (describe fault-plan)", to_text(plan.error())),
      at == std::string::npos || text->empty() ? typed->column : at + plan.error().position);
}

transport_registry obeying(workbench& bench, const std::shared_ptr<faults>& plan) {
  transport_registry made;
  for (const auto& provider : bench.world().transports.all())
    made.add(plan ? with_faults(provider, plan) : provider);
  return made;
}

void tell_faults(workbench& bench, std::string_view who, std::shared_ptr<faults>& plan) {
  const auto over = std::exchange(plan, nullptr);
  if (!over) return;
  for (const fault_tally& rule : over->report()) {
    if (rule.fired == 0)
      bench.say(fmt::format("{}: {}", who, rule.never_fired));
    else
      bench.say(fmt::format("{}: fault {} '{}' fired {} time{}", who, rule.number, rule.text,
                            rule.fired, rule.fired == 1 ? "" : "s"));
  }
}

}  // namespace nvmf::cli::repl
