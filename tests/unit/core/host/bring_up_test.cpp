// SPDX-License-Identifier: BSD-2-Clause
// The whole bring-up, as the controller sees it and as it is reported.
#include <doctest/doctest.h>

#include "support/host_fixture.hpp"

using namespace nvmf;
using namespace nvmf::test;
using namespace std::chrono_literals;

TEST_CASE("a decent controller is brought up, step by step") {
  host_fixture t;
  t.options.io_queues = 2;
  t.options.async_events = 1;
  t.options.keep_alive = 5s;
  REQUIRE(t.bring_up());
  CHECK(t.host->up());
  CHECK(t.controller->names() ==
        std::vector<std::string>{"connect 0", "get 0x00", "get 0x08", "get 0x14", "set 0x14",
                                 "get 0x1c", "identify 1", "identify 2", "identify 0", "features 7",
                                 "connect 1", "connect 2", "features 11", "aer"});
  t.on.run();
  CHECK(t.controller->count("aer") == 1);
  CHECK(t.stage_names() == std::vector<std::string>{"resolve", "tcp", "ic", "connect", "properties",
                                                    "enable", "identify", "namespaces", "io-queues",
                                                    "ready"});
  for (const auto& s : t.stages) {
    CAPTURE(stage_name(s.stage));
    CHECK(s.verdict == "ok");
    CHECK_FALSE(s.failed);
  }
  CHECK(t.host->controller_id() == 5);
  CHECK(t.host->io_queues() == 2);
  CHECK(t.host->identify_controller().size() == 4096);
  REQUIRE(t.host->namespaces().size() == 1);
  CHECK(t.host->namespaces()[0].blocks == 2048);
  CHECK(t.host->namespaces()[0].block_size == 512);
  CHECK(t.host->max_transfer() == 131072);
  // The I/O queues go where the name led the admin queue.
  REQUIRE(t.controller->dialled.size() == 3);
  CHECK(t.controller->dialled[0].host == "target.example");
  CHECK(t.controller->dialled[2].host == "192.0.2.7");
}

TEST_CASE("the bytes of Connect and of CC are those of the specification") {
  host_fixture t;
  t.options.keep_alive = 5s;
  REQUIRE(t.bring_up());
  const fake_command& c = t.controller->seen[0];
  CHECK(peek(c.sqe, 0, 1) == 0x7f);
  CHECK(peek(c.sqe, 4, 1) == 0x01);
  CHECK(peek(c.sqe, 40, 2) == 0);     // RECFMT
  CHECK(peek(c.sqe, 42, 2) == 0);     // QID
  CHECK(peek(c.sqe, 44, 2) == 31);    // SQSIZE, 0's based
  CHECK(peek(c.sqe, 46, 1) == 0);     // CATTR
  CHECK(peek(c.sqe, 48, 4) == 5000);  // KATO
  REQUIRE(c.data.size() == 1024);
  CHECK(peek(c.data, 0, 1) == 0x10);  // HOSTID
  CHECK(peek(c.data, 15, 1) == 0x1f);
  CHECK(peek(c.data, 16, 2) == 0xffff);  // CNTLID
  const std::string sub(reinterpret_cast<const char*>(c.data.data()) + 256);
  const std::string host(reinterpret_cast<const char*>(c.data.data()) + 512);
  CHECK(sub == "nqn.2024-01.io.example:sub");
  CHECK(host == "nqn.2024-01.io.example:host");
  for (std::size_t i = 768; i < 1024; ++i) CHECK(c.data[i] == std::byte{0});
  for (std::size_t i = 18; i < 256; ++i) CHECK(c.data[i] == std::byte{0});
  for (std::size_t i = 5; i < 24; ++i) CHECK(c.sqe[i] == std::byte{0});
  for (std::size_t i = 52; i < 64; ++i) CHECK(c.sqe[i] == std::byte{0});
  for (const fake_command& s : t.controller->seen) {
    if (s.name() == "set 0x14") {
      CHECK(peek(s.sqe, 40, 1) == 0);            // 4 bytes
      CHECK(peek(s.sqe, 48, 8) == 0x0046'0001);  // EN, IOSQES 6, IOCQES 4
    }
    if (s.name() == "connect 1") {
      CHECK(peek(s.sqe, 44, 2) == 127);
      CHECK(peek(s.sqe, 48, 4) == 0);   // KATO belongs to the admin queue
      CHECK(peek(s.data, 16, 2) == 5);  // the CNTLID that was given
      // One host on all queues: all but the CNTLID is as the admin queue said it.
      REQUIRE(s.data.size() == 1024);
      CHECK(std::ranges::equal(std::span(s.data).first(16), std::span(c.data).first(16)));
      CHECK(std::ranges::equal(std::span(s.data).subspan(18), std::span(c.data).subspan(18)));
    }
    if (s.name() == "features 7") CHECK(s.dword(11) == 0);
  }
}
