// SPDX-License-Identifier: BSD-2-Clause
// --fault and --fault-seed: a plan by which this end misbehaves, and what is said of it at the end.
// Over loop both ends are here, and --target-fault is the other one's plan.
#pragma once

#include <expected>
#include <memory>
#include <nvmf/fault.hpp>
#include <string>
#include <vector>

#include "options.hpp"

namespace nvmf::cli {

struct context;

// A plan as it is typed: @FILE stands for what is in it. The error is a sentence.
std::expected<std::string, std::string> fault_text(std::string_view typed);

// What the options said; empty: no plan.
struct fault_choice {
  std::vector<std::string> plans;  // each a plan of its own; rules are numbered through all
  std::uint64_t seed = 1;

  void add_options(option_table& table, role side);
  void add_target_option(option_table& table);
};

// The transports that a command uses: its own, or over them a plan.
class faulty_transports {
 public:
  // The error is a sentence.
  static std::expected<faulty_transports, std::string> for_serve(const transport_registry& of,
                                                                 const fault_choice& chosen);
  // `loop`: the target is of this process, and obeys `target`.
  static std::expected<faulty_transports, std::string> for_host(const transport_registry& of,
                                                                const fault_choice& host,
                                                                const fault_choice& target,
                                                                bool loop);
  const transport_registry& registry() const { return registry_; }
  // Says which rules never fired, and in the log how often the others did.
  void report(context& ctx) const;

 private:
  std::expected<void, std::string> obey(const fault_choice& chosen, std::string_view option,
                                        role side, bool pdus);

  transport_registry registry_;
  std::vector<std::shared_ptr<faults>> plans_;
};

}  // namespace nvmf::cli
