// SPDX-License-Identifier: BSD-2-Clause
#include "trace/rdma/rdma_tracer.hpp"

#include <doctest/doctest.h>

#include "trace/tracer.hpp"
#include "unit/trace/journal.hpp"
#include "unit/trace/rdma/fabric_tap.hpp"

using namespace nvmf;
using namespace nvmf::test;

namespace {

std::optional<trace::roce_packet> look(const octets& b) {
  return trace::read_roce(b, static_cast<std::uint32_t>(b.size()));
}

}  // namespace

TEST_CASE("headers of RoCEv2 by their opcodes") {
  const octets write =
      with_icrc(reth(bth(0x06, 0x123456, 0xabcdef), 0x1122334455667788, 0xcafe, 9000));
  const auto w = look(write);
  REQUIRE(w);
  CHECK(w->operation == trace::rdma_operation::write);
  CHECK(w->place == trace::rdma_place::first);
  CHECK(w->to_qp == 0x123456);
  CHECK(w->psn == 0xabcdef);
  CHECK(w->address == 0x1122334455667788);
  CHECK(w->key == 0xcafe);
  CHECK(w->length == 9000);
  CHECK(w->payload_bytes == 0);

  octets padded = bth(0x17, 5, 6, 3);
  be(padded, 0x77, 4);  // the key that is invalidated
  padded = with_icrc(add(padded, filled(8, 1)));
  const auto s = look(padded);
  REQUIRE(s);
  CHECK(s->operation == trace::rdma_operation::send);
  CHECK(s->invalidated == 0x77);
  CHECK(s->payload_bytes == 5);
  CHECK(s->payload.size() == 5);

  const auto nak = look(with_icrc(aeth(bth(0x11, 5, 6), 0x60)));
  REQUIRE(nak);
  CHECK(nak->operation == trace::rdma_operation::acknowledge);
  CHECK(trace::answer_of(nak->syndrome) == trace::rdma_answer::nak_sequence);
  CHECK(trace::answer_of(0x1f) == trace::rdma_answer::ack);
  CHECK(trace::answer_of(0x2e) == trace::rdma_answer::receiver_not_ready);
  CHECK(trace::answer_of(0x62) == trace::rdma_answer::nak_other);
  // Every header may be cut: nothing is read beyond.
  for (std::size_t n = 0; n < write.size(); ++n) {
    const octets part(write.begin(), write.begin() + static_cast<std::ptrdiff_t>(n));
    CHECK(look(part).has_value() == false);
  }
  CHECK(look(with_icrc(bth(0x81, 1, 1)))->operation == trace::rdma_operation::other);
  CHECK(trace::psn_distance(0xfffffe, 1) == 3);
  CHECK(trace::psn_distance(1, 0xfffffe) == -3);
}

TEST_CASE("messages of the connection manager") {
  const octets request = cm_request(0x01020304, 0x11, 0x38c2d8, 4420, 3);
  const auto p = look(request);
  REQUIRE(p);
  CHECK(p->datagram);
  CHECK(p->from_qp == 1);
  const auto m = trace::read_cm(p->payload);
  REQUIRE(m);
  CHECK(m->kind == trace::cm_kind::request);
  CHECK(m->local_id == 0x01020304);
  CHECK(m->qp == 0x11);
  CHECK(m->peer_psn == 0x38c2d8);
  CHECK(m->mtu == 1024);
  CHECK(m->to_port == 4420);
  CHECK(m->from_port == 40000);
  CHECK(m->private_data.size() == 56);
  CHECK(wire::load_le(m->private_data, 2, 2) == 3);
  CHECK_FALSE(trace::read_cm(p->payload.first(255)));
  const octets rejected = cm_reject(7, 28, 3);
  const auto r = trace::read_cm(look(rejected)->payload);
  REQUIRE(r);
  CHECK(r->reason == 28);
  CHECK(wire::load_le(r->private_data, 2, 2) == 3);
}

TEST_CASE("a connection over RDMA: a read by WRITE, a write by READ, one in the capsule") {
  journal j;
  fabric_tap w(j);
  w.open();
  w.command(keyed_sqe(0x02, 5, 0x8000, 0xaa, 2500));
  // WRITE of 2500 bytes in three packets, the last one padded.
  octets first = reth(bth(0x06, 17, 5000), 0x8000, 0xaa, 2500);
  w.controller(with_icrc(add(first, filled(1024, 1))));
  w.controller(rdma_send(0x07, 17, 5001, filled(1024, 2)));
  w.controller(rdma_send(0x08, 17, 5002, filled(452, 3)));
  w.psn[1] = 5003;
  w.response(rdma_cqe(5));
  w.command(keyed_sqe(0x01, 6, 0x9000, 0xbb, 1500));
  w.controller(with_icrc(reth(bth(0x0c, 17, 5004), 0x9000, 0xbb, 1500)));
  octets one = aeth(bth(0x0d, 18, 5004), 0);
  w.host(with_icrc(add(one, filled(1024, 4))));
  octets two = aeth(bth(0x0f, 18, 5005), 0);
  w.host(with_icrc(add(two, filled(476, 5))));
  w.psn[1] = 5006;  // the READ took two numbers
  w.response(rdma_cqe(6));
  // A capsule of 64 + 1960 bytes in two SENDs.
  octets capsule = keyed_sqe(0x01, 7);
  put(capsule, 39, 0x01, 1);
  w.host(rdma_send(0x00, 18, w.psn[0]++, add(capsule, filled(960, 6))));
  w.host(rdma_send(0x02, 18, w.psn[0]++, filled(1000, 7)));
  w.response(rdma_cqe(7, 0x4080));
  w.host(cm_plain(0x15, 7, 8));
  w.controller(cm_plain(0x16, 8, 7));
  CHECK(j.lines ==
        expected_lines{"c1 opened 10.0.0.1:40000 > 10.0.0.2:4420", "c1 command 02 cid 5 data 0",
                       "c1 completed cid 5 status 0 bytes 2500", "c1 command 01 cid 6 data 0",
                       "c1 completed cid 6 status 0 bytes 1500", "c1 command 01 cid 7 data 1960",
                       "c1 completed cid 7 status 4080 bytes 1960", "c1 closed"});
  REQUIRE(j.latencies.size() == 3);
  // A microsecond a packet.
  CHECK(j.latencies[0].total == 4000);
  CHECK(j.latencies[0].to_data == 1000);
  CHECK(j.latencies[0].data == 2000);
  CHECK(j.latencies[1].to_r2t == 1000);
  CHECK(j.latencies[1].to_data == 1000);
  CHECK(j.latencies[1].data == 1000);
  CHECK(w.tracer.counts().roce_unknown == 0);
}

TEST_CASE("a packet that RDMA sends again is told once; one that the capture lost is told") {
  journal j;
  fabric_tap w(j);
  w.open();
  const octets a = rdma_send(0x04, 18, 1000, keyed_sqe(0x00, 1));
  const octets b = rdma_send(0x04, 18, 1001, keyed_sqe(0x00, 2));
  const octets c = rdma_send(0x04, 18, 1002, keyed_sqe(0x00, 3));
  w.host(a);
  w.host(a);
  // The network lost b: the controller says so, and gets b and c again.
  w.host(c);
  w.controller(with_icrc(aeth(bth(0x11, 17, 1001), 0x60)));
  w.host(b);
  w.host(c);
  std::size_t from = 1;
  CHECK(tail(j, from) == expected_lines{"c1 command 00 cid 1 data 0", "c1 command 00 cid 2 data 0",
                                        "c1 command 00 cid 3 data 0"});
  from = j.lines.size();
  // The capture lost number 1003: the controller has it.
  w.host(rdma_send(0x04, 18, 1004, keyed_sqe(0x00, 5)));
  CHECK(j.lines.size() == from);
  w.controller(with_icrc(aeth(bth(0x11, 17, 1004), 0)));
  CHECK(tail(j, from) ==
        expected_lines{"c1 notice packets-lost > 0", "c1 command 00 cid 5 data 0"});
}

TEST_CASE("numbers of packets go around; a hole that stays is given up at the end") {
  journal j;
  fabric_tap w(j);
  w.host(cm_request(7, 17, 5000, 4420));
  w.controller(cm_reply(8, 7, 18, 0xffffff));
  w.host(rdma_send(0x04, 18, 0xffffff, keyed_sqe(0x00, 1)));
  w.host(rdma_send(0x04, 18, 1, keyed_sqe(0x00, 3)));
  w.host(rdma_send(0x04, 18, 0, keyed_sqe(0x00, 2)));
  w.host(rdma_send(0x04, 18, 5, keyed_sqe(0x00, 4)));
  CHECK(j.lines.size() == 4);
  w.tracer.finish();
  CHECK(tail(j, 1) == expected_lines{"c1 command 00 cid 1 data 0", "c1 command 00 cid 2 data 0",
                                     "c1 command 00 cid 3 data 0", "c1 notice packets-lost > 0",
                                     "c1 command 00 cid 4 data 0", "c1 left cid 1 status 0 bytes 0",
                                     "c1 left cid 2 status 0 bytes 0",
                                     "c1 left cid 3 status 0 bytes 0",
                                     "c1 left cid 4 status 0 bytes 0", "c1 over"});
}

TEST_CASE("on other ports a Connect gives NVMe away; what is not NVMe is left alone") {
  journal j;
  fabric_tap w(j);
  w.open(20049);  // NFS
  w.command(octets(64));
  w.command(keyed_sqe(0x7f, 1));
  CHECK(j.lines.empty());
  journal k;
  fabric_tap v(k);
  v.open(5555);
  CHECK(k.lines.empty());
  octets connect = keyed_sqe(0x7f, 1, 0x1000, 3, 1024);
  put(connect, 4, 1, 1);
  v.command(connect);
  CHECK(k.lines ==
        expected_lines{"c1 opened 10.0.0.1:40000 > 10.0.0.2:5555", "c1 command 7f cid 1 data 0"});
  // One that was set up before the capture cannot be read.
  v.host(rdma_send(0x04, 99, 1, connect));
  CHECK(v.tracer.counts().roce_unknown == 1);
}

TEST_CASE("a refused connection is over; an ID that is used again is another connection") {
  journal j;
  fabric_tap w(j);
  w.host(cm_request(7, 17, 5000, 4420));
  w.host(cm_request(7, 17, 5000, 4420));  // sent again
  w.controller(cm_reject(7, 28, 3));
  CHECK(j.lines == expected_lines{"c1 opened 10.0.0.1:40000 > 10.0.0.2:4420", "c1 closed"});
  w.open();
  w.command(keyed_sqe(0x00, 1));
  w.host(cm_request(7, 19, 6000, 4420));
  CHECK(tail(j, 2) == expected_lines{"c2 opened 10.0.0.1:40000 > 10.0.0.2:4420",
                                     "c2 command 00 cid 1 data 0", "c2 left cid 1 status 0 bytes 0",
                                     "c2 over", "c3 opened 10.0.0.1:40000 > 10.0.0.2:4420"});
}

TEST_CASE("cut packets of RDMA: the length of what is missing is known") {
  journal j;
  fabric_tap w(j);
  w.open();
  w.command(keyed_sqe(0x02, 5, 0x8000, 0xaa, 1000));
  octets all = reth(bth(0x0a, 17, 5000), 0x8000, 0xaa, 1000);
  w.show(false, with_icrc(add(all, filled(1000, 1))), 42 + 12 + 16 + 10);
  w.psn[1] = 5001;
  w.response(rdma_cqe(5));
  CHECK(tail(j, 2) == expected_lines{"c1 completed cid 5 status 0 bytes 1000"});
}
