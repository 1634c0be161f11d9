// SPDX-License-Identifier: BSD-2-Clause
// Get Log Page (Base 2.0, 5.16): every page byte by byte, offsets, lengths.
#include <algorithm>

#include "engine/controller/io_command.hpp"
#include "support/engine_host.hpp"

using namespace nvmf;
using namespace nvmf::test;

TEST_CASE("supported log pages, and the same truth when they are asked for") {
  for (const bool discovery : {false, true}) {
    engine_host h(discovery ? engine_host::discovery_config() : engine_host::io_config());
    h.enable();
    for (unsigned lid = 0; lid < 256; ++lid) {
      CAPTURE(lid);
      const bool there = discovery ? lid == 0x01 || lid == 0x70 : lid <= 0x05;
      const auto r = h.log_page(static_cast<std::uint8_t>(lid), 0, 16);
      CHECK(r.status.raw_code() == (there ? 0 : 0x109));
      if (!discovery) CHECK(peek(h.log_page(0x00, 0, 1024).data, lid * 4, 4) == (there ? 1 : 0));
    }
  }
}

TEST_CASE("commands supported tells what is carried out") {
  engine_host h;
  h.enable();
  const auto page = h.log_page(0x05, 0, 4096).data;
  for (unsigned opcode = 0; opcode < 256; ++opcode) {
    CAPTURE(opcode);
    const bool told = (peek(page, opcode * 4, 4) & 1) != 0;
    const bool fabrics = opcode == 0x7f;
    engine_host fresh;
    fresh.enable();
    const unsigned s =
        fresh.send(sqe(static_cast<std::uint8_t>(opcode), 1, 0, 4096)).status.raw_code();
    if (!fabrics) CHECK(told == (s != 0x001));
    const engine::namespace_view ns{1, 2048, 512};
    const auto io =
        engine::read_io_command(sqe(static_cast<std::uint8_t>(opcode), 1, 1, 4096), 4096, &ns, {});
    const bool io_told = (peek(page, 1024 + opcode * 4, 4) & 1) != 0;
    CHECK(io_told == (io.has_value() || io.error().status.raw_code() != 0x001));
  }
  CHECK(peek(page, 1024 + 0x01 * 4, 4) == 0x0010'0003);  // Write: LBCC, namespace scope
  CHECK(peek(page, 1024 + 0x02 * 4, 4) == 0x0010'0001);  // Read
  CHECK(peek(page, 0x09 * 4, 4) == 0x0020'0011);         // Set Features: CCC, controller scope
}

TEST_CASE("the error log holds the latest 64 failures, the latest first") {
  engine_host h;
  h.enable();
  CHECK(peek(h.log_page(0x01, 0, 64).data, 0, 8) == 0);
  const auto failed = h.send(with(sqe(0x06, 0x1234, 9, 4096), 40, 1, 0xff));
  CHECK(failed.status.more);
  auto page = h.log_page(0x01, 0, 128).data;
  CHECK(peek(page, 0, 8) == 1);               // error count
  CHECK(peek(page, 8, 2) == 0);               // SQID
  CHECK(peek(page, 10, 2) == 0x1234);         // CID
  CHECK(peek(page, 12, 2) == (0x6002 << 1));  // Invalid Field, M, DNR, above the phase tag
  CHECK(peek(page, 14, 2) == 40);             // at byte 40 of the SQE: CNS
  CHECK(peek(page, 24, 4) == 9);              // NSID
  CHECK(peek(page, 29, 1) == 3);              // TCP
  CHECK(peek(page, 64, 8) == 0);
  h.c.on_io_error({.sqid = 2,
                   .cid = 5,
                   .status = status_code::lba_out_of_range,
                   .location = 40,
                   .lba = 99,
                   .nsid = 1},
                  10);
  page = h.log_page(0x01, 0, 128).data;
  CHECK(peek(page, 0, 8) == 12);  // ten were missed
  CHECK(peek(page, 8, 2) == 2);
  CHECK(peek(page, 16, 8) == 99);
  CHECK(peek(page, 64, 8) == 1);
  for (int i = 0; i < 100; ++i) h.status(sqe(0xc0, 1));
  page = h.log_page(0x01, 0, 4096).data;
  CHECK(peek(page, 0, 8) == 112);
  CHECK(peek(page, 63 * 64, 8) == 49);
}

TEST_CASE("SMART counts what the I/O queues did") {
  engine_host h;
  h.io = {.read_bytes = 512'000,
          .written_bytes = 512'001,
          .read_commands = 11,
          .write_commands = 12,
          .media_errors = 3};
  h.enable();
  h.status(sqe(0xc0, 1));
  h.now += std::chrono::hours(5);
  const auto page = h.log_page(0x02, 0, 512).data;
  CHECK(peek(page, 0, 1) == 0);    // no warning
  CHECK(peek(page, 3, 1) == 100);  // spare
  CHECK(peek(page, 32, 8) == 1);   // thousands of 512 bytes, rounded up
  CHECK(peek(page, 48, 8) == 2);
  CHECK(peek(page, 64, 8) == 11);
  CHECK(peek(page, 80, 8) == 12);
  CHECK(peek(page, 128, 8) == 5);  // hours
  CHECK(peek(page, 160, 8) == 3);
  CHECK(peek(page, 176, 8) == 1);  // error log entries
  auto s = with(with(sqe(0x02, 1, 1, 512), 40, 1, 0x02), 42, 2, 127);
  CHECK(h.status(s) == 0x002);  // not per namespace
  CHECK(h.status(with(s, 4, 4, 0xffff'ffff)) == 0);
}

TEST_CASE("firmware slot") {
  engine_host h;
  h.enable();
  const auto page = h.log_page(0x03, 0, 512).data;
  CHECK(peek(page, 0, 1) == 1);
  CHECK(text_at(page, 8, 8) == "1.2     ");
  CHECK(peek(page, 16, 8) == 0);
}

TEST_CASE("changed namespaces: ascending, once each, and the marker for too many") {
  engine_host h;
  h.enable();
  const std::uint32_t some[] = {9, 2, 9, 5};
  h.c.on_namespaces_changed(some);
  auto page = h.log_page(0x04, 0, 4096, true).data;  // retained
  CHECK(peek(page, 0, 4) == 2);
  CHECK(peek(page, 4, 4) == 5);
  CHECK(peek(page, 8, 4) == 9);
  CHECK(peek(page, 12, 4) == 0);
  CHECK(peek(h.log_page(0x04, 0, 4096).data, 0, 4) == 2);
  CHECK(peek(h.log_page(0x04, 0, 4096).data, 0, 4) == 0);  // read without RAE: cleared
  for (std::uint32_t n = 1; n <= 1024; ++n) h.c.on_namespaces_changed({&n, 1});
  CHECK(peek(h.log_page(0x04, 0, 4096, true).data, 4092, 4) == 1024);
  const std::uint32_t one_more = 2000;
  h.c.on_namespaces_changed({&one_more, 1});
  page = h.log_page(0x04, 0, 4096).data;
  CHECK(peek(page, 0, 4) == 0xffff'ffff);
  CHECK(peek(page, 4, 4) == 0);
}

TEST_CASE("offsets are dwords, and any piece is the same as the whole") {
  engine_host h;
  h.enable();
  const auto whole = h.log_page(0x05, 0, 4096).data;
  for (const std::uint64_t offset : {4u, 8u, 12u, 1024u, 1028u, 4092u}) {
    const auto r = h.log_page(0x05, offset, 4);
    REQUIRE(r.status.ok());
    CHECK(std::ranges::equal(r.data, std::span{whole}.subspan(offset, 4)));
  }
  for (const std::uint64_t offset : {1u, 2u, 3u, 5u, 4098u})
    CHECK(h.log_page(0x05, offset, 4).status.raw_code() == 0x002);
  CHECK(h.log_page(0x05, 4096, 4).status.ok());
  CHECK(h.log_page(0x05, 4100, 4).status.raw_code() == 0x002);
  CHECK(h.log_page(0x05, 0xffff'ffff'ffff'fffc, 4).status.raw_code() == 0x002);
  // Beyond the page: zeroes.
  const auto beyond = h.log_page(0x03, 508, 1024);
  CHECK(beyond.data.size() == 1024);
}

TEST_CASE("lengths are bounded before anything is allocated") {
  engine_host h;  // MDTS 5: 128 KiB
  h.enable();
  CHECK(h.log_page(0x01, 0, 131'072).status.ok());
  CHECK(h.log_page(0x01, 0, 131'076).status.raw_code() == 0x002);
  raw_sqe s = with(sqe(0x02, 1, 0, 0xffff'ffff), 40, 1, 0x01);
  put(s, 42, 2, 0xffff);
  put(s, 44, 2, 0xffff);  // NUMD FFFFFFFFh: 16 GiB
  CHECK(h.status(s) == 0x002);
  CHECK(h.status(with(with(sqe(0x02, 1, 0, 12), 40, 1, 0x01), 42, 2, 3)) == 0x00f);
  CHECK(h.status(with(with(sqe(0x02, 1, 0, 16), 40, 1, 0x01), 42, 2, 3)) == 0);
  // An offset by index.
  s = with(with(sqe(0x02, 1, 0, 16), 40, 1, 0x01), 42, 2, 3);
  CHECK(h.status(with(s, 58, 1, 0x80)) == 0x002);
}

TEST_CASE("the discovery log comes from the surroundings") {
  engine_host h(engine_host::discovery_config());
  h.log.assign(2048, std::byte{0x5a});
  h.enable();
  CHECK(h.log_page(0x70, 1024, 1024).data == std::vector<std::byte>(1024, std::byte{0x5a}));
  CHECK(h.log_page(0x70, 2048, 4).data == std::vector<std::byte>(4));
}
