// SPDX-License-Identifier: BSD-2-Clause
// One run of the simulation: a target, hosts that do all that hosts do, a network with faults, and
// what must be true of it whatever happens. A seed decides everything.
#pragma once

#include <string>

#include "journal.hpp"
#include "sabotage.hpp"

namespace nvmf::sim {

struct outcome {
  std::uint64_t commands = 0, failed = 0, associations = 0;
  tally counts;            // what occurred, and how often
  std::uint64_t hash = 0;  // of the trace
  std::string shape;       // what the seed chose
  std::string wrong;       // empty: all was well
};

struct run_options {
  std::uint64_t commands = 160;  // of all hosts together
  bool narrate = false;
  crime sabotage = crime::none;
};
outcome run_seed(std::uint64_t seed, const run_options& options);

// Everything that a run may count and that many runs together must: faults and what they led to.
std::span<const std::string_view> must_occur();

}  // namespace nvmf::sim
