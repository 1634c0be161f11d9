// SPDX-License-Identifier: BSD-2-Clause
// The simulation as a whole: a seed is a run, trouble does happen, and each crime is seen for what
// it is.
#include <doctest/doctest.h>

#include <set>

#include "sim/plans.hpp"
#include "sim/world.hpp"

using namespace nvmf::sim;

TEST_CASE("a seed is a run: twice the same, byte for byte") {
  for (const std::uint64_t seed : {7u, 8u, 9u}) {
    const auto once = run_seed(seed, {}), again = run_seed(seed, {});
    CHECK(once.wrong.empty());
    CHECK(once.hash == again.hash);
    CHECK(once.counts == again.counts);
    CHECK(once.commands == again.commands);
    CHECK(once.failed == again.failed);
    CHECK(once.associations == again.associations);
  }
  CHECK(run_seed(7, {}).hash != run_seed(8, {}).hash);
}

TEST_CASE("faults happen, and do fail commands and associations") {
  std::uint64_t failed = 0, associations = 0;
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    const auto r = run_seed(seed, {});
    failed += r.failed;
    associations += r.associations;
  }
  CHECK(failed > 0);
  CHECK(associations > 24);
}

TEST_CASE("fault plans: the seeds of every run have each by hand, and ends with both") {
  std::set<std::string> hosts, controllers;
  int both = 0, none = 0;
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    const plan_texts t = choose_plans(seed);
    hosts.insert(t.host);
    controllers.insert(t.controller);
    both += !t.host.empty() && !t.controller.empty();
    none += t.host.empty() && t.controller.empty();
  }
  CHECK(both == 50);
  CHECK(none == 50);
  for (const std::string_view text : plans_by_hand(nvmf::role::host))
    CHECK(hosts.contains(std::string(text)));
  for (const std::string_view text : plans_by_hand(nvmf::role::controller))
    CHECK(controllers.contains(std::string(text)));
}

TEST_CASE("each crime is seen, and called by its name") {
  struct row {
    crime what;
    std::string_view seen_as;
  };
  constexpr row rows[] = {
      {crime::lose_command, "waited in vain until every command has ended"},
      {crime::end_twice, "a command ended twice"},
      {crime::write_late, "memory was written after its callback"},
      {crime::write_beyond, "memory beside that of a command was written"},
      {crime::read_wrong, "is torn"},
      {crime::lose_write, "possible are"},
      {crime::equal_anyway, "is called equal to version"},
      {crime::after_teardown, "ended after teardown"},
      {crime::outlive, "outlive their association"},
      {crime::double_cid, "was given out twice"},
      {crime::reuse_aborted, "while an Abort names it"},
      {crime::silent_host, "a host said nothing for"},
      {crime::patient_host, "for the answer to Keep Alive"},
      {crime::hasty_controller, "a controller gave its host up after"},
      {crime::patient_controller, "a controller heard nothing for"},
      {crime::harm_neighbour, "failed without a fault"},
  };
  for (const row& r : rows) {
    CAPTURE(r.seen_as);
    std::string wrong;
    for (std::uint64_t seed = 1; seed <= 60 && wrong.empty(); ++seed) {
      wrong = run_seed(seed, {.sabotage = r.what}).wrong;
    }
    CAPTURE(wrong);
    CHECK(wrong.find(r.seen_as) != wrong.npos);
  }
}
