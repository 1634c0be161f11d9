// SPDX-License-Identifier: BSD-2-Clause
// Whole conversations, from packets made by hand.
#include "trace/tracer.hpp"

#include <doctest/doctest.h>

#include "trace/byte_stream.hpp"
#include "unit/trace/journal.hpp"

using namespace nvmf;
using namespace nvmf::test;

TEST_CASE("a connection from SYN to FIN: what was agreed, a read, a write by R2T, a failure") {
  journal j;
  wire_tap w(j);
  w.open(3);
  w.host(command_pdu(0x02, 0x1005));
  octets answer = data_pdu(0x07, 4, 0x1005, 0, 0, filled(4096, 1));
  w.controller(add(answer, response_pdu(0x1005)));
  w.host(command_pdu(0x01, 6));
  w.controller(r2t_pdu(6, 9, 0, 4096));
  w.host(data_pdu(0x06, 4, 6, 9, 0, filled(4096, 2)));
  w.controller(response_pdu(6, 0x4080));
  tcp_packet fin = w.blank(true);
  fin.flags = 0x11;
  w.show(fin);
  fin = w.blank(false);
  fin.flags = 0x11;
  w.show(fin);
  CHECK(j.lines ==
        expected_lines{"c1 opened 10.0.0.1:40000 > 10.0.0.2:4420", "c1 command 7f cid 0 data 1024",
                       "c1 completed cid 0 status 0 bytes 1024", "c1 command 02 cid 4101 data 0",
                       "c1 completed cid 4101 status 0 bytes 4096", "c1 command 01 cid 6 data 0",
                       "c1 completed cid 6 status 4080 bytes 4096", "c1 closed"});
  CHECK(j.last_agreed.qid == 3);
  CHECK(j.last_agreed.sqsize == 31);
  CHECK(j.last_agreed.kato_ms == 15000);
  CHECK(j.last_agreed.maxh2cdata == 131072);
  CHECK(j.last_agreed.cntlid == 1);
  CHECK(j.last_agreed.host_nqn == "nqn.2014-08.org.example:host");
  CHECK(j.last_agreed.subsystem_nqn == "nqn.2014-08.org.example:sub");
  // One packet each, a microsecond apart.
  REQUIRE(j.latencies.size() == 3);
  CHECK(j.latencies[1].total == 1000);
  CHECK(j.latencies[1].to_data == 1000);
  CHECK(j.latencies[1].to_end == 0);
  CHECK_FALSE(j.latencies[1].to_r2t);
  CHECK(j.latencies[2].total == 3000);
  CHECK(j.latencies[2].to_r2t == 1000);
  CHECK(j.latencies[2].to_data == 1000);
  CHECK(j.latencies[2].data == 0);
  CHECK(j.latencies[2].to_end == 1000);
  CHECK(w.tracer.counts().connections == 1);
}

TEST_CASE("NVMe is found by its ICReq on any port, also in pieces; other traffic is left alone") {
  for (const std::size_t piece : {1u, 5u, 128u}) {
    CAPTURE(piece);
    journal j;
    wire_tap w(j);
    w.port = 5555;
    w.handshake();
    const octets all = icreq();
    for (std::size_t at = 0; at < all.size(); at += piece)
      w.host(octets(all.begin() + static_cast<std::ptrdiff_t>(at),
                    all.begin() + static_cast<std::ptrdiff_t>(std::min(all.size(), at + piece))));
    w.controller(icresp());
    w.host(command_pdu(0x02, 1));
    w.tracer.finish();
    CHECK(tail(j, 0) == expected_lines{"c1 opened 10.0.0.1:40000 > 10.0.0.2:5555",
                                       "c1 command 02 cid 1 data 0",
                                       "c1 left cid 1 status 0 bytes 0", "c1 over"});
  }
  journal j;
  wire_tap http(j);
  http.port = 80;
  http.handshake();
  http.host(filled(100, 'G'));
  http.host(icreq());  // too late
  http.tracer.finish();
  CHECK(j.lines.empty());
  CHECK(http.tracer.other_ports().at(80) == 2);
}

TEST_CASE("TLS on a port of NVMe is not taken for NVMe") {
  journal j;
  wire_tap w(j);
  w.handshake();
  octets hello;
  be(hello, 0x1603010200, 5);
  w.host(add(hello, filled(512, 1)));
  w.controller(add(hello, filled(90, 1)));
  w.tracer.finish();
  CHECK(j.lines.empty());
  CHECK(w.tracer.counts().tls == 1);
}

TEST_CASE("SUCCESS flags end commands without a response; CIDs come again") {
  journal j;
  wire_tap w(j);
  w.open();
  const std::size_t from = j.lines.size();
  for (int round = 0; round < 2; ++round) {
    w.host(command_pdu(0x02, 5));
    w.controller(data_pdu(0x07, 0, 5, 0, 0, filled(2048, 1)));
    w.controller(data_pdu(0x07, 0x0c, 5, 0, 2048, filled(2048, 1)));
  }
  CHECK(tail(j, from) ==
        expected_lines{"c1 command 02 cid 5 data 0", "c1 success cid 5 status 0 bytes 4096",
                       "c1 command 02 cid 5 data 0", "c1 success cid 5 status 0 bytes 4096"});
}

TEST_CASE("a CID in use, answers to nobody, PDUs of the wrong side") {
  journal j;
  wire_tap w(j);
  w.open();
  const std::size_t from = j.lines.size();
  w.host(command_pdu(0x02, 5));
  w.host(command_pdu(0x01, 5, filled(512, 1)));
  w.controller(response_pdu(5));
  w.controller(response_pdu(5));
  w.controller(r2t_pdu(8, 1, 0, 512));
  w.host(data_pdu(0x06, 4, 8, 1, 0, filled(512, 2)));
  w.controller(command_pdu(0x02, 1));
  w.host(common_header(0x0a, 0, 8, 0, 8));
  CHECK(tail(j, from) ==
        expected_lines{"c1 command 02 cid 5 data 0", "c1 notice cid-in-use > 5",
                       "c1 replaced cid 5 status 0 bytes 0", "c1 command 01 cid 5 data 512",
                       "c1 completed cid 5 status 0 bytes 512", "c1 notice no-command < 0",
                       "c1 notice no-command < 0", "c1 notice no-command > 0",
                       "c1 notice wrong-way < 4", "c1 notice unknown-pdu > 10"});
}

TEST_CASE("packets out of order and sent again change nothing") {
  journal straight, crooked;
  for (journal* j : {&straight, &crooked}) {
    wire_tap w(*j);
    w.open();
    octets stream;
    for (unsigned i = 0; i < 8; ++i) add(stream, command_pdu(0x01, i, filled(1000, i)));
    std::vector<tcp_packet> packets;
    for (std::size_t at = 0; at < stream.size(); at += 700)
      packets.push_back(w.next(true, octets(stream.begin() + static_cast<std::ptrdiff_t>(at),
                                            stream.begin() + static_cast<std::ptrdiff_t>(std::min(
                                                                 stream.size(), at + 700)))));
    if (j == &crooked) {
      std::swap(packets[1], packets[3]);
      std::swap(packets[5], packets[6]);
      packets.insert(packets.begin() + 8, packets[2]);
    }
    for (const tcp_packet& p : packets) w.show(p);
    for (unsigned i = 0; i < 8; ++i) w.controller(response_pdu(i));
    w.tracer.finish();
  }
  CHECK(straight.lines == crooked.lines);
  CHECK(straight.lines.size() == 1 + 2 + 16 + 1);
}

TEST_CASE("a PDU whose end came before its beginning ends when it was there") {
  journal j;
  wire_tap w(j);
  w.open();
  w.host(command_pdu(0x02, 1));
  const octets answer = data_pdu(0x07, 0x0c, 1, 0, 0, filled(2000, 1));
  const tcp_packet first = w.next(false, octets(answer.begin(), answer.begin() + 1000));
  const tcp_packet second = w.next(false, octets(answer.begin() + 1000, answer.end()));
  w.show(second);
  w.show(first);
  REQUIRE(j.latencies.size() == 2);
  CHECK(j.latencies[1].total == 2000);
  CHECK(j.latencies[1].to_data == 2000);
  CHECK(j.latencies[1].data == 0);
}

TEST_CASE("a lost packet: within a payload nothing else is lost, at a header the rest of it") {
  journal j;
  wire_tap w(j);
  w.open();
  const std::size_t from = j.lines.size();
  const octets write = command_pdu(0x01, 1, filled(8000, 1));
  w.host(octets(write.begin(), write.begin() + 2000));
  static_cast<void>(w.next(true, octets(write.begin() + 2000, write.begin() + 4000)));  // lost
  w.host(octets(write.begin() + 4000, write.end()));
  w.controller(response_pdu(1));
  static_cast<void>(w.next(true, command_pdu(0x02, 2)));  // lost
  w.host(command_pdu(0x02, 3));
  w.controller(response_pdu(2));
  w.controller(response_pdu(3));
  w.tracer.finish();
  CHECK(tail(j, from) == expected_lines{"c1 notice missing > 2000", "c1 command 01 cid 1 data 8000",
                                        "c1 completed cid 1 status 0 bytes 8000",
                                        "c1 notice lost > 0", "c1 command 02 cid 3 data 0",
                                        "c1 notice no-command < 0",
                                        "c1 completed cid 3 status 0 bytes 0", "c1 over"});
  CHECK(w.tracer.counts().flow.given_up == 2);
}

TEST_CASE("a capture that begins in the middle, on a port where NVMe is expected") {
  journal j;
  wire_tap w(j);
  w.controller(filled(1000, 0xee));  // the end of something
  w.host(command_pdu(0x02, 1));
  w.controller(filled(500, 0xee));
  octets answer = data_pdu(0x07, 4, 1, 0, 0, filled(4096, 1));
  w.controller(add(answer, response_pdu(1)));
  w.host(command_pdu(0x06, 2));  // Identify: this can only be the admin queue
  w.tracer.finish();
  CHECK(j.lines ==
        expected_lines{"c1 opened 10.0.0.1:40000 > 10.0.0.2:4420", "c1 notice middle > 0",
                       "c1 notice middle < 0", "c1 command 02 cid 1 data 0",
                       "c1 notice found < 500", "c1 completed cid 1 status 0 bytes 4096",
                       "c1 command 06 cid 2 data 0", "c1 left cid 2 status 0 bytes 0", "c1 over"});
}

TEST_CASE("a short snap length: commands are told by what is there of them") {
  journal j;
  wire_tap w(j);
  w.open();
  const std::size_t from = j.lines.size();
  for (const auto& [to_controller, bytes] :
       {std::pair{true, command_pdu(0x01, 1, filled(4096, 1))}, std::pair{false, response_pdu(1)},
        std::pair{true, command_pdu(0x02, 2)},
        std::pair{false, data_pdu(0x07, 12, 2, 0, 0, filled(4096, 3))}})
    w.show(w.next(to_controller, bytes), 66 + 24);
  CHECK(tail(j, from) ==
        expected_lines{"c1 command 01 cid 1 data 4096", "c1 completed cid 1 status 0 bytes 4096",
                       "c1 command 02 cid 2 data 0", "c1 success cid 2 status 0 bytes 4096"});
  CHECK(w.tracer.counts().cut == 3);
  CHECK(w.tracer.counts().cut_at == 90);
}

TEST_CASE("two connections with the same ends, one after the other; a reset") {
  journal j;
  wire_tap w(j);
  w.open();
  w.host(command_pdu(0x02, 7));
  tcp_packet reset = w.blank(false);
  reset.flags = 0x14;
  w.show(reset);
  w.show(w.next(true, command_pdu(0x02, 8)));  // nobody is there any more
  w.sequence[0] = 90'000;
  w.sequence[1] = 80'000;
  w.open(2);
  w.tracer.finish();
  CHECK(tail(j, 3) ==
        expected_lines{"c1 command 02 cid 7 data 0", "c1 ended cid 7 status 0 bytes 0", "c1 closed",
                       "c2 opened 10.0.0.1:40000 > 10.0.0.2:4420", "c2 command 7f cid 0 data 1024",
                       "c2 completed cid 0 status 0 bytes 1024", "c2 over"});
}

TEST_CASE("an asynchronous event request may be outstanding for as long as it likes") {
  journal j;
  wire_tap w(j);
  w.open(0);
  const std::size_t from = j.lines.size();
  w.host(command_pdu(0x0c, 0xf000));
  for (unsigned i = 0; i < 10'000; ++i) {
    w.host(command_pdu(0x18, i % 64));
    w.controller(response_pdu(i % 64));
  }
  w.controller(response_pdu(0xf000));
  CHECK(j.lines.size() == from + 20'002);
  CHECK(j.lines.back() == "c1 completed cid 61440 status 0 bytes 0");
  CHECK(j.latencies.back().total == 20'001'000);
}

TEST_CASE("Identify Controller tells the limits") {
  journal j;
  wire_tap w(j);
  w.open(0);
  octets identify = command_pdu(0x06, 1);
  put(identify, 8 + 40, 1, 4);
  w.host(identify);
  octets data(4096);
  put(data, 77, 5, 1);
  put(data, 514, 128, 2);
  put(data, 1792, 260, 4);
  put(data, 1796, 1, 4);
  const octets answer = data_pdu(0x07, 0x0c, 1, 0, 0, data);
  for (std::size_t at = 0; at < answer.size(); at += 1448)
    w.controller(
        octets(answer.begin() + static_cast<std::ptrdiff_t>(at),
               answer.begin() + static_cast<std::ptrdiff_t>(std::min(answer.size(), at + 1448))));
  w.tracer.finish();
  CHECK(j.last_agreed.identified);
  CHECK(j.last_agreed.mdts == 5);
  CHECK(j.last_agreed.maxcmd == 128);
  CHECK(j.last_agreed.ioccsz == 260);
  CHECK(j.last_agreed.iorcsz == 1);
}

TEST_CASE("flows and commands are bounded, whatever is in the capture") {
  journal j;
  wire_tap w(j);
  for (unsigned i = 0; i < trace::flows_max + 10; ++i) {
    w.host_port = static_cast<std::uint16_t>(1024 + i);
    w.host(filled(10, 0xff));
  }
  CHECK(w.tracer.counts().forgotten == 10);
  journal many;
  wire_tap deep(many);
  for (unsigned c = 0; c < 3; ++c) {
    deep.host_port = static_cast<std::uint16_t>(40000 + c);
    deep.open(c + 1);
    for (unsigned cid = 0; cid < 65'536; ++cid) deep.host(command_pdu(0x02, cid));
  }
  CHECK(many.lines.back() == "c3 notice not-tracked > 0");
}

TEST_CASE("who wants packets is told of each, behind what is in it, and whether it is of NVMe") {
  struct packets_seen final : trace::packet_sink {
    explicit packets_seen(journal& of) : j(of) {}
    void on_packet(const trace::packet& p, part of, const trace::flow_key* flow,
                   const trace::packet_place&) override {
      constexpr std::string_view names[] = {"nvme", "undecided", "other"};
      j.lines.push_back(fmt::format("{} {} {}", p.at.packet, names[static_cast<std::size_t>(of)],
                                    flow == nullptr ? 0 : flow->ports[1]));
    }
    journal& j;
  };
  journal j;
  packets_seen sink(j);
  wire_tap w(j, {.packets = &sink});
  w.handshake();
  w.host(icreq());
  w.controller(icresp());
  for (const bool host : {true, false}) {
    tcp_packet fin = w.blank(host);
    fin.flags = 0x11;
    w.show(fin);
    ++w.sequence[host];
  }
  w.show(w.blank(true));  // the last acknowledgement
  w.sequence[true] += 1'000'000;
  w.handshake();  // the same ends again
  w.port = 80;
  w.handshake();
  w.host(filled(100, 'G'));
  w.controller(filled(100, 'H'));
  const octets udp = ethernet(0x0800, ipv4_bytes(1, 2, 17, filled(20, 1)));
  w.tracer.take({.bytes = udp, .wire_bytes = 54, .link = 1, .at = {w.at, 14}});
  CHECK(j.lines == expected_lines{"1 undecided 4420", "2 undecided 4420",
                                  "c1 opened 10.0.0.1:40000 > 10.0.0.2:4420", "3 nvme 4420",
                                  "4 nvme 4420", "5 nvme 4420", "c1 closed", "6 nvme 4420",
                                  "7 nvme 4420", "8 nvme 4420", "9 undecided 4420",
                                  "10 undecided 80", "11 undecided 80", "12 other 80",
                                  "13 other 80", "14 other 0"});
}

TEST_CASE("bytes without packets: who opened is the host, and on any port NVMe is expected") {
  const trace::endpoint host{.address = {std::byte{10}, std::byte{0}, std::byte{0}, std::byte{9}},
                             .port = 50'000},
      controller{.address = {std::byte{10}, std::byte{0}, std::byte{0}, std::byte{2}},
                 .port = 1234};
  constexpr unsigned from_host = trace::byte_stream::host_end,
                     from_controller = trace::byte_stream::controller_end;
  journal j;
  trace::tracer tracer({}, j);
  trace::byte_stream s(tracer, host, controller);
  SUBCASE("a conversation, and its end") {
    std::int64_t ns = 1000;
    const auto say = [&](unsigned from, const octets& bytes) {
      ns += 1000;
      s.bytes(from, bytes, {ns, static_cast<std::uint64_t>(ns / 1000)});
    };
    say(from_host, icreq());
    say(from_controller, icresp());
    say(from_host, command_pdu(0x02, 1));
    const octets answer = data_pdu(0x07, 4, 1, 0, 0, filled(4096, 1));
    // The first of its data, and nobody has kept the rest.
    say(from_controller, octets(answer.begin(), answer.begin() + 100));
    s.absent(from_controller, answer.size() - 100, {ns, 7});
    say(from_controller, response_pdu(1));
    say(from_host, command_pdu(0x02, 2));
    s.close({ns, 9}, true);
    CHECK(j.lines ==
          expected_lines{"c1 opened 10.0.0.9:50000 > 10.0.0.2:1234", "c1 command 02 cid 1 data 0",
                         "c1 completed cid 1 status 0 bytes 4096", "c1 command 02 cid 2 data 0",
                         "c1 ended cid 2 status 0 bytes 0", "c1 closed"});
    REQUIRE(j.latencies.size() == 2);
    CHECK(j.latencies[0].total == 2000);
    CHECK(tracer.counts().packets == 7);
    CHECK(tracer.counts().connections == 1);
  }
  SUBCASE("something else") {
    s.bytes(from_host, filled(200, 'G'), {1, 1});
    s.bytes(from_controller, icresp(), {2, 2});
    s.close({3, 3}, true);
    CHECK(j.lines.empty());
    CHECK(s.what() == trace::watched_flow::kind::undecided);
  }
  SUBCASE("nobody looks any more") {
    s.bytes(from_host, icreq(), {1, 1});
    s.close({2, 2}, false);
    CHECK(tail(j, 1) == expected_lines{"c1 over"});
  }
}
