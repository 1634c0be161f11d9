// SPDX-License-Identifier: BSD-2-Clause
// The controller's side: data sent to the host.
#include "session_cases.hpp"

using namespace nvmf;
using namespace nvmf::test;
using namespace nvmf::test::session_cases;

TEST_CASE("sending data: in one call, in many, and what is refused") {
  for (const unsigned on : {0u, 1u, 2u, 3u})
    for (const std::uint32_t alignment : {4u, 8u, 32u, 64u, 128u}) {
      const bool header = (on & 1) != 0, payload = (on & 2) != 0;
      bench b(role::controller, {.header_digest = header,
                                 .data_digest = payload,
                                 .host_alignment = alignment,
                                 .max_h2c_data = 4096});
      const dress in{.header_digest = header, .data_digest = payload};
      const dress as{.header_digest = header, .data_digest = payload, .alignment = alignment};
      b.start();
      b.hold = true;
      b.feed(command(2, 7, sgl::transport, 1000, {}, in));
      const capsule& c = b.received.at(0);
      const octets data = fill(1000, 7);
      CHECK(b.q.send_controller_data(c, 0, owned(part(data, 0, 300))).result == send_result::more);
      // Not contiguous, beyond the end, nothing: refused, and nothing is sent.
      released r;
      for (const std::uint32_t offset : {0u, 299u, 301u, 1001u}) {
        const auto answer = b.q.send_controller_data(c, offset, r.of(part(data, 0, 300)));
        CHECK(answer.result == send_result::failed);
        CHECK(answer.status.is(status_code::invalid_field));
      }
      CHECK(b.q.send_controller_data(c, 300, r.of(part(data, 0, 701))).result ==
            send_result::failed);
      CHECK(r.times == 5);
      CHECK(b.q.send_controller_data(c, 300, owned(part(data, 300, 700))).result ==
            send_result::success);
      CHECK(b.q.send_controller_data(c, 1000, owned(part(data, 0, 1))).result ==
            send_result::failed);
      b.answer(7);
      b.drain();
      CHECK(b.take_out() == c2h(7, 0, part(data, 0, 300), 0, as) +
                                c2h(7, 300, part(data, 300, 700), flag_last, as) +
                                response(7, 0, 0, in));
    }
}

TEST_CASE("a buffer is released when its last byte has left, or with the qpair") {
  bench b(role::controller, plain);
  b.start();
  b.hold = true;
  b.feed(command(2, 7, sgl::transport, 2000));
  const octets data = fill(1000, 8);
  released first, second;
  b.q.send_controller_data(b.received.at(0), 0, first.of(data));
  b.q.send_controller_data(b.received.at(0), 1000, second.of(data));
  b.drain(24 + 999);
  CHECK(first.times == 0);
  b.drain(1);
  CHECK(first.times == 1);
  CHECK(second.times == 0);
  b.drain(500);
  b.q.close();
  CHECK(second.times == 1);
  b.drain();
  CHECK(b.take_out() == c2h(7, 0, data) + c2h(7, 1000, data, flag_last));
}

TEST_CASE("large data is cut; LAST and SUCCESS on the last PDU of the last call") {
  bench b(role::controller, plain);
  b.start();
  b.q.set_queue(1, 32, false);
  b.feed(command(2, 3, sgl::transport, 600'000));
  const octets data = fill(600'000, 9);
  CHECK(b.q.send_controller_data(b.received.at(0), 0, owned(part(data, 0, 300'000))).result ==
        send_result::more);
  CHECK(b.q.send_controller_data(b.received.at(0), 300'000, owned(part(data, 300'000, 300'000)))
            .result == send_result::success_sent);
  b.drain();
  CHECK(b.take_out() == c2h(3, 0, part(data, 0, 262'144)) +
                            c2h(3, 262'144, part(data, 262'144, 37'856)) +
                            c2h(3, 300'000, part(data, 300'000, 262'144)) +
                            c2h(3, 562'144, part(data, 562'144, 37'856), flag_last | flag_success));
  // No response follows: the CID is free again.
  b.received.clear();
  b.feed(command(2, 3));
  CHECK(b.received.size() == 1);
}

TEST_CASE("of every length: from 0 on, without a gap, LAST at the end and nowhere else") {
  for (const std::size_t size :
       {1u, 4u, 511u, 512u, 4096u, 131'072u, 262'144u, 262'145u, 1u << 20}) {
    CAPTURE(size);
    bench b(role::controller, plain);
    b.start();
    b.feed(command(2, 3, sgl::transport, size));
    CHECK(b.q.send_controller_data(b.received.at(0), 0, owned(fill(size, 9))).result ==
          send_result::success);
    b.drain();
    const octets out = b.take_out();
    std::size_t at = 0, sent = 0;
    while (at < out.size()) {
      const auto flags = number(out, at + 1, 1);
      const std::size_t datal = number(out, at + 16, 4);
      CHECK(number(out, at, 1) == 7);
      CHECK(number(out, at + 12, 4) == sent);
      CHECK(number(out, at + 4, 4) == 24 + datal);
      REQUIRE(datal > 0);
      sent += datal;
      at += 24 + datal;
      CHECK(flags == (at == out.size() ? flag_last : 0));
    }
    CHECK(sent == size);
  }
}

TEST_CASE("a read that fails half-way ends with its response, and no SUCCESS before it") {
  bench b(role::controller, plain);
  b.start();
  b.q.set_queue(1, 32, false);
  b.feed(command(2, 3, sgl::transport, 1024));
  const octets data = fill(512, 10);
  CHECK(b.q.send_controller_data(b.received.at(0), 0, owned(data)).result == send_result::more);
  b.answer(3, 0x080);  // LBA Out of Range
  b.drain();
  CHECK(b.take_out() == c2h(3, 0, data) + response(3, 0x080, 0xffff));
}

TEST_CASE("the end of the data may be told before the SGL's length") {
  bench b(role::controller, plain);
  b.start();
  b.feed(command(2, 3, sgl::transport, 4096));
  const octets data = fill(512, 10);
  CHECK(b.q.send_controller_data(b.received.at(0), 0, owned(data), true).result ==
        send_result::success);
  b.drain();
  CHECK(b.take_out() == c2h(3, 0, data, flag_last));
}

TEST_CASE("data for an in-capsule SGL, or on a closed connection, is refused and let go of") {
  bench b(role::controller, plain);
  b.start();
  b.feed(command(1, 3, sgl::in_capsule, 512, fill(512, 1)));
  released r;
  const octets data = fill(512, 10);
  CHECK(b.q.send_controller_data(b.received.at(0), 0, r.of(data)).result == send_result::failed);
  b.feed(command(2, 4, sgl::transport, 512));
  b.eof();
  CHECK(b.q.send_controller_data(b.received.at(1), 0, r.of(data)).result == send_result::failed);
  CHECK(r.times == 2);
  octets place(512);
  CHECK(b.q.receive_controller_data(b.received.at(1), 0, of(place), 512, {}));
  CHECK(b.answer(3) == errc::closed);
}
