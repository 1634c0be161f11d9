// SPDX-License-Identifier: BSD-2-Clause
// Memory that runs out in the middle of a connection's work ends that connection and no other.
#include <new>

#include "loopback.hpp"

using namespace nvmf;
using namespace nvmf::test;

namespace {

// Answers commands; those of opcode 7Fh meet with no memory.
void serve(qpair& q, qpair_error& ended, int& errors) {
  q.start({.on_receive =
               [&q](capsule c) {
                 if (c.sqe()[0] == std::byte{0x7f}) throw std::bad_alloc();
                 cqe_bytes cqe{};
                 wire::set<wire::cqe_layout, "cid">(cqe, c.cid());
                 auto response = q.allocate_response(cqe);
                 REQUIRE(response.has_value());
                 // What came behind the one that failed is answered to nobody.
                 static_cast<void>(q.transmit_response(std::move(*response)));
               },
           .on_error =
               [&ended, &errors](const qpair_error& e) {
                 ended = e;
                 ++errors;
               }});
}

}  // namespace

TEST_CASE("tcp: std::bad_alloc in a visit ends its connection with that error, and no other") {
  for (const bool polling : {false, true}) {
    CAPTURE(polling);
    loopback net(polling);
    net.connect({}, {});
    qpair first_host = std::move(net.host), first = std::move(net.controller);
    net.connect({}, {});
    qpair_error ended, other;
    int errors = 0, others = 0;
    serve(first, ended, errors);
    serve(net.controller, other, others);
    bool host_ended = false;
    first_host.start({.on_receive = [](capsule) { FAIL("an answer from nowhere"); },
                      .on_error =
                          [&](const qpair_error&) {
                            host_ended = true;
                            net.stop();
                          }});
    int answers = 0;
    net.host.start({.on_receive =
                        [&](capsule) {
                          ++answers;
                          net.stop();
                        },
                    .on_error = [](const qpair_error&) { FAIL("the wrong connection ended"); }});
    // Three at once, so that something is left to do behind the one that fails.
    for (const int opcode : {0x00, 0x7f, 0x00}) {
      auto c = first_host.allocate_command(sqe_of(static_cast<std::uint8_t>(opcode)));
      REQUIRE(c.has_value());
      REQUIRE_FALSE(first_host.transmit(*c));
    }
    net.run();
    CHECK(host_ended);
    CHECK(errors == 1);
    CHECK(ended.code == std::errc::not_enough_memory);
    auto c = net.host.allocate_command(sqe_of(0x00));
    REQUIRE(c.has_value());
    REQUIRE_FALSE(net.host.transmit(*c));
    net.run();
    CHECK(answers == 1);
    CHECK(others == 0);
    first_host.close();
    first.close();
    net.host.close();
    net.controller.close();
  }
}
