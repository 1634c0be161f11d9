// SPDX-License-Identifier: BSD-2-Clause
// Runs the simulation: sim SEEDS [FIRST]; sim replay SEED tells one run as it happens.
#include <fmt/format.h>

#include <cstdlib>
#include <cstring>
#include <map>

#include "world.hpp"

int main(int argc, char** argv) {
  using nvmf::sim::run_seed;
  if (argc == 3 && std::strcmp(argv[1], "replay") == 0) {
    const auto r = run_seed(std::strtoull(argv[2], nullptr, 0), {.narrate = true});
    fmt::print("{}\n", r.shape);
    for (const auto& f : r.faults) fmt::print("fault: {}\n", f);
    fmt::print("{}\n", r.wrong.empty() ? "all was well" : r.wrong);
    return r.wrong.empty() ? 0 : 1;
  }
  if (argc < 2 || argc > 3) {
    fmt::print(stderr, "usage: sim SEEDS [FIRST] | sim replay SEED\n");
    return 2;
  }
  const auto seeds = std::strtoull(argv[1], nullptr, 0);
  const auto first = argc == 3 ? std::strtoull(argv[2], nullptr, 0) : 1;
  std::uint64_t commands = 0, failed = 0, associations = 0, faults = 0;
  int bad = 0;
  for (std::uint64_t seed = first; seed < first + seeds && bad < 10; ++seed) {
    const auto r = run_seed(seed, {});
    commands += r.commands;
    failed += r.failed;
    associations += r.associations;
    faults += r.faults.size();
    if (r.wrong.empty()) continue;
    ++bad;
    fmt::print("seed {}: {}\n  {}\n", seed, r.wrong, r.shape);
    for (const auto& f : r.faults) fmt::print("  fault: {}\n", f);
    fmt::print("  again: {} replay {}\n", argv[0], seed);
  }
  fmt::print("{} seeds from {}, {} commands, {} of them failed, {} associations, {} faults: {}\n",
             seeds, first, commands, failed, associations, faults,
             bad == 0 ? "all was well" : "see above");
  return bad == 0 ? 0 : 1;
}
