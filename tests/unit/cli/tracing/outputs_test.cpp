// SPDX-License-Identifier: BSD-2-Clause
// What a trace is put out to: packets by hand in, text and JSON out.
#include "tracing/outputs.hpp"

#include <doctest/doctest.h>

#include <boost/json/parse.hpp>
#include <sstream>

#include "options.hpp"
#include "unit/trace/rules/dialogue.hpp"

using namespace nvmf;
using namespace nvmf::cli;
using namespace nvmf::test;

namespace {

struct shown {
  std::vector<std::string> lines;
  std::vector<std::string> warnings;
  result end;

  std::size_t count(std::string_view part) const {
    std::size_t n = 0;
    for (const std::string& l : lines) n += l.find(part) != std::string::npos ? 1u : 0u;
    return n;
  }
};

using play = void (*)(wire_tap&);

shown show(std::initializer_list<std::pair<std::string_view, std::string_view>> options, play what,
           bool json = false, int verbosity = 0) {
  output_options how;
  option_table table;
  how.add(table);
  how.time = static_cast<std::size_t>(trace_time::epoch);
  for (const auto& [name, value] : options) {
    const option* row = table.find(name);
    REQUIRE(row != nullptr);
    REQUIRE(row->set(value).has_value());
  }
  std::ostringstream text;
  const style plain;
  shown s;
  outputs out(how, json, verbosity, text, plain);
  wire_tap tap(out.listener(), out.options());
  what(tap);
  tap.tracer.finish();
  s.end = out.finish(tap.tracer, s.warnings);
  std::istringstream in(text.str());
  for (std::string line; std::getline(in, line);) s.lines.push_back(line);
  return s;
}

// Two reads, the second fails; and an answer to nobody.
void talk(wire_tap& w) {
  w.handshake();
  w.host(icreq());
  w.controller(icresp());
  w.host(lawful_connect(0, 1, 1));
  w.controller(with_head(response_pdu(0, 0, 1), 1));
  w.host(read_command(1));
  w.controller(data_pdu(0x07, 4, 1, 0, 0, filled(4096, 7)));
  w.controller(with_head(response_pdu(1), 2));
  w.host(read_command(2));
  w.controller(with_head(response_pdu(2, 0x4080), 3));
  w.controller(with_head(response_pdu(9), 3));
}

std::string rules_text(const shown& s) {
  for (const std::string& w : s.warnings)
    if (w.starts_with("rules:")) return w;
  return {};
}

}  // namespace

TEST_CASE("text: a line a capsule, rules behind what shows that they were broken") {
  const shown s = show({}, talk);
  REQUIRE(s.lines.size() == 11);
  CHECK(s.lines[5].ends_with("c1 q1 > 0x0001 read nsid=0x1 nlb=7 (0's based: 8)"));
  CHECK(s.lines[6].find("< 0x0001 read ok, 4096 bytes, ") != std::string::npos);
  CHECK(s.lines[8].find("LBA Out of Range") != std::string::npos);
  CHECK(s.lines[9].find("! 0x0009 error response-command by the controller") != std::string::npos);
  CHECK(s.count("is not outstanding") == 0);  // the rule has said it
  CHECK(rules_text(s) == "rules: 1 error, 0 warnings, 0 notes");
  CHECK(s.end.status == exit_status::ok);
}

TEST_CASE("without rules the notice tells, and nothing is counted") {
  const shown s = show({{"--no-rules", ""}}, talk);
  CHECK(s.count("response-command") == 0);
  CHECK(s.count("its CID is not outstanding") == 1);
  CHECK(rules_text(s).empty());
}

TEST_CASE("--strict makes a broken rule a failure") {
  const shown s = show({{"--strict", ""}}, talk);
  CHECK(s.end.status == exit_status::protocol_error);
  CHECK(s.end.error == "trace: rules: 1 error, 0 warnings, 0 notes");
  const shown still = show({{"--strict", ""}}, [](wire_tap& w) { w.open(0); });
  CHECK(still.end.status == exit_status::protocol_error);  // a Connect without HOSTID
}

TEST_CASE("filters choose lines: what is known at the end is waited for") {
  CHECK(show({{"--filter", "failed"}}, talk).lines.size() == 2);
  CHECK(show({{"--filter", "cmd == read && !failed"}}, talk).lines.size() == 2);
  CHECK(show({{"--filter", "severity == error"}}, talk).lines.size() == 1);
  CHECK(show({{"--filter", "rule == sqhd"}}, talk).lines.empty());
  CHECK(show({{"--filter", "by == controller && cid == 9"}}, talk).lines.size() == 1);
  CHECK(show({{"--filter", "latency > 1s"}}, talk).lines.empty());
  // Those that a filter leaves out are judged all the same.
  CHECK(rules_text(show({{"--filter", "latency > 1s"}}, talk)) ==
        "rules: 1 error, 0 warnings, 0 notes");
}

TEST_CASE("filters say what is wrong with them, and where") {
  const auto wrong = [](std::string_view text) {
    const auto parsed = trace_filter::parse(text);
    return parsed ? std::string{} : parsed.error();
  };
  CHECK(wrong("rule == sqhed").find("did you mean sqhd") != std::string::npos);
  CHECK(wrong("severity == bad").find("severity: 'bad' is not one") != std::string::npos);
  CHECK(wrong("by == me").find("column 7") != std::string::npos);
  CHECK(wrong("latency > 1").find("no unit") != std::string::npos);
  CHECK(wrong("cmd ==") != "");
  CHECK(wrong("((((") != "");
}

TEST_CASE("the first and the last lines") {
  const shown all = show({}, talk);
  const shown first = show({{"--first", "3"}}, talk);
  CHECK(first.lines == std::vector(all.lines.begin(), all.lines.begin() + 3));
  const shown last = show({{"--last", "3"}}, talk);
  CHECK(last.lines == std::vector(all.lines.end() - 3, all.lines.end()));
}

TEST_CASE("JSON: a record a command, and the summary with what the rules found") {
  const shown s = show({}, talk, true);
  std::size_t commands = 0;
  for (const std::string& line : s.lines) {
    const auto record = boost::json::parse(line).as_object();
    CHECK(record.at("schema") == "nvmfctl.trace/1");
    if (record.at("record") != "command") continue;
    ++commands;
    if (record.at("cid") == 2) {
      const auto& status = record.at("command").at("status");
      CHECK(status.at("sc") == 0x80);
      CHECK(status.at("dnr") == true);
    }
  }
  CHECK(commands == 3);
  CHECK(s.end.document.at("summary").at("rules").at("errors") == 1);
  CHECK(s.end.document.at("summary").at("connections") == 1);
}

TEST_CASE("statistics: counts by command, errors by status, rules that were broken") {
  const shown s = show({{"--stats", ""}}, talk);
  CHECK(s.count("LBA Out of Range") == 1);
  CHECK(s.count("Rules broken") == 1);
  bool read = false;
  for (const std::string& l : s.lines) {
    std::istringstream in(l);
    std::vector<std::string> cells;
    for (std::string cell; in >> cell;) cells.push_back(cell);
    if (cells.size() < 6 || cells[0] != "c1" || cells[2] != "read") continue;
    read = true;
    CHECK(cells[3] == "2");     // count
    CHECK(cells[4] == "1");     // failed
    CHECK(cells[5] == "0");     // open
    CHECK(cells[6] == "4096");  // bytes
  }
  CHECK(read);
  const shown json = show({{"--stats", ""}}, talk, true);
  REQUIRE(json.lines.size() == 1);
  const auto numbers = boost::json::parse(json.lines[0]).at("statistics");
  CHECK(numbers.at("rules").at(0).at("rule") == "response-command");
  CHECK(numbers.at("rules").at(0).at("count") == 1);
}

namespace {

// The same on one more connection, of another queue.
void talk_twice(wire_tap& w) {
  talk(w);
  ++w.host_port;
  talk(w);
}

}  // namespace

TEST_CASE("statistics of a filter: what fits, on the connections that have it") {
  const shown s = show({{"--stats", ""}, {"--filter", "conn == 2 && failed"}}, talk_twice, true);
  REQUIRE(s.lines.size() == 1);
  const auto numbers = boost::json::parse(s.lines[0]).at("statistics");
  REQUIRE(numbers.at("connections").as_array().size() == 1);
  const auto& c = numbers.at("connections").at(0);
  CHECK(c.at("connection") == 2);
  CHECK(c.at("commands") == 1);
  CHECK(c.at("failed") == 1);
  CHECK(c.at("bytes_to_host") == 0);
  CHECK(c.at("reached").at("outstanding") == 1);
  CHECK(numbers.at("rules").as_array().empty());  // no rule is "failed"
  const shown broken =
      show({{"--stats", ""}, {"--filter", "rule == response-command"}}, talk_twice, true);
  const auto tally = boost::json::parse(broken.lines[0]).at("statistics").at("rules");
  REQUIRE(tally.as_array().size() == 1);
  CHECK(tally.at(0).at("count") == 2);
  CHECK(show({{"--stats", ""}}, talk_twice).count("of what fits the filter") == 0);
  CHECK(show({{"--stats", ""}, {"--filter", "failed"}}, talk_twice)
            .count("Commands, failed and bytes: of what fits the filter") == 1);
}

TEST_CASE("the depth over time is of the commands that fit, when that is known at once") {
  const auto depth = [](std::string_view filter) {
    const shown s = show(
        {{"--stats", ""}, {"--filter", filter}},
        [](wire_tap& w) {
          w.open(1);
          for (unsigned cid = 1; cid < 5; ++cid) w.host(read_command(cid));
          w.host(write_command(9));
        },
        true);
    return boost::json::parse(s.lines[0]).at("statistics").at("over_time").at("depth").at(0);
  };
  CHECK(depth("cmd == read") == 4);
  CHECK(depth("cmd == write") == 1);
  CHECK(depth("latency > 1s") == 5);
}

TEST_CASE("-v shows every PDU, -vv its bytes") {
  CHECK(show({}, talk, false, 1).count("c2h-data [last-pdu]") >= 1);
  const std::size_t structures = show({}, talk, false, 1).count("00000000  ");
  CHECK(structures < 3);
  CHECK(show({}, talk, false, 2).count("00000000  ") >= structures + 8);
}
