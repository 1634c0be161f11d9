// SPDX-License-Identifier: BSD-2-Clause
#include "plan_at_work.hpp"

namespace nvmf {

std::expected<std::shared_ptr<faults>, wire::text_error> faults::make(
    std::string_view plan, const fault_options& options) {
  const bool host = options.side == role::host;
  auto parsed = engine::fault_plan::parse(
      plan, {.role = host ? engine::fault_role::host : engine::fault_role::controller,
             .pdus = options.pdus});
  if (!parsed) return std::unexpected(std::move(parsed.error()));
  return std::make_shared<plan_at_work>(std::move(*parsed), options);
}

std::vector<fault_tally> plan_at_work::report() const {
  const std::lock_guard held(lock_);
  std::vector<fault_tally> rows;
  for (engine::fault_report& r : injector_.report())
    rows.push_back({.number = r.number,
                    .text = std::move(r.text),
                    .matched = r.count.matched,
                    .fired = r.count.fired,
                    .never_fired = std::move(r.never_fired)});
  return rows;
}

}  // namespace nvmf
