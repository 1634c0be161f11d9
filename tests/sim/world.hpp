// SPDX-License-Identifier: BSD-2-Clause
// One run of the simulation: a target, a host that reads and writes, a network with faults, and
// what must be true of it whatever happens. A seed decides everything.
#pragma once

#include <nvmf/host.hpp>
#include <nvmf/target.hpp>
#include <string>
#include <vector>

#include "model.hpp"
#include "network.hpp"
#include "wire.hpp"

namespace nvmf::sim {

struct outcome {
  std::uint64_t commands = 0, failed = 0, associations = 0;
  std::vector<std::string> faults;  // that happened
  std::string shape;                // what the seed chose
  std::string wrong;                // empty: all was well
};

struct run_options {
  std::uint64_t commands = 300;
  bool narrate = false;
};
outcome run_seed(std::uint64_t seed, const run_options& options);

}  // namespace nvmf::sim
