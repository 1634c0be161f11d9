// SPDX-License-Identifier: BSD-2-Clause
// Runs the simulation: sim SEEDS [FIRST]; sim replay SEED tells one run as it happens.
#include <fmt/format.h>

#include <cstdlib>
#include <cstring>

#include "world.hpp"

namespace {

using nvmf::sim::outcome;
using nvmf::sim::run_seed;

int replay(std::uint64_t seed) {
  const outcome r = run_seed(seed, {.narrate = true});
  for (const auto& [what, times] : r.counts) fmt::print("{:6} {}\n", times, what);
  fmt::print("trace {:016x}\n{}\n", r.hash, r.wrong.empty() ? "all was well" : r.wrong);
  return r.wrong.empty() ? 0 : 1;
}

// So many seeds that each kind of trouble has had its chance.
constexpr std::uint64_t seeds_that_reach_all = 200;

int run(const char* program, std::uint64_t seeds, std::uint64_t first) {
  outcome all;
  int bad = 0;
  for (std::uint64_t seed = first; seed < first + seeds && bad < 10; ++seed) {
    const outcome r = run_seed(seed, {});
    all.commands += r.commands;
    all.failed += r.failed;
    all.associations += r.associations;
    all.hash = (all.hash ^ r.hash) * 0x9e3779b97f4a7c15u;
    for (const auto& [what, times] : r.counts) all.counts[what] += times;
    if (r.wrong.empty()) continue;
    ++bad;
    fmt::print("seed {}: {}\n  {}\n  again: {} replay {}\n", seed, r.wrong, r.shape, program, seed);
  }
  for (const auto& [what, times] : all.counts) fmt::print("{:9} {}\n", times, what);
  if (seeds >= seeds_that_reach_all)
    for (const std::string_view what : nvmf::sim::must_occur())
      if (!all.counts.contains(what)) {
        ++bad;
        fmt::print("no {} in {} seeds: what it would show was not looked at\n", what, seeds);
      }
  fmt::print(
      "{} seeds from {}, {} commands, {} of them failed, {} associations, trace {:016x}: {}\n",
      seeds, first, all.commands, all.failed, all.associations, all.hash,
      bad == 0 ? "all was well" : "see above");
  return bad == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 3 && std::strcmp(argv[1], "replay") == 0)
    return replay(std::strtoull(argv[2], nullptr, 0));
  if (argc < 2 || argc > 3) {
    fmt::print(stderr, "usage: sim SEEDS [FIRST] | sim replay SEED\n");
    return 2;
  }
  return run(argv[0], std::strtoull(argv[1], nullptr, 0),
             argc == 3 ? std::strtoull(argv[2], nullptr, 0) : 1);
}
