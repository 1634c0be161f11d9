// SPDX-License-Identifier: BSD-2-Clause
// Properties (Base 2.0, 3.1.3): what may be read and written, and how CSTS follows CC.
#include "support/engine_host.hpp"

using namespace nvmf;
using namespace nvmf::test;

namespace {
constexpr std::uint32_t cap = 0x00, vs = 0x08, cc = 0x14, csts = 0x1c, nssr = 0x20, crto = 0x68;
constexpr std::uint32_t rdy = 0x1, cfs = 0x2, shst_occurring = 0x4, shst_complete = 0x8;
constexpr std::uint32_t shn_normal = 0x4000, shn_abrupt = 0x8000;
using wish_kind = engine::wish::kind;
}  // namespace

TEST_CASE("Property Get: values") {
  engine_host h;
  const auto r = h.send(property_get_sqe(1, cap, true));
  CHECK(r.status.ok());
  // MQES 127, CQR 1, TO 15 (7.5 s); upper dword: CSS NVM (bit 37), CRWMS (bit 59).
  CHECK(r.dw0 == 0x0f01'007f);
  CHECK(r.dw1 == 0x0800'0020);
  CHECK(h.send(property_get_sqe(1, vs)).dw0 == 0x0002'0000);
  CHECK(h.send(property_get_sqe(1, cc)).dw0 == 0);
  CHECK(h.send(property_get_sqe(1, csts)).dw0 == 0);
  CHECK(h.send(property_get_sqe(1, crto)).dw0 == 15);
}

TEST_CASE("Property Get: what is refused") {
  engine_host h;
  for (const auto& s :
       {property_get_sqe(1, cap), property_get_sqe(1, vs, true), property_get_sqe(1, csts, true),
        property_get_sqe(1, nssr), property_get_sqe(1, 0x04), property_get_sqe(1, 0x15),
        property_get_sqe(1, 0x24), property_get_sqe(1, 0x1000), property_get_sqe(1, 0xffff'fffc),
        with(property_get_sqe(1, cc), 40, 1, 2), with(property_get_sqe(1, cc), 40, 1, 7)}) {
    const auto r = h.send(s);
    CHECK(r.status.raw_code() == 0x002);
    CHECK(r.dw0 == 0);
  }
}

TEST_CASE("Property Set: what is refused changes nothing") {
  engine_host h;
  const raw_sqe bad[] = {
      property_set_sqe(1, cap, 1, true),
      property_set_sqe(1, csts, 1),
      property_set_sqe(1, vs, 1),
      property_set_sqe(1, nssr, 0x4e56'4d65),
      property_set_sqe(1, cc, cc_enabled, true),          // 8 bytes
      property_set_sqe(1, cc, cc_enabled | 0x10),         // CSS 1
      property_set_sqe(1, cc, cc_enabled | 0x60),         // CSS 6
      property_set_sqe(1, cc, cc_enabled | 0x80),         // MPS 1
      property_set_sqe(1, cc, cc_enabled | 0x800),        // AMS 1
      property_set_sqe(1, cc, cc_enabled | 0xc000),       // SHN 3
      property_set_sqe(1, cc, 0x0047'0001),               // IOSQES 7
      property_set_sqe(1, cc, 0x0036'0001),               // IOCQES 3
      property_set_sqe(1, cc, 0x0040'0001),               // IOSQES 0
      property_set_sqe(1, cc, 0x0006'0001),               // IOCQES 0
      property_set_sqe(1, cc, cc_enabled | 0x0100'0000),  // CRIME
      property_set_sqe(1, cc, cc_enabled | 0x8000'0000),  // reserved
      property_set_sqe(1, cc, cc_enabled | 0x2),          // reserved
  };
  for (const auto& s : bad) {
    const auto r = h.send(s);
    CHECK(r.status.raw_code() == 0x002);
    CHECK(r.status.dnr);
    CHECK(h.send(property_get_sqe(1, cc)).dw0 == 0);
    CHECK(h.csts() == 0);
  }
}

TEST_CASE("enable makes ready; only Fabrics commands before") {
  engine_host h;
  CHECK(h.identify(0x01).status.raw_code() == 0x00c);
  CHECK(h.status(sqe(0x18, 1)) == 0x00c);
  h.enable();
  CHECK(h.csts() == rdy);
  CHECK(h.identify(0x01).status.ok());
  CHECK(h.status(sqe(0x18, 1)) == 0);
  // A discovery controller has no I/O queues, and takes the entry sizes of some hosts all the same.
  for (const std::uint32_t value : {1u, cc_enabled}) {
    engine_host d(engine_host::discovery_config());
    CHECK(d.status(property_set_sqe(1, cc, value)) == 0);
    CHECK(d.csts() == rdy);
  }
}

TEST_CASE("a reset waits for the I/O queues and forgets what was set") {
  engine_host h;
  h.enable();
  CHECK(h.set_feature(0x07, 0x0001'0001).status.ok());
  CHECK(h.set_feature(0x0b, 0x100).status.ok());
  CHECK(h.join(1) == 0);
  CHECK(h.join(2) == 0);
  CHECK(h.send(sqe(0x0c, 50)).held);
  CHECK(h.status(property_set_sqe(1, cc, cc_disabled)) == 0);
  CHECK(h.csts() == rdy);  // not yet
  CHECK(h.identify(0x01).status.raw_code() == 0x00c);
  CHECK(h.join(3) == 0x00c);
  CHECK(h.status(property_set_sqe(1, cc, cc_enabled)) == 0x00c);  // while it is under way
  auto w = h.wishes();
  REQUIRE(w.size() == 1);
  CHECK(w[0].what == wish_kind::end_io_queues);
  h.c.on_io_queue_gone(1, h.now);
  CHECK(h.csts() == rdy);
  h.c.on_io_queue_gone(2, h.now);
  CHECK(h.csts() == 0);
  w = h.wishes();
  REQUIRE(w.size() == 2);
  CHECK(w[0].what == wish_kind::complete);  // the Asynchronous Event Request
  CHECK(w[0].cid == 50);
  CHECK(w[0].status.raw_code() == 0x007);
  h.enable();
  CHECK(h.csts() == rdy);
  CHECK(h.get_feature(0x0b).dw0 == 0);
  CHECK(h.join(1) == 0x00c);  // Number of Queues must be asked again
}

TEST_CASE("shutdown, normal and abrupt") {
  for (const std::uint32_t shn : {shn_normal, shn_abrupt}) {
    engine_host h;
    h.enable();
    CHECK(h.set_feature(0x07, 0).status.ok());
    CHECK(h.join(1) == 0);
    CHECK(h.status(property_set_sqe(1, cc, cc_enabled | shn)) == 0);
    CHECK(h.csts() == (rdy | shst_occurring));
    CHECK(h.wishes().at(0).what == wish_kind::end_io_queues);
    h.c.on_io_queue_gone(1, h.now);
    CHECK(h.csts() == (rdy | shst_complete));
    CHECK(h.identify(0x01).status.raw_code() == 0x00c);
    CHECK(h.status(property_set_sqe(1, cc, cc_disabled)) == 0);
    CHECK(h.csts() == 0);
    h.enable();
    CHECK(h.csts() == rdy);
    CHECK(h.identify(0x01).status.ok());
  }
}

TEST_CASE("shutdown without I/O queues, and of a controller that was never enabled") {
  engine_host h;
  h.enable();
  CHECK(h.status(property_set_sqe(1, cc, cc_enabled | shn_normal)) == 0);
  CHECK(h.csts() == (rdy | shst_complete));
  engine_host off;
  CHECK(off.status(property_set_sqe(1, cc, shn_normal)) == 0);
  CHECK(off.csts() == shst_complete);
  // Shutdown and disable in one write.
  engine_host both;
  both.enable();
  CHECK(both.status(property_set_sqe(1, cc, cc_disabled | shn_normal)) == 0);
  CHECK(both.csts() == shst_complete);
}

TEST_CASE("an association that stays disabled ends after two minutes") {
  engine_host never;
  never.pass(std::chrono::minutes(2) - std::chrono::milliseconds(1));
  CHECK_FALSE(never.ended());
  never.pass(std::chrono::milliseconds(1));
  CHECK(never.ended());

  engine_host h;
  h.enable();
  CHECK_FALSE(h.c.deadline().has_value());
  CHECK(h.status(property_set_sqe(1, cc, cc_enabled | shn_normal)) == 0);
  REQUIRE(h.c.deadline() == h.now + std::chrono::minutes(2));
  h.pass(std::chrono::minutes(2) - std::chrono::milliseconds(1));
  CHECK_FALSE(h.ended());
  h.pass(std::chrono::milliseconds(1));
  CHECK(h.ended());
  CHECK((h.csts() & cfs) == cfs);

  engine_host back;
  back.enable();
  CHECK(back.status(property_set_sqe(1, cc, cc_disabled)) == 0);
  back.enable();  // in time
  back.pass(std::chrono::minutes(3));
  CHECK_FALSE(back.ended());
}

TEST_CASE("Fabrics commands that an admin queue does not take") {
  engine_host h;
  CHECK(h.status(connect_sqe(1, 0, 31)) == 0x00c);
  CHECK(h.status(sqe(0x7f, 1, 0x08)) == 0x185);  // Disconnect: Invalid Queue Type
  CHECK(h.status(sqe(0x7f, 1, 0x05)) == 0x001);
  CHECK(h.status(sqe(0x7f, 1, 0x06)) == 0x001);
  CHECK(h.status(sqe(0x7f, 1, 0x02)) == 0x002);
  CHECK(h.status(sqe(0x7f, 1, 0xff)) == 0x002);
}
