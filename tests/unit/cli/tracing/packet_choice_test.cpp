// SPDX-License-Identifier: BSD-2-Clause
// Which packets a filter keeps; their numbers are those of the packets by hand.
#include "tracing/packet_choice.hpp"

#include <doctest/doctest.h>

#include "unit/trace/rules/dialogue.hpp"

using namespace nvmf;
using namespace nvmf::cli;
using namespace nvmf::test;

namespace {

using numbers = std::vector<std::uint64_t>;

struct chosen final : trace::listener, trace::packet_sink {
  explicit chosen(std::string_view condition, std::size_t bytes = 1u << 20)
      : filter(*trace_filter::parse(condition)),
        choice(
            filter, [this](const waiting_packet& p) { written.push_back(p.at.packet); }, bytes) {}

  void on_connection(const trace::connection& c) override { choice.on_connection(c); }
  void on_pdu(const trace::connection& c, const trace::pdu& p, const trace::command* of) override {
    choice.on_pdu(c, p, of);
  }
  void on_command(const trace::connection& c, const trace::command& k, const trace::pdu&) override {
    choice.on_command(c, k);
  }
  void on_completion(const trace::connection& c, const trace::command& k,
                     const trace::completion& done, const trace::pdu*) override {
    choice.on_completion(c, k, done);
  }
  void on_notice(const trace::connection& c, const trace::notice& n) override {
    choice.on_notice(c, n);
  }
  void on_end(const trace::connection& c, const trace::stamp&, bool closed) override {
    choice.on_end(c, closed);
  }
  // The handshake is not decided when it comes: who holds it gives it later.
  void on_packet(const trace::packet& p, part of, const trace::flow_key*,
                 const trace::packet_place& place) override {
    if (of != part::nvme) return;
    choice.take(
        place, {.wire_bytes = p.wire_bytes, .at = p.at, .bytes = {p.bytes.begin(), p.bytes.end()}});
  }
  const numbers& finish() {
    w.tracer.finish();
    choice.finish();
    return written;
  }
  void fin(bool host) {
    tcp_packet p = w.blank(host);
    p.flags = 0x11;
    w.show(p);
    ++w.sequence[host];
  }

  trace_filter filter;
  numbers written;
  packet_choice choice;
  wire_tap w{*this, {.packets = this}};
};

octets part_of(const octets& all, std::size_t from, std::size_t to) {
  return {all.begin() + static_cast<std::ptrdiff_t>(from),
          all.begin() + static_cast<std::ptrdiff_t>(std::min(to, all.size()))};
}

}  // namespace

TEST_CASE("a command, its answer, the beginning and the end of its connection") {
  chosen c("cid == 2");
  c.w.open(1);                // 1 to 6
  c.w.host(read_command(1));  // 7
  c.w.controller(response_pdu(1));
  c.w.show(c.w.blank(true));  // only confirms
  c.w.host(read_command(2));  // 10
  c.w.controller(response_pdu(2));
  c.fin(true);
  c.fin(false);  // 13
  CHECK(c.finish() == numbers{3, 4, 5, 6, 10, 11, 12, 13});
  CHECK(c.choice.left_out() == 3);
  CHECK(c.choice.hurried() == 0);
}

TEST_CASE("nothing fits: nothing is written, not even the beginning") {
  chosen c("cmd == write");
  c.w.open(1);
  c.w.host(read_command(1));
  c.w.controller(response_pdu(1));
  c.fin(true);
  c.fin(false);
  CHECK(c.finish().empty());
  CHECK(c.choice.left_out() == 8);
}

TEST_CASE("what is known at the end only holds up what comes behind it, in its connection") {
  chosen c("failed");
  c.w.open(1);
  c.w.host(read_command(1));  // 7
  c.w.host(read_command(2));
  c.w.controller(response_pdu(2, 0x4080));  // 9: is kept, and waits for 1
  CHECK(c.written.empty() == false);        // the beginning is there
  CHECK(c.written.size() == 4);
  c.w.controller(response_pdu(1));
  CHECK(c.finish() == numbers{3, 4, 5, 6, 8, 9});
}

TEST_CASE(
    "PDUs that share packets are kept together, so that each begins where one is looked for") {
  chosen c("cid == 2");
  c.w.open(1);
  octets burst = read_command(1);
  add(burst, read_command(2));
  c.w.host(burst);  // 7
  octets answers = data_pdu(7, 4, 1, 0, 0, filled(4096, 1));
  add(answers, response_pdu(1));
  add(answers, data_pdu(7, 4, 2, 0, 0, filled(4096, 2)));
  add(answers, response_pdu(2));
  for (std::size_t at = 0; at < answers.size(); at += 1500)
    c.w.controller(part_of(answers, at, at + 1500));  // 8 to 13
  c.w.host(read_command(3));
  c.w.controller(response_pdu(3));
  CHECK(c.finish() == numbers{3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13});
}

TEST_CASE("segments out of order are waited for before a run ends") {
  chosen c("cid == 1");
  c.w.open(1);
  c.w.host(read_command(1));  // 7
  const octets data = data_pdu(7, 4, 1, 0, 0, filled(2000, 1));
  const tcp_packet first = c.w.next(false, part_of(data, 0, 1000));
  const tcp_packet second = c.w.next(false, part_of(data, 1000, data.size()));
  c.w.show(second);  // 8
  c.w.show(first);
  c.w.controller(response_pdu(1));
  CHECK(c.finish() == numbers{3, 4, 5, 6, 7, 8, 9, 10});
}

TEST_CASE("a capture that begins within a connection has no beginning to write") {
  chosen c("cmd == read");
  c.w.host(plain_command(0, 1));  // a flush
  c.w.controller(response_pdu(1));
  c.w.host(read_command(2));  // 3
  c.w.controller(response_pdu(2));
  CHECK(c.finish() == numbers{3, 4});
}

TEST_CASE("without room: who waits for the end of a command is written, others are not") {
  chosen c("failed", 20'000);
  c.w.open(1);
  c.w.host(read_command(1));  // 7
  for (unsigned n = 0; n < 40; ++n) c.w.host(small_write(2 + n));
  CHECK(c.choice.hurried() > 0);
  CHECK(c.written[4] == 7);  // the oldest
  chosen open("cid == 99", 20'000);
  open.w.open(1);
  open.w.host(read_command(1));
  const octets data = data_pdu(7, 4, 1, 0, 0, filled(60'000, 1));
  for (std::size_t at = 0; at < data.size(); at += 1000)
    open.w.controller(part_of(data, at, at + 1000));
  CHECK(open.choice.hurried() > 0);
  CHECK(open.finish().empty());
}

TEST_CASE("the same ends connect again: another connection, and another decision") {
  chosen c("conn == 2");
  c.w.open(1);
  c.fin(true);
  c.fin(false);
  c.w.sequence[true] += 1'000'000;
  c.w.open(1);  // 9 to 14
  c.w.host(read_command(1));
  CHECK(c.finish() == numbers{11, 12, 13, 14, 15});
}
