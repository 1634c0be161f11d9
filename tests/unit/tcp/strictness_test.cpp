// SPDX-License-Identifier: BSD-2-Clause
// Rules of what we send, switched off one by one: exactly that rule is broken on the wire.
#include "session_cases.hpp"

using namespace nvmf;
using namespace nvmf::test;
using namespace nvmf::test::session_cases;

TEST_CASE("H2CData longer than MAXH2CDATA") {
  for (const bool kept : {true, false}) {
    octets data = fill(10'000, 1);
    bench b(role::host, plain, {}, {.h2c_data_limit = kept});
    b.start();
    auto c = b.send(1, of(data), direction::send, [](auto, auto) {});
    b.take_out();
    b.feed(r2t(0, 0, 0, 10'000));
    const octets out = b.take_out();
    CHECK((out == h2c(0, 0, 0, data, flag_last)) == !kept);
    CHECK(number(out, 16, 4) == (kept ? 4096 : 10'000));
  }
}

TEST_CASE("more R2Ts than MAXR2T") {
  for (const bool kept : {true, false}) {
    octets place(300);
    bench b(role::controller, plain, {}, {.r2t_limit = kept});
    b.start();
    b.feed(command(1, 1, sgl::transport, 300));
    for (std::uint32_t i = 0; i < 3; ++i)
      REQUIRE_FALSE(b.q.receive_controller_data(b.received.at(0), i * 100,
                                                memdesc::of(std::span{place}.subspan(i * 100, 100)),
                                                100, [](auto, auto) {}));
    b.drain();
    const octets first = r2t(1, 0, 0, 100);
    CHECK(b.take_out() == (kept ? first : first + r2t(1, 1, 100, 100) + r2t(1, 2, 200, 100)));
  }
}

TEST_CASE("SUCCESS in spite of SQ flow control") {
  for (const bool kept : {true, false}) {
    const octets data = fill(100, 2);
    bench b(role::controller, plain, {}, {.success_condition = kept});
    b.start();
    b.q.set_queue(1, 32, true);
    b.feed(command(2, 1, sgl::transport, 100));
    const auto answer =
        b.q.send_controller_data(b.received.at(0), 0, buffer(data, nullptr, nullptr));
    CHECK(answer.result == (kept ? send_result::success : send_result::success_sent));
    b.drain();
    CHECK(b.take_out() == c2h(1, 0, data, kept ? flag_last : flag_last | flag_success));
  }
}
