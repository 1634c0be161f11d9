// SPDX-License-Identifier: BSD-2-Clause
#include "trace/stream/tcp_flow.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <string>

#include "support/packets.hpp"

using namespace nvmf;
using namespace nvmf::test;

namespace {

// "0:abc", "1:absent 3 lost", "0:middle": the order of both directions in one list.
struct script final : trace::stream_sink {
  std::vector<std::string> lines;
  void on_bytes(unsigned from, trace::byte_span b, const trace::stamp&) override {
    std::string text;
    for (const std::byte x : b) text += static_cast<char>(x);
    lines.push_back(fmt::format("{}:{}", from, text));
  }
  void on_absent(unsigned from, std::uint64_t n, trace::absence why, const trace::stamp&) override {
    lines.push_back(
        fmt::format("{}:absent {} {}", from, n, why == trace::absence::cut ? "cut" : "lost"));
  }
  void on_middle(unsigned from, const trace::stamp&) override {
    lines.push_back(fmt::format("{}:middle", from));
  }
};

struct world {
  script out;
  trace::tcp_flow flow;
  trace::held_budget budget;
  std::uint64_t number = 0;

  void send(unsigned from, std::uint32_t sequence, std::string_view text, unsigned flags = 0,
            std::uint32_t acknowledged = 0, std::uint32_t beyond = 0) {
    octets bytes;
    for (const char c : text) bytes.push_back(static_cast<std::byte>(c));
    trace::segment s;
    s.from = static_cast<std::uint8_t>(from);
    s.flags = static_cast<std::uint8_t>(flags | (acknowledged != 0 ? 0x10 : 0));
    s.sequence = sequence;
    s.acknowledged = acknowledged;
    s.payload = bytes;
    s.payload_bytes = static_cast<std::uint32_t>(text.size()) + beyond;
    const std::int64_t now = static_cast<std::int64_t>(++number);
    flow.take(s, {now, number}, budget, out);
  }
  void syn(std::uint32_t first = 99) { send(0, first, "", 0x02); }
  std::vector<std::string> end() {
    flow.finish(budget, out);
    CHECK(budget.bytes == trace::held_budget{}.bytes);
    return out.lines;
  }
};

using list = std::vector<std::string>;

}  // namespace

TEST_CASE("in order: passed on as it is, both ways") {
  world w;
  w.syn();
  w.send(1, 499, "", 0x12);
  w.send(0, 100, "abc");
  w.send(1, 500, "xyz");
  w.send(0, 103, "def");
  CHECK(w.end() == list{"0:abc", "1:xyz", "0:def"});
}

TEST_CASE("out of order, sent again, overlapping") {
  world w;
  w.syn();
  w.send(0, 103, "def");
  w.send(0, 100, "abc");
  CHECK(w.out.lines == list{"0:abc", "0:def"});
  w.send(0, 100, "abcdef");  // all of it is old
  w.send(0, 104, "efgh");    // half of it
  w.send(0, 112, "mn");
  w.send(0, 107, "hijkl");  // reaches over the end of what is there
  CHECK(w.end() == list{"0:abc", "0:def", "0:gh", "0:ijkl", "0:mn"});
  CHECK(w.flow.counts().sent_again == 1);
  CHECK(w.flow.counts().out_of_order == 2);
}

TEST_CASE("sequence numbers wrap within a segment and between two") {
  world w;
  w.syn(0xfffffffc);
  w.send(0, 0xfffffffd, "abcdef");
  w.send(0, 6, "jkl");
  w.send(0, 3, "ghi");
  CHECK(w.end() == list{"0:abcdef", "0:ghi", "0:jkl"});
}

TEST_CASE("keep-alive probes bring nothing") {
  world w;
  w.syn();
  w.send(0, 100, "abc");
  w.send(0, 102, "c");  // one byte before the next
  w.send(0, 102, "");
  w.send(0, 103, "def");
  CHECK(w.end() == list{"0:abc", "0:def"});
}

TEST_CASE("while one direction waits, the other does, too: an answer stays behind its question") {
  world w;
  w.syn();
  w.send(1, 499, "", 0x12);
  w.send(0, 103, "second");
  w.send(1, 500, "answer");
  CHECK(w.out.lines.empty());
  w.send(0, 100, "abc");
  CHECK(w.end() == list{"0:abc", "0:second", "1:answer"});
}

TEST_CASE("a hole that its receiver has confirmed is the capture's: given up soon") {
  world w;
  w.syn();
  w.send(1, 499, "", 0x12);
  w.send(0, 110, "later");
  std::uint32_t next = 500;
  for (unsigned i = 0; i <= trace::tcp_flow::patience; ++i) {
    CAPTURE(i);
    CHECK(w.out.lines.empty());
    w.send(1, next++, "x", 0, 115);
  }
  REQUIRE(w.out.lines.size() > 2);
  CHECK(w.out.lines[0] == "0:absent 10 lost");
  CHECK(w.out.lines[1] == "0:later");
  CHECK(w.flow.counts().given_up == 1);
  // One that nobody confirms is waited for much longer.
  world patient;
  patient.syn();
  patient.send(0, 110, "later");
  for (unsigned i = 0; i < 100; ++i) patient.send(0, 115 + i, "y");
  CHECK(patient.out.lines.empty());
  patient.send(0, 100, "0123456789");
  CHECK(patient.end().size() == 102);
}

TEST_CASE("what is held is bounded, by segments and by the budget of all flows") {
  world w;
  w.syn();
  for (std::uint32_t i = 0; i < trace::tcp_flow::held_segments_max; ++i)
    w.send(0, 200 + i * 2, "a");  // a hole after each
  CHECK(w.out.lines.size() >= 2);
  CHECK(w.out.lines[0] == "0:absent 100 lost");
  world poor;
  poor.budget.bytes = 10;
  poor.syn();
  poor.send(0, 110, "0123456789");
  CHECK(poor.out.lines == list{"0:absent 10 lost", "0:0123456789"});
  CHECK(poor.budget.bytes == 10);
}

TEST_CASE("a capture that begins in the middle, and one that jumps") {
  world w;
  w.send(0, 5000, "abc");
  w.send(0, 5003, "def");
  w.send(0, 5003 + (1u << 30) + 100, "far");
  CHECK(w.end() == list{"0:middle", "0:abc", "0:def", "0:middle", "0:far"});
}

TEST_CASE("bytes that the snap length cut off") {
  world w;
  w.syn();
  w.send(0, 100, "ab", 0, 0, 8);
  w.send(0, 110, "", 0, 0, 5);
  w.send(0, 115, "c");
  CHECK(w.end() == list{"0:ab", "0:absent 8 cut", "0:absent 5 cut", "0:c"});
}

TEST_CASE("data with the SYN; a SYN again; another connection between the same ends") {
  world w;
  w.send(0, 99, "abc", 0x02);
  w.send(0, 99, "abc", 0x02);
  w.send(0, 103, "def");
  CHECK(w.end() == list{"0:abc", "0:def"});
  trace::segment s;
  s.flags = 0x02;
  s.sequence = 99;
  CHECK_FALSE(w.flow.is_new(s));
  s.sequence = 7000;
  CHECK(w.flow.is_new(s));
}

TEST_CASE("at the end what is held comes out, with its holes") {
  world w;
  w.syn();
  w.send(1, 499, "", 0x12);
  w.send(0, 104, "efg");
  w.send(1, 503, "later");
  w.send(0, 110, "last");
  CHECK(w.end() == list{"0:absent 4 lost", "0:efg", "1:absent 3 lost", "1:later", "0:absent 3 lost",
                        "0:last"});
}
