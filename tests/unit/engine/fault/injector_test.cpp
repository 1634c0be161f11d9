// SPDX-License-Identifier: BSD-2-Clause
#include "engine/fault/injector.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <array>
#include <string>
#include <vector>

using namespace nvmf;
using namespace nvmf::engine;
using namespace std::chrono_literals;

namespace {

constexpr time_point start{1000s};

// Bytes by hand: opcode 0, CID 3:2, NSID 7:4, SLBA 47:40, NLB 49:48 (NVM Command Set 1.0, 3.2.4).
struct raw_sqe {
  std::array<std::byte, 64> bytes{};
  raw_sqe& at(std::size_t i, std::initializer_list<unsigned> values) {
    for (unsigned v : values) bytes[i++] = static_cast<std::byte>(v);
    return *this;
  }
};
const raw_sqe read_8 = raw_sqe{}
                           .at(0, {0x02, 0x40, 0x34, 0x12, 1, 0, 0, 0})
                           .at(40, {0x00, 0x10, 0, 0, 0, 0, 0, 0})
                           .at(48, {7, 0});
const raw_sqe write_1 = raw_sqe{}.at(0, {0x01, 0x40, 2, 0, 2, 0, 0, 0});
const raw_sqe flush = raw_sqe{}.at(0, {0x00, 0x40, 3, 0, 1, 0, 0, 0});
const raw_sqe get_log = raw_sqe{}.at(0, {0x02, 0x40, 4, 0, 0xff, 0xff, 0xff, 0xff});
const raw_sqe connect = raw_sqe{}.at(0, {0x7f, 0x40, 5, 0, 0x01});

fault_command command(const raw_sqe& sqe, std::uint16_t qid = 1, duration since = 0s) {
  return {.sqe = sqe.bytes,
          .qid = qid,
          .connection = 3,
          .host = "nqn.2014-08.org.example:a",
          .bytes = 4096,
          .at = start + since};
}
fault_injector running(std::string_view plan, std::uint64_t seed = 1) {
  auto p = fault_plan::parse(plan);
  REQUIRE_MESSAGE(p.has_value(), plan);
  return {std::move(*p), seed, start};
}
bool holds(std::string_view condition, const fault_command& c) {
  auto i = running(fmt::format("when {}: drop", condition));
  return !i.decide(c).empty();
}
// Which of `n` reads fire: "..x..x".
std::string pattern(fault_injector& i, std::size_t n, duration step = 0s) {
  std::string out;
  for (std::size_t k = 0; k < n; ++k)
    out += i.decide(command(read_8, 1, static_cast<int>(k) * step)).empty() ? '.' : 'x';
  return out;
}
std::string pattern(std::string_view plan, std::size_t n, duration step = 0s) {
  auto i = running(plan);
  return pattern(i, n, step);
}

}  // namespace

TEST_CASE("the fields of a command") {
  const fault_command r = command(read_8);
  for (std::string_view yes :
       {"cmd == read", "opcode == 2", "queue == 1", "qid == 1", "nsid == 1", "slba == 0x1000",
        "nlb == 7", "bytes == 4K", "cid == 0x1234", "conn == 3", "connection == 3",
        "host =~ example:a", "hostnqn =~ nqn.2014", "cmd in (write, read)", "queue != admin"}) {
    CAPTURE(yes);
    CHECK(holds(yes, r));
    CHECK_FALSE(holds(fmt::format("!({})", yes), r));
  }
  CHECK(holds("cmd == get-log-page && queue == admin", command(get_log, 0)));
  CHECK(holds("nsid == 0xffffffff", command(get_log, 0)));
  CHECK_FALSE(holds("cmd == read", command(get_log, 0)));  // the same opcode, another queue
  CHECK(holds("cmd == connect && opcode == 7Fh && fctype == connect && cid == 5",
              command(connect, 0)));
  CHECK(holds("cmd == connect", command(connect, 4)));
}

TEST_CASE("what a command does not have matches nothing") {
  for (std::string_view absent : {"slba >= 0", "nlb >= 0"}) {
    CHECK_FALSE(holds(absent, command(flush)));
    CHECK_FALSE(holds(absent, command(connect, 1)));
    CHECK_FALSE(holds(absent, command(read_8, 0)));  // Get Log Page by its queue
    CHECK(holds(absent, command(write_1)));
  }
  CHECK_FALSE(holds("fctype >= 0", command(read_8)));
  CHECK_FALSE(holds("nsid >= 0", command(connect, 0)));
  fault_command early = command(connect, 0);
  early.host = {};
  CHECK_FALSE(holds("host != x", early));
  CHECK(holds("!(host =~ x)", early));
}

TEST_CASE("each trigger alone") {
  CHECK(pattern("drop", 4) == "xxxx");
  CHECK(pattern("when every 3: drop", 8) == "..x..x..");
  CHECK(pattern("when every 1: drop", 3) == "xxx");
  CHECK(pattern("when after 3: drop", 5) == "...xx");
  CHECK(pattern("when count 2: drop", 5) == "xx...");
  CHECK(pattern("when after 3s: drop", 6, 1s) == "...xxx");
  CHECK(pattern("when before 3s: drop", 6, 1s) == "xxx...");
  CHECK(pattern("when after 2s && before 4s: drop", 6, 1s) == "..xx..");
  CHECK(pattern("when probability 100%: drop", 3) == "xxx");
}

TEST_CASE("triggers together: time, then after, every, probability, count") {
  // every counts from behind the first N; count counts what fires.
  CHECK(pattern("when every 3 && after 2: drop", 10) == "....x..x..");
  CHECK(pattern("when count 2 && every 2: drop", 8) == ".x.x....");
  CHECK(pattern("when count 1 && after 2: drop", 5) == "..x..");
  // N and every count what was in time.
  CHECK(pattern("when after 2s && after 1: drop", 6, 1s) == "...xxx");
  CHECK(pattern("when after 2s && every 2: drop", 7, 1s) == "...x.x.");
  CHECK(pattern("when before 5s && every 2: drop", 8, 1s) == ".x.x....");
  // Chance comes before count: what it did not choose is not counted.
  const std::string dice = pattern("when probability 50%: drop", 64);
  const std::string three = pattern("when probability 50% && count 3: drop", 64);
  std::string wanted;
  for (std::size_t k = 0, n = 0; k < dice.size(); ++k)
    wanted += dice[k] == 'x' && n < 3 ? (++n, 'x') : '.';
  CHECK(three == wanted);
  CHECK(std::string_view(wanted).contains("x"));
  // And after every: it is thrown for every second one only.
  const std::string even = pattern("when probability 50% && every 2: drop", 64);
  for (std::size_t k = 0; k < even.size(); ++k) CHECK(even[k] == (k % 2 == 1 ? dice[k] : '.'));
}

TEST_CASE("a condition counts its own matches only") {
  auto i = running("when cmd == write && every 2: drop");
  std::string fired;
  for (const raw_sqe* c : {&write_1, &read_8, &read_8, &write_1, &read_8, &write_1, &write_1})
    fired += i.decide(command(*c)).empty() ? '.' : 'x';
  CHECK(fired == "...x..x");
  CHECK(i.seen() == 7);
  CHECK(i.counts()[0].matched == 4);
  CHECK(i.counts()[0].fired == 2);
  CHECK(i.fired() == 2);
}

TEST_CASE("chance hits about as often as it should") {
  for (const auto& [text, low, high] : {std::tuple{"1%", 60, 150},
                                        {"10%", 900, 1100},
                                        {"50%", 4800, 5200},
                                        {"0.999", 9970, 10000}}) {
    auto i = running(fmt::format("when probability {}: drop", text), 42);
    pattern(i, 10'000);
    CAPTURE(text);
    CHECK(i.fired() >= static_cast<std::uint64_t>(low));
    CHECK(i.fired() <= static_cast<std::uint64_t>(high));
  }
}

TEST_CASE("a seed makes it repeat, another seed or rule does otherwise") {
  const std::string_view plan = "when probability 50%: drop";
  auto a = running(plan, 7), b = running(plan, 7), c = running(plan, 8);
  const std::string first = pattern(a, 200);
  CHECK(first == pattern(b, 200));
  CHECK(first != pattern(c, 200));
  auto two = running("when probability 50%: drop; when probability 50%: reset", 7);
  std::string one_of, other;
  for (int k = 0; k < 200; ++k) {
    const auto d = two.decide(command(read_8));
    one_of += d.find(fault_action::drop) != nullptr ? 'x' : '.';
    other += d.find(fault_action::reset) != nullptr ? 'x' : '.';
  }
  CHECK(one_of == first);
  CHECK(other != first);
}

TEST_CASE("the decisions of a rule do not depend on what others do in between") {
  auto alone = running("when cmd == read && probability 30% && every 2: drop", 7);
  auto busy = running(
      "when cmd == read && probability 30% && every 2: drop; "
      "when cmd == write && probability 50%: reset; when every 3: silence",
      7);
  for (int k = 0; k < 300; ++k) {
    for (int n = 0; n < k % 4; ++n) busy.decide(command(write_1, 2));
    const bool x = !alone.decide(command(read_8)).empty();
    const auto d = busy.decide(command(read_8, 5, 1ms * k));
    CHECK((d.find(fault_action::drop) != nullptr) == x);
  }
  CHECK(alone.counts()[0].fired == busy.counts()[0].fired);
  CHECK(alone.counts()[0].fired > 10);
}

TEST_CASE("all rules that fire come in the order of the plan") {
  auto i = running(
      "drop; when cmd == write: reset; when cmd == read: delay 1s, duplicate; "
      "delay 2s");
  const auto d = i.decide(command(read_8));
  REQUIRE(d.size() == 3);
  std::vector<std::uint32_t> numbers;
  for (const fault_rule* r : d) numbers.push_back(r->number);
  CHECK(numbers == std::vector<std::uint32_t>{1, 3, 4});
  CHECK(d.find(fault_action::delay)->time == 1s);  // the first
  CHECK(d.find(fault_action::reset) == nullptr);
  std::string many;
  for (std::size_t k = 0; k < fault_rules_max; ++k) many += "drop;";
  auto full = running(many);
  CHECK(full.decide(command(read_8)).size() == fault_rules_max);
}

TEST_CASE("a rule that never fired says why") {
  const auto why = [](std::string_view plan, std::size_t reads, duration step = 0s) {
    auto i = running(plan);
    pattern(i, reads, step);
    const auto r = i.report();
    CHECK(r[0].seen == reads);
    return r[0].never_fired;
  };
  CHECK(why("when cmd==compare: reset", 0) ==
        "fault 1 'when cmd==compare: reset' never fired: no command came");
  CHECK(why("when cmd==compare: reset", 1) ==
        "fault 1 'when cmd==compare: reset' never fired: no command matched (1 was seen)");
  CHECK(why("when cmd==compare: reset", 312) ==
        "fault 1 'when cmd==compare: reset' never fired: no command matched (312 were seen)");
  CHECK(why("when every 100: drop", 40) ==
        "fault 1 'when every 100: drop' never fired: matched 40 commands, every 100 was never "
        "reached");
  CHECK(why("when after 40: drop", 40) ==
        "fault 1 'when after 40: drop' never fired: matched 40 commands, after 40 was never "
        "reached");
  CHECK(why("when after 1m: drop", 1, 1s) ==
        "fault 1 'when after 1m: drop' never fired: matched 1 command, none after 1m");
  CHECK(why("when after 1h && before 2h: drop", 9, 1s) ==
        "fault 1 'when after 1h && before 2h: drop' never fired: matched 9 commands, none between "
        "1h and 2h");
  CHECK(why("when after 5s && every 9: drop", 9, 1s) ==
        "fault 1 'when after 5s && every 9: drop' never fired: matched 9 commands, 4 of them after "
        "5s, every 9 was never reached");
  CHECK(why("when before 3s && after 3: drop", 9, 1s) ==
        "fault 1 'when before 3s && after 3: drop' never fired: matched 9 commands, 3 of them "
        "before 3s, after 3 was never reached");
  CHECK(why("when probability 0.0000001%: drop", 3) ==
        "fault 1 'when probability 0.0000001%: drop' never fired: matched 3 commands, probability "
        "0.0000001% never struck in 3 tries");
  CHECK(why("when every 1: drop", 1).empty());
}

TEST_CASE("the report has each rule as it was written") {
  auto i = running("when cmd==compare: reset\nwhen  cmd==read: drop # all");
  pattern(i, 5);
  const auto r = i.report();
  REQUIRE(r.size() == 2);
  CHECK(r[0].number == 1);
  CHECK(r[0].text == "when cmd==compare: reset");
  CHECK_FALSE(r[0].never_fired.empty());
  CHECK(r[1].number == 2);
  CHECK(r[1].text == "when  cmd==read: drop");
  CHECK(r[1].seen == 5);
  CHECK(r[1].count.matched == 5);
  CHECK(r[1].count.fired == 5);
  CHECK(r[1].never_fired.empty());
  CHECK(i.seed() == 1);
  CHECK(i.plan().rules().size() == 2);
}
