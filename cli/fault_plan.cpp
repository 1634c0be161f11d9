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

void add_plan(option_table& table, std::string_view name, std::string_view help, role side,
              std::vector<std::string>& plans) {
  table
      .custom(name, "PLAN", help,
              [side, &plans](std::string_view given) -> std::expected<void, std::string> {
                auto text = fault_text(given);
                if (!text) return std::unexpected(text.error());
                if (const auto good = faults::make(*text, {.side = side}); !good)
                  return std::unexpected(shown(*text, good.error()));
                plans.push_back(std::move(*text));
                return {};
              })
      .repeats = true;
}

}  // namespace

std::expected<std::string, std::string> fault_text(std::string_view text) {
  if (!text.starts_with('@')) return std::string{text};
  const auto bytes = read_file(std::string{text.substr(1)}, file_bytes_max);
  if (!bytes) return std::unexpected(bytes.error());
  return std::string{reinterpret_cast<const char*>(bytes->data()), bytes->size()};
}

void fault_choice::add_options(option_table& table, role side) {
  add_plan(table, "--fault",
           side == role::controller
               ? "misbehave by plan, such as \"when cmd==read && every 100: delay 50ms\"; @FILE "
                 "reads it from a file"
               : "misbehave by plan, such as \"when cmd==write && every 10: wrong-cid\"; @FILE "
                 "reads it from a file",
           side, plans);
  table.number("--fault-seed", "N", seed,
               "what `probability` in a fault plan is drawn from; the same seed draws the same");
}

void fault_choice::add_target_option(option_table& table) {
  add_plan(table, "--target-fault", "the same for the target that nvme+loop:// makes",
           role::controller, plans);
}

std::expected<void, std::string> faulty_transports::obey(const fault_choice& chosen,
                                                         std::string_view option, role side,
                                                         bool pdus) {
  if (chosen.plans.empty()) return {};
  std::string all;
  for (const std::string& plan : chosen.plans) all += plan + "\n";
  const auto plan =
      faults::make(all, {.side = side, .pdus = pdus, .seed = chosen.seed, .start = clock::now()});
  if (!plan) return std::unexpected(fmt::format("{}: {}", option, shown(all, plan.error())));
  plans_.push_back(*plan);
  // Providers of one priority are asked in the order in which they were added.
  transport_registry obeying;
  for (const auto& provider : registry_.all()) obeying.add(with_faults(provider, *plan));
  registry_ = std::move(obeying);
  return {};
}

std::expected<faulty_transports, std::string> faulty_transports::for_serve(
    const transport_registry& of, const fault_choice& chosen) {
  faulty_transports made;
  made.registry_ = of;
  if (auto done = made.obey(chosen, "--fault", role::controller, true); !done)
    return std::unexpected(done.error());
  return made;
}

std::expected<faulty_transports, std::string> faulty_transports::for_host(
    const transport_registry& of, const fault_choice& host, const fault_choice& target, bool loop) {
  if (!loop && !target.plans.empty())
    return std::unexpected(
        std::string{"--target-fault: the target is not ours here, only that of nvme+loop:// is; "
                    "serve --fault makes one"});
  faulty_transports made;
  made.registry_ = of;
  if (auto done = made.obey(host, "--fault", role::host, !loop); !done)
    return std::unexpected(done.error());
  if (auto done = made.obey(target, "--target-fault", role::controller, !loop); !done)
    return std::unexpected(done.error());
  return made;
}

void faulty_transports::report(context& ctx) const {
  for (const auto& plan : plans_)
    for (const fault_tally& rule : plan->report())
      if (rule.fired == 0)
        ctx.warn(rule.never_fired);
      else
        ctx.log->info("fault {} '{}' fired {} time{}", rule.number, rule.text, rule.fired,
                      rule.fired == 1 ? "" : "s");
}

}  // namespace nvmf::cli
