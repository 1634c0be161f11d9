// SPDX-License-Identifier: BSD-2-Clause
// Odd and illegal values of Identify: what is legal works, what is not is refused by name or
// clamped, and said.
#include <doctest/doctest.h>

#include "support/host_fixture.hpp"

using namespace nvmf;
using namespace nvmf::test;
using namespace std::chrono_literals;

namespace {

struct identify_fixture : host_fixture {
  std::string verdict(host_stage s) const {
    const stage_report* r = stage(s);
    return r == nullptr ? "(no report)" : r->verdict;
  }
  std::string limit(std::string_view name) const {
    for (const limit_row& r : host->limits())
      if (r.name == name) return r.value;
    return "(none)";
  }
};

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("illegal values are refused, and the field is named") {
  const struct {
    std::size_t at, size;
    std::uint64_t value;
    std::string_view field;
    std::uint64_t reported;
  } cases[] = {
      {78, 2, 6, "cntlid", 6},      // another controller than Connect told
      {111, 1, 4, "cntrltype", 4},  // reserved
      {512, 1, 0x77, "sqes", 7},    // entries of 128 bytes
      {513, 1, 0x55, "cqes", 5},    // entries of 32 bytes
      {1792, 4, 3, "ioccsz", 3},    // less than an SQE
      {1792, 4, 0, "ioccsz", 0},   {1796, 4, 0, "iorcsz", 0},
  };
  for (const auto& c : cases) {
    CAPTURE(c.field);
    identify_fixture t;
    put(t.controller->identify, c.at, c.size, c.value);
    CHECK_FALSE(t.bring_up());
    CHECK(t.failure().stage == host_stage::identify);
    CHECK(t.failure().code == errc::protocol_violation);
    REQUIRE(t.failure().violation.has_value());
    CHECK(t.failure().violation->structure == "identify-controller");
    CHECK(t.failure().violation->offset == c.at);
    CHECK(t.failure().violation->value == c.reported);
    CHECK(has(t.failure().detail, c.field));
    CHECK_FALSE(t.failure().violation->reason.empty());
  }
}

TEST_CASE("values of a discovery or administrative controller are not held against it") {
  for (const std::uint8_t type : {std::uint8_t{2}, std::uint8_t{3}}) {
    identify_fixture t;
    put(t.controller->identify, 111, 1, type);
    put(t.controller->identify, 1792, 4, 0);
    put(t.controller->identify, 1796, 4, 0);
    put(t.controller->identify, 512, 2, 0);
    put(t.controller->identify, 516, 4, 0);
    CHECK(t.bring_up());
    CHECK(t.host->io_queues() == 0);
    CHECK(t.controller->count("identify 2") == 0);
    CHECK(t.controller->count("features 7") == 0);
  }
}

TEST_CASE("an old discovery controller is known by its NQN") {
  identify_fixture t;
  t.options.subsystem_nqn = "nqn.2014-08.org.nvmexpress.discovery";
  SUBCASE("CNTRLTYPE not reported") {
    put(t.controller->identify, 111, 1, 0);
    REQUIRE(t.bring_up());
    CHECK(t.verdict(host_stage::identify) == "ok");
  }
  SUBCASE("CNTRLTYPE says I/O controller") {
    REQUIRE(t.bring_up());
    CHECK(has(t.verdict(host_stage::identify), "CNTRLTYPE"));
  }
  CHECK(t.host->io_queues() == 0);
  CHECK(t.controller->count("features 7") == 0);
}

TEST_CASE("odd but legal values work") {
  identify_fixture t;
  put(t.controller->identify, 77, 1, 0);             // MDTS: no limit
  put(t.controller->identify, 1792, 4, 4);           // IOCCSZ: no data in capsules
  put(t.controller->identify, 516, 4, 0xffff'fffe);  // NN
  put(t.controller->identify, 259, 1, 0);            // AERL: one request
  put(t.controller->identify, 320, 2, 1);            // KAS: 100 ms
  put(t.controller->identify, 92, 4, 0);             // OAES
  put(t.controller->identify, 520, 2, 0);            // ONCS
  t.options.async_events = 4;
  REQUIRE(t.bring_up());
  t.on.run();
  CHECK(t.host->max_transfer() == 0xffff'ffff);
  CHECK(t.controller->queue(1)->limits().max_in_capsule == 0);
  CHECK(t.controller->count("aer") == 1);
  CHECK(t.controller->count("features 11") == 0);
  for (const auto& s : t.stages) CHECK(s.verdict == "ok");
}

TEST_CASE("what is clamped is told") {
  identify_fixture t;
  SUBCASE("MDTS beyond any transfer") {
    put(t.controller->identify, 77, 1, 255);
    REQUIRE(t.bring_up());
    CHECK(has(t.verdict(host_stage::identify), "MDTS"));
    CHECK(t.host->max_transfer() == 0xffff'ffff);
  }
  SUBCASE("MAXCMD 0") {
    put(t.controller->identify, 514, 2, 0);
    REQUIRE(t.bring_up());
    CHECK(has(t.verdict(host_stage::identify), "MAXCMD"));
    CHECK(t.controller->queue(1)->limits().queue_size == 128);
  }
  SUBCASE("MAXCMD 1") {
    put(t.controller->identify, 514, 2, 1);
    REQUIRE(t.bring_up());
    CHECK(has(t.verdict(host_stage::io_queues), "MAXCMD"));
    CHECK(t.controller->queue(1)->limits().queue_size == 2);
  }
  SUBCASE("NN 0") {
    put(t.controller->identify, 516, 4, 0);
    REQUIRE(t.bring_up());
    CHECK(has(t.verdict(host_stage::identify), "NN is 0"));
    CHECK(t.host->namespaces().empty());
    CHECK(t.controller->count("identify 2") == 0);
  }
  SUBCASE("KAS 0") {
    put(t.controller->identify, 320, 2, 0);
    REQUIRE(t.bring_up());
    CHECK(has(t.verdict(host_stage::identify), "KAS"));
  }
  SUBCASE("ICDOFF") {
    put(t.controller->identify, 1800, 2, 4);
    REQUIRE(t.bring_up());
    CHECK(has(t.verdict(host_stage::identify), "ICDOFF"));
    CHECK(t.controller->queue(1)->limits().max_in_capsule == 0);
  }
  SUBCASE("SGLS without offsets") {
    put(t.controller->identify, 536, 4, 1);
    REQUIRE(t.bring_up());
    CHECK(has(t.verdict(host_stage::identify), "SGLS"));
    CHECK(t.controller->queue(1)->limits().max_in_capsule == 0);
  }
  SUBCASE("another subsystem NQN") {
    t.controller->identify[768 + 4] = std::byte{'9'};
    REQUIRE(t.bring_up());
    CHECK(has(t.verdict(host_stage::identify), "nqn.9024"));
  }
  SUBCASE("CAP.MQES") {
    t.controller->cap = (t.controller->cap & ~std::uint64_t{0xffff}) | 15;
    REQUIRE(t.bring_up());
    CHECK(t.verdict(host_stage::io_queues) == "128 entries asked, 16 possible (CAP.MQES)");
    CHECK(t.controller->queue(1)->limits().queue_size == 16);
  }
}

TEST_CASE("text of Identify is shown without what does not belong on a terminal") {
  identify_fixture t;
  put(t.controller->identify, 24, 8, 0x2020'411b'0a42'2020);  // "  B\n\x1b" "A  "
  REQUIRE(t.bring_up());
  CHECK(value(t.stage(host_stage::identify)->got, "MN") == "B??A");
}

TEST_CASE("properties that no controller can have are refused by name") {
  identify_fixture t;
  SUBCASE("MQES 0") {
    t.controller->cap &= ~std::uint64_t{0xffff};
    CHECK_FALSE(t.bring_up());
    CHECK(has(t.failure().detail, "mqes"));
  }
  SUBCASE("MPSMIN above MPSMAX") {
    t.controller->cap |= std::uint64_t{3} << 48;
    CHECK_FALSE(t.bring_up());
    CHECK(has(t.failure().detail, "mpsmin"));
  }
  CHECK(t.failure().stage == host_stage::properties);
  CHECK(t.failure().violation->structure == "cap");
}

TEST_CASE("a reserved CNTLID in the Connect response is refused") {
  identify_fixture t;
  t.controller->cntlid = 0xffff;
  CHECK_FALSE(t.bring_up());
  CHECK(t.failure().stage == host_stage::fabrics_connect);
  CHECK(t.failure().violation->structure == "connect-response");
  CHECK(t.failure().violation->value == 0xffff);
}

TEST_CASE("MDTS counts in pages of CAP.MPSMIN") {
  identify_fixture t;
  t.controller->cap |= std::uint64_t{1} << 48 | std::uint64_t{1} << 52;
  REQUIRE(t.bring_up());
  CHECK(t.host->max_transfer() == 262144);
  CHECK(t.limit("MDTS") == "5 (262144 bytes)");
  // CC.MPS is the smallest page.
  for (const auto& c : t.controller->seen)
    if (c.name() == "set 0x14") CHECK(peek(c.sqe, 48, 4) == 0x0046'0081);
}

TEST_CASE("ready: the wait is bounded by CAP.TO, and CFS ends it") {
  identify_fixture t;
  SUBCASE("ready after some time") {
    t.controller->polls_until_ready = 20;
    REQUIRE(t.bring_up());
    CHECK(value(t.stage(host_stage::enable)->got, "polls") == "21");
  }
  SUBCASE("never") {
    t.controller->polls_until_ready = 1'000'000;
    const time_point began = t.on.now();
    CHECK_FALSE(t.bring_up());
    CHECK(t.on.now() - began == 7500ms);  // TO 15
    CHECK(t.failure().code == errc::timed_out);
    CHECK(t.failure().stage == host_stage::enable);
    CHECK(has(t.failure().detail, "7500 ms"));
  }
  SUBCASE("TO 0 is no time at all, so half a second") {
    t.controller->polls_until_ready = 1'000'000;
    t.controller->cap &= ~(std::uint64_t{0xff} << 24);
    const time_point began = t.on.now();
    CHECK_FALSE(t.bring_up());
    CHECK(t.on.now() - began == 500ms);
  }
  SUBCASE("CRTO is longer") {
    t.controller->polls_until_ready = 1'000'000;
    t.controller->cap |= std::uint64_t{1} << 59;
    t.controller->crto = 600;
    const time_point began = t.on.now();
    CHECK_FALSE(t.bring_up());
    CHECK(t.on.now() - began == 300s);
  }
  SUBCASE("CFS") {
    t.controller->csts = 2;
    t.controller->polls_until_ready = 10;
    CHECK_FALSE(t.bring_up());
    CHECK(t.failure().code == errc::controller_fatal);
    CHECK(t.failure().stage == host_stage::enable);
  }
}

TEST_CASE("a controller that is enabled already is disabled first") {
  identify_fixture t;
  t.controller->cc = 0x0046'0001;
  REQUIRE(t.bring_up());
  std::vector<std::uint64_t> written;
  for (const auto& c : t.controller->seen)
    if (c.name() == "set 0x14") written.push_back(peek(c.sqe, 48, 4));
  CHECK(written == std::vector<std::uint64_t>{0x0046'0000, 0x0046'0001});
}

TEST_CASE("the command set that CAP offers is selected") {
  identify_fixture t;
  t.controller->cap &= ~(std::uint64_t{0xff} << 37);
  std::uint64_t css = 0;
  SUBCASE("several, no NVM bit") {
    t.controller->cap |= std::uint64_t{1} << 43;
    css = 6;
  }
  SUBCASE("none for I/O") {
    t.controller->cap |= std::uint64_t{1} << 44;
    css = 7;
  }
  SUBCASE("nothing named: remarked, and the NVM set is tried") { css = 0; }
  REQUIRE(t.bring_up());
  const bool remarked =
      t.stage(host_stage::properties)->verdict.find("CAP.CSS names no command set") !=
      std::string::npos;
  CHECK(remarked == (css == 0));
  for (const auto& c : t.controller->seen)
    if (c.name() == "set 0x14") CHECK((peek(c.sqe, 48, 4) >> 4 & 7) == css);
  CHECK(t.host->io_queues() == (css == 7 ? 0 : 1));
}

TEST_CASE("fewer queues granted than asked") {
  identify_fixture t;
  t.options.io_queues = 4;
  t.controller->queues = 2;
  REQUIRE(t.bring_up());
  CHECK(t.host->io_queues() == 2);
  CHECK(t.verdict(host_stage::io_queues) == "4 queues asked, 2 granted");
  CHECK(t.limit("I/O queues") == "2 of 4 asked");
}

TEST_CASE("more queues granted than asked are left alone, and unequal grants make pairs") {
  identify_fixture t;
  t.options.io_queues = 3;
  t.controller->script = [](const fake_command& c) {
    if (c.name() != "features 7") return false;
    c.on->answer(c.cid, {.result = 0x0001'0063});  // NSQA 99, NCQA 1
    return true;
  };
  REQUIRE(t.bring_up());
  CHECK(t.host->io_queues() == 2);
}

TEST_CASE("SQ flow control goes when both sides agree, and stays otherwise") {
  for (const bool agrees : {true, false}) {
    identify_fixture t;
    t.options.disable_sq_flow_control = true;
    if (!agrees)
      t.controller->script = [](const fake_command& c) {
        if (c.opcode() != 0x7f || peek(c.sqe, 4, 1) != 1) return false;
        c.on->answer(c.cid, {.result = 5, .sqhd = 1});
        return true;
      };
    REQUIRE(t.bring_up());
    CHECK(peek(t.controller->seen[0].sqe, 46, 1) == 4);
    CHECK(t.controller->queue(0)->limits().sq_flow_control == !agrees);
    CHECK(t.controller->queue(1)->limits().sq_flow_control == !agrees);
    CHECK(has(t.verdict(host_stage::fabrics_connect), "flow control") == !agrees);
  }
}

TEST_CASE("a controller that requires authentication") {
  identify_fixture t;
  t.controller->script = [](const fake_command& c) {
    if (c.name() != "connect 0") return false;
    c.on->answer(c.cid, {.result = 0x0002'0005});  // AUTHREQ.ATR
    return true;
  };
  CHECK_FALSE(t.bring_up());
  CHECK(t.failure().stage == host_stage::fabrics_connect);
  CHECK(t.failure().status.raw_code() == 0x191);
  CHECK(has(t.failure().detail, "AUTHREQ 0002h"));
  CHECK(t.controller->seen.size() == 1);
}
