// SPDX-License-Identifier: BSD-2-Clause
#include "fault_plan.hpp"

#include <fmt/format.h>
#include <spdlog/logger.h>

#include "context.hpp"
#include "output_file.hpp"

namespace nvmf::cli {
namespace {

constexpr std::size_t file_bytes_max = std::size_t{64} * 1024;

// The sentence, and below it the line with a mark at the column.
std::string shown(std::string_view plan, wire::text_error error) {
  const std::string sentence = to_text(error);
  if (plan.empty()) return sentence;
  const wire::text_place place = wire::place_in(plan, error.position);
  error.position = place.column - 1;
  return sentence + "\n" + caret_text(place.text, error);
}

std::expected<std::string, std::string> plan_text(std::string_view text) {
  if (!text.starts_with('@')) return std::string{text};
  const auto bytes = read_file(std::string{text.substr(1)}, file_bytes_max);
  if (!bytes) return std::unexpected(bytes.error());
  return std::string{reinterpret_cast<const char*>(bytes->data()), bytes->size()};
}

}  // namespace

void fault_choice::add_options(option_table& table, role side) {
  auto& plan = table.custom(
      "--fault", "PLAN",
      side == role::controller
          ? "misbehave by plan, such as \"when cmd==read && every 100: delay 50ms\"; @FILE reads "
            "it from a file"
          : "misbehave by plan, such as \"when cmd==write && every 10: wrong-cid\"; @FILE reads it "
            "from a file",
      [this, side](std::string_view given) -> std::expected<void, std::string> {
        auto text = plan_text(given);
        if (!text) return std::unexpected(text.error());
        if (const auto good = faults::make(*text, {.side = side}); !good)
          return std::unexpected(shown(*text, good.error()));
        plans.push_back(std::move(*text));
        return {};
      });
  plan.repeats = true;
  table.number("--fault-seed", "N", seed,
               "what `probability` in a fault plan is drawn from; the same seed draws the same");
}

std::expected<faulty_transports, std::string> faulty_transports::make(const transport_registry& of,
                                                                      const fault_choice& chosen,
                                                                      role side, bool pdus) {
  faulty_transports made;
  std::string all;
  for (const std::string& plan : chosen.plans) all += plan + "\n";
  if (!chosen.plans.empty()) {
    auto plan =
        faults::make(all, {.side = side, .pdus = pdus, .seed = chosen.seed, .start = clock::now()});
    if (!plan) return std::unexpected("--fault: " + shown(all, plan.error()));
    made.plan_ = std::move(*plan);
  }
  // Providers of one priority are asked in the order in which they were added.
  for (const auto& provider : of.all())
    made.registry_.add(made.plan_ ? with_faults(provider, made.plan_) : provider);
  return made;
}

void faulty_transports::report(context& ctx) const {
  if (plan_ == nullptr) return;
  for (const fault_tally& rule : plan_->report())
    if (rule.fired == 0)
      ctx.warn(rule.never_fired);
    else
      ctx.log->info("fault {} '{}' fired {} time{}", rule.number, rule.text, rule.fired,
                    rule.fired == 1 ? "" : "s");
}

}  // namespace nvmf::cli
