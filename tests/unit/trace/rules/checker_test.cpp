// SPDX-License-Identifier: BSD-2-Clause
// Who is quiet, and when: kernels of others, gaps in the capture; and what a violation says.
#include "trace/rules/checker.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <iterator>

#include "dialogue.hpp"
#include "trace/capture/reader.hpp"

using namespace nvmf;
using namespace nvmf::test;

namespace {

// Every packet but those from `from` to `to`, which the capture lost.
void judge_file(const std::string& name, verdicts& heard, trace::tracer_options options = {},
                std::uint64_t from = 0, std::uint64_t to = 0) {
  std::ifstream in(std::string(NVMF_SOURCE_DIR) + "/tests/captures/" + name, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(in), {}};
  REQUIRE(bytes.size() > 1000);
  trace::byte_span left = std::as_bytes(std::span{bytes});
  trace::checker judge(heard);
  trace::tracer tracer(std::move(options), judge);
  trace::capture_reader reader;
  trace::packet p;
  while (reader.next(left, p) == trace::capture_reader::step::packet)
    if (p.at.packet < from || p.at.packet >= to) tracer.take(p);
  tracer.finish();
  CHECK(tracer.counts().connections >= (from == 0 ? 3 : 2));  // of RDMA, its request may be lost
  CHECK(judge.connections() == 0);
  CHECK(judge.controllers_known() == 0);
  for (const trace::violation& v : heard.all) MESSAGE(v.at.packet, " ", to_text(v));
}

}  // namespace

TEST_CASE("Linux 6.12, host and target, breaks no rule") {
  for (const char* name : {"linux-6.12-plain.pcap", "linux-6.12-digests.pcap"}) {
    CAPTURE(name);
    verdicts heard;
    judge_file(name, heard);
    CHECK(heard.lines == std::vector<std::string>{});
    CHECK(heard.suspended.empty());
  }
}

TEST_CASE(
    "Linux 6.12 over RDMA: its Connect of an I/O queue has data in the capsule, that is all") {
  verdicts heard;
  judge_file("linux-6.12-roce.pcap", heard);
  CHECK(heard.lines == std::vector<std::string>{"host rdma-fabrics-data"});
  CHECK(heard.suspended.empty());
}

TEST_CASE("what a capture of RDMA lost is held against nobody, wherever it is lost") {
  std::size_t suspended = 0;
  for (std::uint64_t at = 1; at < 420; ++at)
    for (const std::uint64_t lost : {1u, 3u}) {
      CAPTURE(at);
      CAPTURE(lost);
      verdicts heard;
      judge_file("linux-6.12-roce.pcap", heard, {}, at, at + lost);
      std::erase(heard.lines, "host rdma-fabrics-data");
      CHECK(heard.lines == std::vector<std::string>{});
      suspended += heard.suspended.size();
    }
  CHECK(suspended > 100);
}

TEST_CASE("a CID that stands for two commands: what follows is held against nobody") {
  dialogue t;
  t.open();
  t.host(write_command(1));
  t.host(plain_command(0, 1));
  CHECK(t.heard.lines == std::vector<std::string>{"host cid-in-use"});
  CHECK(t.heard.suspended == std::vector<std::string>{"ambiguous"});
  t.answer(1);
  t.answer(1);
  CHECK(t.heard.lines.size() == 1);
}

TEST_CASE("what the capture lost is held against nobody, wherever it is lost") {
  std::size_t suspended = 0;
  for (const char* name : {"linux-6.12-plain.pcap", "linux-6.12-digests.pcap"})
    for (std::uint64_t at = 1; at < 400; at += 7) {
      CAPTURE(name);
      CAPTURE(at);
      verdicts heard;
      judge_file(name, heard, {}, at, at + 3);
      CHECK(heard.lines == std::vector<std::string>{});
      suspended += heard.suspended.size();
    }
  CHECK(suspended > 20);
}

TEST_CASE("a gap suspends what depends on the past; what is sent after it is judged") {
  dialogue t;
  t.open();
  t.host(write_command(1, 8192));
  t.w.next(true, plain_command(0, 2));  // sent, and not captured
  t.controller(response_pdu(2));
  for (unsigned i = 3; i < 40; ++i) t.host(plain_command(0, i));
  CHECK(t.heard.lines.empty());
  REQUIRE(t.heard.suspended.size() == 1);
  CHECK(t.heard.suspended[0] == "lost");
  t.r2t(1, 5, 0, 16384);  // of before the gap: the rest of it is not known
  t.controller(response_pdu(77));
  CHECK(t.heard.lines.empty());
  t.host(write_command(100, 4096));
  t.r2t(100, 6, 0, 8192);
  CHECK(t.heard.lines == std::vector<std::string>{"controller r2t-range"});
}

TEST_CASE("a violation says who, where, which command, what is there and what may be") {
  dialogue t;
  t.open();
  t.host(write_command(0x1234, 4096));
  t.r2t(0x1234, 5, 0, 8192);
  REQUIRE(t.heard.all.size() == 1);
  const trace::violation& v = t.heard.all[0];
  CHECK(v.at.packet == t.w.number);
  CHECK(v.at.ns == t.w.at);
  CHECK(v.offset == 128 + 24);  // behind ICResp and the response to Connect
  CHECK(v.cid == 0x1234);
  CHECK(v.pdu == 0x09);
  CHECK(to_text(v) ==
        "error r2t-range by the controller: r2to + r2tl is 8192, expected at most 4096 "
        "[TCP 3.6.2.10]");
  CHECK(t.judge.count(trace::rule::r2t_range) == 1);
  CHECK(t.judge.count(trace::severity::error) == 1);
}

TEST_CASE("data that crosses the response of a command that failed is not held against the host") {
  dialogue t;
  t.open();
  t.host(write_command(1, 8192));
  t.r2t(1, 5, 0, 8192);
  t.send(1, 5, 0, 4096, 0);
  t.answer(1, 0x2);
  t.send(1, 5, 4096, 4096, 4);
  CHECK(t.heard.lines.empty());
  t.send(1, 5, 0, 4096, 4);
  CHECK(t.heard.lines == std::vector<std::string>{"host h2c-r2t"});
}

TEST_CASE("what is kept does not grow with the traffic") {
  dialogue t;
  t.open();
  for (unsigned i = 0; i < 2000; ++i) {
    t.host(write_command(1));
    t.r2t(1, i & 0xffff, 0, 4096);
    t.send(1, i & 0xffff, 0, 4096, 4);
    t.answer(1);
  }
  CHECK(t.heard.lines.empty());
  t.close();
  CHECK(t.judge.connections() == 0);
}

TEST_CASE("rules are found by name, and each row is whole") {
  CHECK(trace::find_rule("r2t_range") == &trace::row_of(trace::rule::r2t_range));
  CHECK(trace::find_rule("r2t-range")->name == "r2t-range");
  CHECK(trace::find_rule("r2t") == nullptr);
  for (const trace::rule_row& r : trace::all_rules()) {
    CAPTURE(r.name);
    CHECK(&trace::row_of(r.id) == &r);
    CHECK(!r.checks.empty());
    CHECK(!r.section.empty());
    CHECK(r.statement.find("  ") == std::string_view::npos);
  }
}
