// SPDX-License-Identifier: BSD-2-Clause
// Every way in which a plan can be wrong: the column, and the words.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include "engine/fault/plan.hpp"
#include "support/refusals.hpp"

using namespace nvmf;
using namespace nvmf::engine;

namespace {

void refused_at(std::string_view text, std::string_view part, std::size_t position,
                std::string_view why) {
  test::check_refused(text, fault_plan::parse(text), part, position, why);
}
void refused(std::string_view text, std::size_t column, std::string_view why,
             fault_plan_options options = {}) {
  test::check_refused(text, fault_plan::parse(text, options), column, why);
}

constexpr std::string_view all_actions =
    "; actions are delay, drop, duplicate, wrong-cid, wrong-length, short-data, early-success, "
    "flip-digest, status, termreq, reset, stop-reading, silence";
constexpr std::string_view all_fields =
    "; fields are cmd, opcode, fctype, queue, nsid, slba, nlb, bytes, cid, conn, host; triggers "
    "are after, before, every, probability, count";
constexpr std::string_view plan_example =
    " (for example when cmd == read && every 100: delay 50ms)";
constexpr std::string_view rule_example = " (for example when cmd == read: delay 50ms)";

}  // namespace

TEST_CASE("a plan without a rule") {
  refused("", 1, fmt::format("the plan has no rule{}", plan_example));
  refused(" ; ;", 1, fmt::format("the plan has no rule{}", plan_example));
  refused("# drop\n", 1, fmt::format("the plan has no rule{}", plan_example));
}

TEST_CASE("lines have numbers when there are several") {
  refused_at("drop\n reste\n", "line 2, column 2", 6,
             "'reste' is not an action; did you mean reset?");
  refused_at("# x\n\ndrop; when every 0: drop", "line 3, column 18", 22, "0 is less than 1");
  refused("reste\n", 1, "'reste' is not an action; did you mean reset?");
  refused_at("when cmd == read:\n drop", "line 1, column 18", 17,
             fmt::format("the end of the line where an action is wanted{}", all_actions));
  refused_at("when cmd == read\n: drop", "line 1, column 17", 16,
             fmt::format("the end of the line where : and an action are wanted{}", rule_example));
  refused_at("when (cmd == read\n): drop", "line 1, column 6", 5, "this ( is not closed");
}

TEST_CASE("conditions") {
  refused("when", 5, fmt::format("the end where a field is wanted{}", all_fields));
  refused("when : drop", 6, fmt::format("':' where a field is wanted{}", all_fields));
  refused("when cmd == read", 17,
          fmt::format("the end where : and an action are wanted{}", rule_example));
  refused("when cmd == read; drop", 17,
          fmt::format("';' where : and an action are wanted{}", rule_example));
  refused("when cmd == read drop", 18, "'drop' where &&, || or : is wanted");
  refused("when cmd == read, drop", 17, "',' where &&, || or : is wanted");
  refused("when cmd==read:drop", 15, "the : that ends a condition wants a blank after it");
  refused("when every 100:delay 5ms", 15, "the : that ends a condition wants a blank after it");
  refused("when host == a:b", 17,
          fmt::format("the end where : and an action are wanted{}", rule_example));
  refused("when cmd == raed: drop", 13,
          "cmd: 'raed' is not a command; did you mean read? "
          "(for example identify, read or admin:0xc1)");
  refused("when queue == io: drop", 15, "queue: 'io' is not a number (for example 31 or 0x1f)");
  refused("when qeue == 1: drop", 6, "'qeue' is not a field; did you mean queue?");
  refused("when evry 5: drop", 6, "'evry' is not a field; did you mean every?");
  refused("when status == 0: drop", 6, fmt::format("'status' is not a field{}", all_fields));
}

TEST_CASE("a trigger stands beside the outermost && only") {
  refused("when cmd == read || every 5: drop", 21,
          "'every' is a trigger and stands beside ||; it can only stand beside &&");
  refused("when every 5 || cmd == read: drop", 6,
          "'every' is a trigger and stands beside ||; it can only stand beside &&");
  refused("when cmd == read && count 5 && nsid == 1 or nsid == 2: drop", 21,
          "'count' is a trigger and stands beside ||; it can only stand beside &&");
  refused("when (every 5): drop", 7,
          "'every' is a trigger and stands inside parentheses; it can only stand beside &&");
  refused("when (nsid == 1 && after 5): drop", 20,
          "'after' is a trigger and stands inside parentheses; it can only stand beside &&");
  refused("when !before 5s: drop", 7,
          "'before' is a trigger and stands after !; it can only stand beside &&");
  refused("when not !probability 0.5: drop", 11,
          "'probability' is a trigger and stands after !; it can only stand beside &&");
  refused("when !(cmd == read) && !every 5: drop", 25,
          "'every' is a trigger and stands after !; it can only stand beside &&");
}

TEST_CASE("the values of triggers") {
  refused("when every: drop", 11, "':' where N is wanted after every");
  refused("when after && cmd == read: drop", 12, "'&&' where N|TIME is wanted after after");
  refused("when every 0: drop", 12, "0 is less than 1");
  refused("when count 0: drop", 12, "0 is less than 1");
  refused("when after 0: drop", 12, "0 is less than 1");
  refused("when every x: drop", 12,
          "'x' is not a number (for example 4096, 0x1000, 64K, 64M or 1G)");
  refused("when every 5ms: drop", 13,
          "'ms' is not a unit of size (for example 4096, 0x1000, 64K, 64M or 1G)");
  refused("when every 99999999999999999999: drop", 12,
          "'99999999999999999999' does not fit in 64 bits");
  refused("when after 0s: drop", 12, "0s is less than 1ns");
  refused("when after 9999h: drop", 12, "9999h is more than 8784h");
  refused("when before 10: drop", 15, "10 has no unit: 10ms, 10us or 10s");
  refused("when probability 0: drop", 18, "with a probability of 0 it could never fire");
  refused("when probability 0.0%: drop", 18, "with a probability of 0 it could never fire");
  refused("when probability 10: drop", 18,
          "10 is more than 1; did you mean 10%? (for example 10% or 0.1)");
  refused("when after 10s && before 10s: drop", 26, "before 10s is over when after 10s begins");
  refused("when before 5s && after 1m: drop", 25, "before 5s is over when after 1m begins");
  refused("when every 2 && cmd == read && every 3: drop", 32, "'every' is said twice");
  refused("when every 1 && every 1: drop", 17, "'every' is said twice");
  refused("when count 1 && count 1: drop", 17, "'count' is said twice");
  refused("when after 1 && after 1: drop", 17, "'after' is said twice");
  refused("when after 1s && after 1s: drop", 18, "'after' is said twice");
  refused("when before 1s && before 1s: drop", 19, "'before' is said twice");
  refused("when probability 1 && probability 1: drop", 23, "'probability' is said twice");
}

TEST_CASE("actions") {
  refused("dorp", 1, "'dorp' is not an action; did you mean drop?");
  refused("explode", 1, fmt::format("'explode' is not an action{}", all_actions));
  refused("cmd == read: drop", 1,
          fmt::format("'cmd' is not an action; a condition begins with when{}", rule_example));
  refused("qid == 1: drop", 1,
          fmt::format("'qid' is not an action; a condition begins with when{}", rule_example));
  refused("every 5: drop", 1,
          fmt::format("'every' is not an action; a condition begins with when{}", rule_example));
  refused("drop, when cmd == read: reset", 7,
          "'when' begins a rule; a semicolon or the end of a line stands before it");
  refused("when nsid == 1:", 16, fmt::format("the end where an action is wanted{}", all_actions));
  refused("drop,", 6, fmt::format("the end where an action is wanted{}", all_actions));
  refused(", drop", 1, fmt::format("',' where an action is wanted{}", all_actions));
  refused("drop reset", 6, "'reset' after drop, which takes nothing");
  refused("drop: reset", 5, "':' where a comma, a semicolon or the end is wanted");
  refused("drop @", 6, "'@' means nothing here; text with such characters stands in quotes");
  refused("drop, reset, drop", 14, "'drop' stands in this rule before");
  refused(
      "delay 1s, duplicate, wrong-cid, wrong-length, short-data, flip-digest, termreq, reset, "
      "silence",
      88, "more than 8 actions in a rule");
}

TEST_CASE("the arguments of actions") {
  refused("delay", 6, "the end where TIME is wanted after delay");
  refused("delay, drop", 6, "',' where TIME is wanted after delay");
  refused("delay 50", 9, "50 has no unit: 50ms, 50us or 50s");
  refused("delay 0ms", 7, "0ms is less than 1ns");
  refused("delay fast", 7, "'fast' is not a time (for example 50ms, 1.5s or 2m)");
  refused("delay 5ms 3", 11, "'3' where a comma, a semicolon or the end is wanted");
  refused("silence 0s", 9, "0s is less than 1ns");
  refused("stop-reading 9999h", 14, "9999h is more than 8784h");
  refused("wrong-cid 65536", 11, "65536 is more than 65535 (0xffff)");
  refused("wrong-cid -1", 11, "'-1' is not a number (for example 4096, 0x1000, 64K, 64M or 1G)");
  refused("wrong-length 0", 14, "0 is less than 1");
  refused("wrong-length +", 15,
          "is empty; a number is wanted (for example 4096, 0x1000, 64K, 64M "
          "or 1G)");
  refused("wrong-length -x", 15, "'x' is not a number (for example 4096, 0x1000, 64K, 64M or 1G)");
  refused("wrong-length 2G", 14, "2G is more than 2147483647 (0x7fffffff)");
  refused("short-data 0", 12, "0 is less than 1");
  refused("short-data 4G", 12, "4G is more than 4294967295 (0xffffffff)");
  refused("flip-digest both", 13, "'both' is neither header nor data");
  refused("status", 7, "the end where STATUS [dnr] is wanted after status");
  refused("status internal-eror", 8,
          "'internal-eror' is neither a status-code nor a number; did you mean internal-error? "
          "(for example success or 0x00)");
  refused("status 9/01", 8, "9 is more than 7");
  refused("status internal-error DNR", 23,
          "'DNR' where dnr, a comma, a semicolon or the end is wanted");
  refused("termreq sequence", 9,
          "'sequence' is neither a fes nor a number; did you mean pdu-sequence-error? "
          "(for example invalid-header-field or 0x01)");
  refused("termreq 65536", 9, "65536 is more than 65535 (0xffff)");
}

TEST_CASE("what an end or a transport cannot do") {
  refused("early-success", 1, "only a controller can do early-success, this is a plan for a host",
          {.role = fault_role::host});
  refused("when cmd == read: status internal-error", 19,
          "only a controller can do status, this is a plan for a host", {.role = fault_role::host});
  refused("explode", 1,
          "'explode' is not an action; actions are delay, drop, duplicate, wrong-cid, short-data, "
          "reset, stop-reading, silence",
          {.role = fault_role::host, .pdus = false});
  refused("wrong-length", 1, "wrong-length needs the PDUs of NVMe/TCP, and this transport has none",
          {.role = {}, .pdus = false});
  refused("flip-digest", 1,
          "flip-digest needs the digests of NVMe/TCP, and this transport has none",
          {.role = {}, .pdus = false});
}
