// SPDX-License-Identifier: BSD-2-Clause
#include "engine/fault/plan.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "wire/tables.hpp"

using namespace nvmf;
using namespace nvmf::engine;
using namespace std::chrono_literals;

namespace {

fault_plan parsed(std::string_view text, fault_plan_options options = {}) {
  auto p = fault_plan::parse(text, options);
  REQUIRE_MESSAGE(p.has_value(), text);
  return *p;
}
fault_step step(std::string_view text) { return parsed(text).rules()[0].steps.at(0); }
std::string canonical(std::string_view text) {
  const std::string once = parsed(text).text();
  CHECK(parsed(once).text() == once);
  return once;
}

}  // namespace

TEST_CASE("a rule keeps its number, its place and its own words") {
  const fault_plan p = parsed(
      "# slow reads\n"
      "when cmd==read && every 100:   delay 50ms  # now and then\n\n"
      "  reset ;; when conn == 2: drop, silence 3s;\r\n");
  REQUIRE(p.rules().size() == 3);
  const fault_rule &a = p.rules()[0], &b = p.rules()[1], &c = p.rules()[2];
  CHECK(a.number == 1);
  CHECK(a.line == 2);
  CHECK(a.column == 1);
  CHECK(a.source == "when cmd==read && every 100:   delay 50ms");
  CHECK(b.number == 2);
  CHECK(b.line == 4);
  CHECK(b.column == 3);
  CHECK(b.source == "reset");
  CHECK(b.condition.always());
  CHECK(c.number == 3);
  CHECK(c.line == 4);
  CHECK(c.column == 12);
  CHECK(c.source == "when conn == 2: drop, silence 3s");
  CHECK(c.steps.size() == 2);
  CHECK(c.find(fault_action::drop) == &c.steps[0]);
  CHECK(c.find(fault_action::silence)->time == 3s);
  CHECK(c.find(fault_action::reset) == nullptr);
  CHECK(p.text() ==
        "when cmd == read && every 100: delay 50ms\nreset\nwhen conn == 2: drop, silence 3s");
}

TEST_CASE("triggers stand anywhere among the terms of the condition") {
  const fault_timing t =
      parsed(
          "when count 3 && after 10 && (cmd == read || bytes > 4K) && every 1K && after 10s && "
          "probability 10% && before 2m: drop")
          .rules()[0]
          .timing;
  CHECK(t.after == 10);
  CHECK(t.from == 10s);
  CHECK(t.until == duration(2min));
  CHECK(t.every == 1024);
  CHECK(t.probability_ppb == 100'000'000);
  CHECK(t.count == 3u);
  const fault_rule only = parsed("when every 2: drop").rules()[0];
  CHECK(only.condition.always());
  CHECK(only.timing.every == 2);
  const fault_timing none = parsed("when cmd == read: drop").rules()[0].timing;
  CHECK(none == fault_timing{});
  CHECK(none.text().empty());
  CHECK(parsed("when after 5m: drop").rules()[0].timing.from == 5min);
  CHECK(parsed("when after 5M: drop").rules()[0].timing.after == 5 * 1024 * 1024);
  CHECK(parsed("when every 1: drop").rules()[0].timing == fault_timing{});
}

TEST_CASE("the arguments of the actions") {
  CHECK(step("delay 1.5ms").time == 1500us);
  CHECK(step("delay 1.5ms").given);
  CHECK_FALSE(step("drop").given);
  CHECK(step("wrong-cid").wrong_cid(0x0012) == 0x8012);
  CHECK(step("wrong-cid").wrong_cid(0x8012) == 0x0012);
  CHECK(step("Wrong_CID 0xffff").wrong_cid(0x0012) == 0xffff);
  CHECK(step("wrong-cid 0").wrong_cid(0x0012) == 0);
  CHECK(step("wrong-cid 0").wrong_cid(0) == 0x8000);  // the right one would be no fault
  CHECK(step("wrong-length").wrong_length(72) == 76);
  CHECK(step("wrong-length 1").wrong_length(72) == 73);
  CHECK(step("wrong-length +1K").wrong_length(72) == 1096);
  CHECK(step("wrong-length -8").wrong_length(72) == 64);
  CHECK(step("wrong-length -0x49").wrong_length(72) == 0xffff'ffff);
  CHECK(step("short-data").short_data(4096) == 2048);
  CHECK(step("short-data").short_data(1) == 0);
  CHECK(step("short-data").short_data(0) == 0);
  CHECK(step("short-data 512").short_data(4096) == 3584);
  CHECK(step("short-data 4K").short_data(4096) == 0);
  CHECK(step("short-data 0xffffffff").short_data(4096) == 0);
  CHECK(step("flip-digest").digest == fault_digest::either);
  CHECK(step("flip-digest header").digest == fault_digest::header);
  CHECK(step("flip-digest data").digest == fault_digest::data);
  CHECK(step("status internal-error").status == nvme_status(status_code::internal_error));
  CHECK(step("status internal-error dnr").status == nvme_status(status_code::internal_error, true));
  CHECK(step("status 1/82h").status.raw_code() == 0x182);
  CHECK(step("status 0x182 dnr").status.field() == 0x4182);
  CHECK(step("termreq").fes == 2);
  CHECK(step("termreq header-digest-error").fes == 3);
  CHECK(step("termreq 0x1234").fes == 0x1234);
  CHECK(step("stop-reading").given == false);
  CHECK(step("stop-reading 2s").time == 2s);
  CHECK(step("silence 10us").time == 10us);
}

TEST_CASE("the canonical form") {
  CHECK(canonical("when every 3 && cmd==dsm && count 2: Drop") ==
        "when cmd == dataset-management && every 3 && count 2: drop");
  CHECK(canonical("when before 10m && after 60s && after 7 && probability 0.25: reset;drop") ==
        "when after 7 && after 1m && before 10m && probability 25%: reset\ndrop");
  CHECK(canonical("when (cmd==read or cmd==write) and nsid in (1,2): wrong-length 8,short-data") ==
        "when (cmd == read || cmd == write) && nsid in (1, 2): wrong-length +8, short-data");
  CHECK(canonical("when (cmd==read or cmd==write) and every 2: drop") ==
        "when (cmd == read || cmd == write) && every 2: drop");
  CHECK(canonical("when every 2 and (cmd==read or cmd==write): drop") ==
        "when (cmd == read || cmd == write) && every 2: drop");
  CHECK(canonical("when cmd==read or cmd==write: wrong-length -8") ==
        "when cmd == read || cmd == write: wrong-length -8");
  CHECK(canonical("when queue==admin && fctype==connect && host =~ nqn.x:y: status 386 dnr") ==
        "when queue == 0 && fctype == connect && host =~ \"nqn.x:y\": "
        "status connect-invalid-parameters dnr");
  CHECK(canonical("termreq 2, flip-digest data, silence 90s, wrong-cid 0x10, early-success") ==
        "termreq pdu-sequence-error, flip-digest data, silence 90s, wrong-cid 16, early-success");
  CHECK(canonical("termreq 0x99, status 7/05") == "termreq 0x99, status 7/05h");
}

TEST_CASE("each end has the actions that it can do, and a transport without PDUs fewer") {
  for (const fault_action_info& a : fault_actions()) {
    CAPTURE(a.name);
    CHECK(&info_of(a.id) == &a);
    std::string text(a.name);
    if (a.takes == fault_argument::time) text += " 1s";
    if (a.takes == fault_argument::status) text += " internal-error";
    CHECK(fault_plan::parse(text).has_value());
    for (const fault_role role : {fault_role::controller, fault_role::host})
      CHECK(fault_plan::parse(text, {.role = role}).has_value() == a.can(role));
    CHECK(fault_plan::parse(text, {.role = {}, .pdus = false}).has_value() ==
          (a.needs == fault_needs::nothing));
  }
  // The table by hand.
  std::set<std::string_view> controllers_only, no_loop;
  for (const fault_action_info& a : fault_actions()) {
    if (!a.can(fault_role::host)) controllers_only.insert(a.name);
    CHECK(a.can(fault_role::controller));
    if (a.needs != fault_needs::nothing) no_loop.insert(a.name);
  }
  CHECK(controllers_only == std::set<std::string_view>{"early-success", "status"});
  CHECK(no_loop ==
        std::set<std::string_view>{"wrong-length", "early-success", "flip-digest", "termreq"});
}

TEST_CASE("the tables are fit for people") {
  std::set<std::string_view> words{"when", "and", "or", "not", "in", "contains"};
  for (const auto& f : fault_fields()) {
    CHECK(words.insert(f.name).second);
    for (const auto also : f.also) CHECK(words.insert(also).second);
    CHECK_FALSE(f.title.empty());
    CHECK_MESSAGE(fault_plan::parse(fmt::format("when {} == {}: drop", f.name, f.example)), f.name);
  }
  for (const auto& t : fault_triggers()) {
    CHECK(words.insert(t.name).second);
    CHECK_FALSE(t.title.empty());
  }
  std::set<std::string_view> actions;
  for (const auto& a : fault_actions()) {
    CHECK(actions.insert(a.name).second);
    CHECK_FALSE(a.title.empty());
    CHECK(a.argument.empty() == (a.takes == fault_argument::none));
  }
}

TEST_CASE("a plan may be as large as its limits, and no larger") {
  std::string many;
  for (std::size_t i = 0; i < fault_rules_max; ++i) many += "drop;";
  CHECK(parsed(many).rules().size() == fault_rules_max);
  CHECK(fault_plan::parse(many + "drop").error().reason == "more than 32 rules");
  const std::string padded = "drop" + std::string(fault_plan_bytes_max - 4, ' ');
  CHECK(fault_plan::parse(padded).has_value());
  CHECK(to_text(fault_plan::parse(padded + ' ').error()) ==
        "column 65537: the plan is longer than 65536 bytes");
  CHECK(fault_plan::parse("when conn == 1" + std::string(5000, ' ') + ": drop").error().reason ==
        "a rule of more than 4096 bytes");
  std::string terms = "when conn == 1";
  while (terms.size() < 60'000) terms += " && conn == 1";
  CHECK(fault_plan::parse(terms + ": drop").error().reason ==
        "the condition is longer than 4096 bytes");
}
