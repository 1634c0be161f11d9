// SPDX-License-Identifier: BSD-2-Clause
// --fault and --fault-seed: a plan by which this end misbehaves, and what is said of it at the end.
#pragma once

#include <expected>
#include <memory>
#include <nvmf/fault.hpp>
#include <string>
#include <vector>

#include "options.hpp"

namespace nvmf::cli {

struct context;

// What the options said; empty: no plan.
struct fault_choice {
  std::vector<std::string> plans;  // each a plan of its own; rules are numbered through all
  std::uint64_t seed = 1;

  void add_options(option_table& table, role side);
};

// The transports that a command uses: its own, or over them a plan.
class faulty_transports {
 public:
  // `pdus`: see fault_options. The error is a sentence.
  static std::expected<faulty_transports, std::string> make(const transport_registry& of,
                                                            const fault_choice& chosen, role side,
                                                            bool pdus);
  const transport_registry& registry() const { return registry_; }
  // Says which rules never fired, and in the log how often the others did.
  void report(context& ctx) const;

 private:
  transport_registry registry_;
  std::shared_ptr<faults> plan_;
};

}  // namespace nvmf::cli
