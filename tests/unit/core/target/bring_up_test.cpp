// SPDX-License-Identifier: BSD-2-Clause
// A host in raw bytes brings a controller up and moves data, the straight way.
#include <doctest/doctest.h>

#include "support/target_fixture.hpp"

using namespace nvmf;
using namespace nvmf::test;

namespace {

struct with_ram : target_fixture {
  with_ram() {
    auto ns = make_ram_backend(1 << 20, 512);
    REQUIRE(ns.has_value());
    REQUIRE(t->add_namespace(sub_nqn, {.store = *ns}) == 1);
  }
};

std::vector<std::byte> pattern(std::size_t n, unsigned seed) {
  std::vector<std::byte> v(n);
  for (std::size_t i = 0; i < n; ++i) v[i] = static_cast<std::byte>((i * 7 + seed) & 0xff);
  return v;
}

}  // namespace

TEST_CASE("admin Connect makes a controller that answers properties and Identify") {
  with_ram f;
  const auto admin = f.connect(0, 31, 0xffff);
  CHECK(admin->status(1) == 0);
  CHECK(admin->dw0(1) == 1);
  CHECK(admin->qid == 0);
  CHECK(admin->queue_size == 32);
  CHECK(admin->flow_control);

  f.submit(admin, property_get_sqe(2, 0x00, true));
  CHECK(peek(*admin->response(2), 0, 2) == 1023);  // MQES
  f.submit(admin, property_get_sqe(3, 0x1c));
  CHECK(admin->dw0(3) == 0);
  f.submit(admin, sqe(0x06, 4, 0, 4096));
  CHECK(admin->status(4) == 0x00c);  // not enabled yet
  f.submit(admin, property_set_sqe(5, 0x14, cc_enabled));
  f.submit(admin, property_get_sqe(6, 0x1c));
  CHECK(admin->dw0(6) == 1);  // RDY

  f.submit(admin, with(sqe(0x06, 7, 0, 4096), 40, 1, 0x01));
  REQUIRE(admin->status(7) == 0);
  const auto& id = admin->sent[7];
  REQUIRE(id.size() == 4096);
  CHECK(text_at(id, 768, sub_nqn.size()) == sub_nqn);
  CHECK(peek(id, 78, 2) == 1);
  f.submit(admin, with(sqe(0x06, 8, 1, 4096), 40, 1, 0x00));
  CHECK(peek(admin->sent[8], 0, 8) == 2048);  // NSZE
  CHECK(f.t->controllers().size() == 1);
}

TEST_CASE("what was written is read back, in the capsule and fetched") {
  with_ram f;
  auto a = f.bring_up(1);
  const auto& q = a.io[0];
  CHECK(q->qid == 1);
  CHECK(q->queue_size == 128);
  const auto small = pattern(4096, 1), large = pattern(65536, 2);

  f.submit(q, with(block_sqe(0x01, 10, 1, 8, 8, 4096), 39, 1, 0x01), small);
  CHECK(q->status(10) == 0);
  q->host_data[11] = large;
  f.submit(q, block_sqe(0x01, 11, 1, 100, 128, 65536));
  CHECK(q->status(11) == 0);
  f.submit(q, block_sqe(0x02, 12, 1, 8, 8, 4096));
  CHECK(q->status(12) == 0);
  CHECK(q->sent[12] == small);
  f.submit(q, block_sqe(0x02, 13, 1, 100, 128, 65536));
  CHECK(q->sent[13] == large);
  f.submit(q, block_sqe(0x02, 14, 1, 0, 1, 512));
  CHECK(q->sent[14] == std::vector<std::byte>(512));
}

TEST_CASE("without SQ flow control a read is answered by its data alone") {
  with_ram f;
  auto a = f.bring_up(1, host_a, 0, 0x04);
  CHECK_FALSE(a.io[0]->flow_control);
  f.submit(a.io[0], block_sqe(0x02, 10, 1, 0, 8, 4096));
  CHECK(a.io[0]->sent_alone == std::vector<std::uint16_t>{10});
  CHECK(a.io[0]->response(10) == nullptr);
  f.submit(a.io[0], block_sqe(0x02, 10, 1, 0, 8, 4096));  // its CID is free again
  CHECK(a.io[0]->sent_alone.size() == 2);
}

TEST_CASE("stop ends every connection and says so once") {
  with_ram f;
  auto a = f.bring_up(2);
  int done = 0;
  f.t->stop([&] { ++done; });
  f.run();
  CHECK(done == 1);
  CHECK(a.admin->closed);
  CHECK(a.io[0]->closed);
  CHECK(a.io[1]->closed);
  CHECK(f.t->controllers().empty());
  CHECK(f.net->arrive()->closed);
}
