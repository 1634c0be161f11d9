// SPDX-License-Identifier: BSD-2-Clause
// How associations end: every order, each once, nobody else disturbed.
#include <doctest/doctest.h>

#include "support/held_backend.hpp"
#include "support/target_fixture.hpp"

using namespace nvmf;
using namespace nvmf::test;
using namespace std::chrono_literals;

namespace {

struct with_held : target_fixture {
  std::shared_ptr<held_backend> disk = std::make_shared<held_backend>();
  explicit with_held(target_limits limits = {}) : target_fixture(limits) {
    REQUIRE(t->add_namespace(sub_nqn, {.store = disk}) == 1);
  }
};

qpair_error violation() {
  return {.code = make_error_code(errc::protocol_violation),
          .violation = {.structure = "h2c-data", .reason = "a reason"}};
}
std::uint32_t csts(target_fixture& f, const std::shared_ptr<fake_wire>& w) {
  static std::uint16_t cid = 1000;
  f.submit(w, property_get_sqe(++cid, 0x1c));
  return w->dw0(cid);
}

}  // namespace

TEST_CASE("the admin connection goes: all of its I/O queues go, others stay") {
  for (const qpair_error& e :
       {qpair_error{}, qpair_error{.code = make_error_code(errc::reset)}, violation()}) {
    with_held f;
    auto a = f.bring_up(3, host_a);
    auto b = f.bring_up(2, host_b);
    f.break_down(a.admin, e);
    CHECK(a.admin->closed);
    for (const auto& q : a.io) CHECK(q->closed);
    CHECK_FALSE(b.admin->closed);
    for (const auto& q : b.io) CHECK_FALSE(q->closed);
    f.disk->hold = false;
    f.submit(b.io[1], block_sqe(0x02, 9, 1, 0, 1, 512));
    CHECK(b.io[1]->status(9) == 0);
    CHECK(f.t->controllers().size() == 1);
    CHECK(f.connect(1, 31, a.cntlid)->status(1) == 0x182);  // its CNTLID is no more
  }
}

TEST_CASE("an I/O connection goes: the others live on, and it may come again") {
  for (const auto code : {std::error_code{}, make_error_code(errc::reset)}) {
    with_held f;
    auto a = f.bring_up(2);
    f.break_down(a.io[0], {.code = code});
    CHECK(a.io[0]->closed);
    CHECK_FALSE(a.admin->closed);
    CHECK_FALSE(a.io[1]->closed);
    CHECK(f.t->controllers()[0].io_queues == 1);
    CHECK(f.connect(1, 31, a.cntlid)->status(1) == 0);
  }
}

TEST_CASE("a violation on an I/O queue ends the association, and its host's only") {
  with_held f;
  auto a = f.bring_up(2, host_a);
  auto b = f.bring_up(1, host_b);
  f.break_down(a.io[1], violation());
  CHECK(a.admin->closed);
  CHECK(a.io[0]->closed);
  CHECK_FALSE(b.admin->closed);
  CHECK(f.notices.back().find("a reason") != std::string::npos);
}

TEST_CASE("Disconnect ends its queue only") {
  with_held f;
  auto a = f.bring_up(2);
  f.submit(a.io[0], with(sqe(0x7f, 5, 0x08), 40, 2, 1));
  CHECK(a.io[0]->status(5) == 0x180);  // record format 1
  CHECK_FALSE(a.io[0]->closed);
  f.submit(a.io[0], sqe(0x7f, 6, 0x08));
  CHECK(a.io[0]->status(6) == 0);
  CHECK(a.io[0]->closed);
  CHECK_FALSE(a.io[1]->closed);
  f.submit(a.admin, sqe(0x7f, 7, 0x08));
  CHECK(a.admin->status(7) == 0x185);
  CHECK(f.connect(1, 31, a.cntlid)->status(1) == 0);
}

TEST_CASE("Fabrics commands that an I/O queue does not take") {
  with_held f;
  auto a = f.bring_up(1);
  f.submit(a.io[0], connect_sqe(2, 1, 31));
  CHECK(a.io[0]->status(2) == 0x00c);
  f.submit(a.io[0], property_get_sqe(3, 0x1c));
  CHECK(a.io[0]->status(3) == 0x001);
  f.submit(a.io[0], sqe(0x7f, 4, 0x05));
  CHECK(a.io[0]->status(4) == 0x001);
  f.submit(a.io[0], sqe(0x7f, 5, 0xfe));
  CHECK(a.io[0]->status(5) == 0x001);
}

TEST_CASE("a reset waits for the disk, ends the I/O queues, and the association goes on") {
  with_held f;
  auto a = f.bring_up(2);
  f.post_command(a.io[0], block_sqe(0x02, 5, 1, 0, 1, 512));
  f.run();
  REQUIRE(f.disk->operations.size() == 1);
  f.submit(a.admin, property_set_sqe(6, 0x14, cc_disabled));
  CHECK(a.admin->status(6) == 0);
  CHECK(csts(f, a.admin) == 1);  // RDY: the disk still works for queue 1
  CHECK(a.io[1]->closed);
  CHECK_FALSE(a.io[0]->closed);
  CHECK(f.connect(3, 31, a.cntlid)->status(1) == 0x00c);
  f.disk->end_one();
  f.run();
  CHECK(a.io[0]->closed);
  CHECK(a.io[0]->status(5) == 0);  // it was done before the queue ended
  CHECK(csts(f, a.admin) == 0);
  f.submit(a.admin, property_set_sqe(7, 0x14, cc_enabled));
  CHECK(csts(f, a.admin) == 1);
  f.submit(a.admin, with(with(sqe(0x09, 8), 40, 4, 0x07), 44, 4, 0));
  CHECK(f.connect(1, 31, a.cntlid)->status(1) == 0);
}

TEST_CASE("a shutdown completes, and two minutes later the association is over") {
  with_held f;
  auto a = f.bring_up(2);
  f.submit(a.admin, property_set_sqe(6, 0x14, cc_enabled | 0x4000));
  CHECK(csts(f, a.admin) == 0x9);
  CHECK(a.io[0]->closed);
  CHECK(a.io[1]->closed);
  f.time.advance(119s);
  CHECK_FALSE(a.admin->closed);
  f.time.advance(1s);
  CHECK(a.admin->closed);
  CHECK(f.t->controllers().empty());
}

TEST_CASE("keep alive: I/O on another executor counts, silence ends all connections") {
  with_held f;
  f.disk->hold = false;
  auto a = f.bring_up(2, host_a, 1000);
  for (int i = 0; i < 30; ++i) {
    f.submit(a.io[static_cast<std::size_t>(i % 2)], block_sqe(0x02, 9, 1, 0, 1, 512));
    f.time.advance(500ms);
    REQUIRE_FALSE(a.admin->closed);
  }
  f.time.advance(1s);
  f.time.advance(1s);
  CHECK(a.admin->closed);
  CHECK(a.io[0]->closed);
  CHECK(a.io[1]->closed);
  CHECK(f.notices.back().find("keep alive timeout") != std::string::npos);
  CHECK(f.first.timers() + f.second.timers() == 0);
}

TEST_CASE("keep alive: the last command of a queue that is gone counts") {
  with_held f;
  f.disk->hold = false;
  auto a = f.bring_up(1, host_a, 1000);
  f.time.advance(1900ms);  // the second period has begun, and nothing has come in it
  f.submit(a.io[0], block_sqe(0x02, 9, 1, 0, 1, 512));
  f.break_down(a.io[0], {});
  f.run();
  REQUIRE(a.io[0]->closed);
  f.time.advance(500ms);
  CHECK_FALSE(a.admin->closed);
  f.time.advance(1s);
  CHECK(a.admin->closed);
}

TEST_CASE("commands in every state when the connection goes") {
  with_held f;
  auto a = f.bring_up(1);
  const auto& q = a.io[0];
  q->hold_fetches = true;
  q->hold_buffers = true;
  f.submit(q, block_sqe(0x01, 2, 1, 0, 128, 65536));  // waits for the host's data
  f.submit(q, block_sqe(0x02, 3, 1, 0, 1, 512));      // waits for the disk
  f.submit(q, block_sqe(0x02, 4, 1, 0, 1, 512));
  REQUIRE(f.disk->operations.size() == 2);
  f.disk->end_one();
  f.run();
  CHECK(q->status(3) == 0);  // answered; the transport still holds its data
  REQUIRE(q->buffers.size() == 1);
  f.break_down(q, {.code = make_error_code(errc::reset)});
  CHECK_FALSE(q->closed);  // the disk still has the memory of command 4
  f.disk->end_one();
  f.run();
  CHECK(q->closed);
  CHECK(f.t->controllers()[0].io_queues == 0);
}

TEST_CASE("the transport may hold data longer than the queue lives") {
  with_held f;
  f.disk->hold = false;
  auto a = f.bring_up(1);
  a.io[0]->hold_buffers = true;
  f.submit(a.io[0], block_sqe(0x02, 3, 1, 0, 8, 4096));
  REQUIRE(a.io[0]->buffers.size() == 1);
  buffer late = std::move(a.io[0]->buffers[0]);
  f.break_down(a.io[0], {});
  CHECK(a.io[0]->closed);
  CHECK(late.bytes()[4095] == std::byte{0x5a});
  late.reset();
}

TEST_CASE("the target goes in every state without a word to its reactors") {
  for (int state = 0; state < 6; ++state) {
    CAPTURE(state);
    auto f = std::make_unique<with_held>();
    const auto disk = f->disk;
    std::vector<std::shared_ptr<fake_wire>> keep;
    if (state >= 1) keep.push_back(f->net->arrive());
    if (state >= 2) f->run();
    if (state >= 3) {
      auto a = f->bring_up(2);
      keep.insert(keep.end(), {a.admin, a.io[0], a.io[1]});
      if (state >= 4) f->submit(a.io[0], block_sqe(0x02, 3, 1, 0, 1, 512));
      if (state >= 5) {
        a.io[1]->hold_fetches = true;
        f->submit(a.io[1], block_sqe(0x01, 4, 1, 0, 128, 65536));
        f->submit(a.admin, sqe(0x0c, 9));
      }
    }
    f->t.reset();
    for (const auto& w : keep) CHECK((w->queue == nullptr || w->closed));
    while (!disk->operations.empty()) disk->end_one();  // too late for everybody
    f->run();
  }
}

TEST_CASE("stop in every state: every host is told, the end is told once") {
  for (int state = 0; state < 5; ++state) {
    CAPTURE(state);
    with_held f;
    std::vector<std::shared_ptr<fake_wire>> all;
    if (state >= 1) {
      all.push_back(f.net->arrive());
      if (state >= 2) f.run();
    }
    if (state >= 3) {
      auto a = f.bring_up(2, host_a, 1000);
      auto b = f.bring_up(1, host_b);
      all.insert(all.end(), {a.admin, a.io[0], a.io[1], b.admin, b.io[0]});
      if (state >= 4) f.submit(a.io[0], block_sqe(0x02, 3, 1, 0, 1, 512));
    }
    int done = 0;
    f.t->stop([&] { ++done; });
    f.run();
    if (state == 4) {
      CHECK(done == 0);  // the disk has yet to answer
      f.disk->end_one();
      f.run();
    }
    CHECK(done == 1);
    for (const auto& w : all) CHECK((w->closed || w->queue == nullptr));
    CHECK(f.t->controllers().empty());
    CHECK(f.first.timers() + f.second.timers() == 0);
  }
}

TEST_CASE("ten thousand associations leave nothing behind") {
  with_held f({.connections = 64});
  f.disk->hold = false;
  for (int i = 0; i < 2500; ++i) {
    auto a = f.bring_up(3);
    REQUIRE(a.io[2]->queue != nullptr);
    f.break_down(i % 2 == 0 ? a.admin : a.io[0], i % 3 == 0 ? violation() : qpair_error{});
    if (!a.admin->closed) f.break_down(a.admin, {});
    REQUIRE(f.t->controllers().empty());
    f.notices.clear();
  }
  CHECK(f.first.timers() + f.second.timers() == 0);
}
