// SPDX-License-Identifier: BSD-2-Clause
// Get Features and Set Features (Base 2.0, 5.15, 5.27).
#include "support/engine_host.hpp"

using namespace nvmf;
using namespace nvmf::test;

TEST_CASE("Number of Queues: what is granted, and until when") {
  engine_host h;
  h.enable();
  CHECK(h.set_feature(0x07, 0xffff'0000).status.raw_code() == 0x002);
  CHECK(h.set_feature(0x07, 0x0000'ffff).status.raw_code() == 0x002);
  CHECK(h.join(1) == 0x00c);  // a refused request grants nothing
  auto r = h.set_feature(0x07, 0x0001'0002);
  CHECK(r.status.ok());
  CHECK(r.dw0 == 0x0001'0001);  // two: the lesser of three and two
  r = h.set_feature(0x07, 0xfffe'fffe);
  CHECK(r.dw0 == 0x0003'0003);  // four are the most
  CHECK(h.get_feature(0x07).dw0 == 0x0003'0003);
  CHECK(h.join(1) == 0);
  CHECK(h.set_feature(0x07, 0).status.raw_code() == 0x00c);
  CHECK(h.get_feature(0x07).dw0 == 0x0003'0003);
  h.c.on_io_queue_gone(1, h.now);
  CHECK(h.set_feature(0x07, 0).dw0 == 0);
}

TEST_CASE("values are kept, selected and told of") {
  struct row {
    std::uint8_t fid;
    std::uint32_t initial, set, then;
  };
  const row rows[] = {
      {0x01, 0, 0x0302'0107, 0x0302'0107},
      {0x02, 0, 0, 0},
      {0x04, 0xffff, 350, 350},
      {0x06, 1, 0, 0},
      {0x08, 0, 0x0203, 0x0203},
      {0x09, 0, 0x10000, 0x10000},
      {0x0a, 0, 1, 1},
      {0x0b, 0, 0x11f, 0x11f},
      {0x0f, 0, 4950, 5000},
  };
  for (const row& r : rows) {
    CAPTURE(r.fid);
    engine_host h;
    h.enable();
    CHECK(h.get_feature(r.fid).dw0 == r.initial);
    CHECK(h.set_feature(r.fid, r.set).status.ok());
    CHECK(h.get_feature(r.fid).dw0 == r.then);
    CHECK(h.get_feature(r.fid, 3).dw0 == 4);  // changeable, not saveable, of the controller
    CHECK(h.get_feature(r.fid, 4).status.raw_code() == 0x002);
    if (r.fid != 0x0f) {
      CHECK(h.get_feature(r.fid, 1).dw0 == r.initial);
      CHECK(h.get_feature(r.fid, 2).dw0 == r.initial);
    }
    CHECK(h.set_feature(r.fid, r.set, 1).status.raw_code() == 0x10f);
    auto save = with(with(sqe(0x09, 1), 40, 1, r.fid), 43, 1, 0x80);
    CHECK(h.status(save) == 0x10d);
  }
}

TEST_CASE("values out of range are refused and change nothing") {
  engine_host h;
  h.enable();
  CHECK(h.set_feature(0x02, 1).status.raw_code() == 0x002);
  CHECK(h.set_feature(0x04, 0x0001'0000 | 300).status.raw_code() == 0x002);  // sensor 1
  CHECK(h.set_feature(0x04, 0x0020'0000 | 300).status.raw_code() == 0x002);  // THSEL 2
  CHECK(h.get_feature(0x04, 0, 0x0001'0000).status.raw_code() == 0x002);
  CHECK(h.set_feature(0x05, 0x0001'0000, 1).status.raw_code() == 0x002);  // DULBE
  CHECK(h.set_feature(0x0b, 0x200).status.raw_code() == 0x002);
  CHECK(h.set_feature(0x0f, 60'001).status.raw_code() == 0x01a);
  CHECK(h.get_feature(0x0f).dw0 == 0);
  for (const std::uint8_t fid : std::initializer_list<std::uint8_t>{
           0x00, 0x03, 0x0c, 0x0d, 0x0e, 0x10, 0x16, 0x19, 0x80, 0x84, 0xff}) {
    CHECK(h.get_feature(fid).status.raw_code() == 0x002);
    CHECK(h.set_feature(fid, 0).status.raw_code() == 0x002);
  }
}

TEST_CASE("Temperature Threshold has an over and an under value") {
  engine_host h;
  h.enable();
  CHECK(h.set_feature(0x04, 0x0010'0000 | 260).status.ok());
  CHECK(h.set_feature(0x04, 0x000f'0000 | 340).status.ok());  // all sensors
  CHECK(h.get_feature(0x04, 0, 0x0010'0000).dw0 == 260);
  CHECK(h.get_feature(0x04).dw0 == 340);
}

TEST_CASE("Error Recovery belongs to a namespace") {
  engine_host h;
  h.enable();
  CHECK(h.get_feature(0x05, 0, 0, 1).dw0 == 0);
  CHECK(h.set_feature(0x05, 77, 1).status.ok());
  CHECK(h.get_feature(0x05, 0, 0, 1).dw0 == 77);
  CHECK(h.get_feature(0x05, 0, 0, 3).dw0 == 0);
  CHECK(h.set_feature(0x05, 88, 0xffff'ffff).status.ok());
  CHECK(h.get_feature(0x05, 0, 0, 1).dw0 == 88);
  CHECK(h.get_feature(0x05, 0, 0, 3).dw0 == 88);
  CHECK(h.get_feature(0x05, 3, 0, 1).dw0 == 6);  // changeable, of a namespace
  for (const std::uint32_t nsid : {0u, 2u, 1025u}) {
    CHECK(h.get_feature(0x05, 0, 0, nsid).status.raw_code() == 0x00b);
    CHECK(h.set_feature(0x05, 1, nsid).status.raw_code() == 0x00b);
  }
}

TEST_CASE("the host identifier is what Connect said, and cannot be set") {
  engine_host h;
  h.enable();
  const auto r = h.get_feature(0x81, 0, 1);
  REQUIRE(r.data.size() == 16);
  CHECK(r.data[0] == std::byte{0x11});
  CHECK(h.get_feature(0x81, 0, 0).status.raw_code() == 0x002);  // 64 bits are not of fabrics
  CHECK(h.get_feature(0x81, 0, 1, 0, 15).status.raw_code() == 0x00f);
  CHECK(h.set_feature(0x81, 1).status.raw_code() == 0x00c);
  CHECK(h.get_feature(0x81, 3).dw0 == 0);
}

TEST_CASE("turning the write cache off is a wish") {
  engine_host h;
  h.enable();
  CHECK(h.set_feature(0x06, 0).status.ok());
  auto w = h.wishes();
  REQUIRE(w.size() == 1);
  CHECK(w[0].what == engine::wish::kind::write_cache);
  CHECK_FALSE(w[0].on);
  CHECK(h.set_feature(0x06, 1).status.ok());
  CHECK(h.wishes().at(0).on);
}

TEST_CASE("a discovery controller has events and keep alive only") {
  engine_host h(engine_host::discovery_config());
  h.enable();
  CHECK(h.set_feature(0x0b, 0x8000'0000).status.ok());
  CHECK(h.get_feature(0x0b).dw0 == 0x8000'0000);
  CHECK(h.set_feature(0x0b, 0x100).status.raw_code() == 0x002);
  CHECK(h.set_feature(0x0f, 5000).status.ok());
  for (const std::uint8_t fid : std::initializer_list<std::uint8_t>{0x01, 0x06, 0x07, 0x81})
    CHECK(h.set_feature(fid, 0).status.raw_code() == 0x002);
}
