// SPDX-License-Identifier: BSD-2-Clause
// Every piece of data ends exactly once, however its command ends. Items 8, 9, 15 to 17.
#include "rig.hpp"

using namespace nvmf;
using namespace nvmf::test;

namespace {

constexpr std::size_t size = 20'000;  // over every in-capsule limit here

// A command with data on its way, seen from both ends.
struct under_way {
  explicit under_way(rig& r, std::uint8_t opcode, std::size_t n = size)
      : memory(n), content(pattern(n)) {
    if (opcode == op_write) std::ranges::copy(content, memory.bytes().begin());
    here = r.send(opcode, memory.mem(), n, data);
    there = r.command();
  }
  guarded memory;
  std::vector<std::byte> content;
  watch data;
  capsule here, there;
};

std::span<const std::byte> first(const std::vector<std::byte>& v, std::size_t n) {
  return std::span{v}.first(n);
}

}  // namespace

CONTRACT("read: all data, then the response") {
  rig r(p);
  under_way u(r, op_read);
  CHECK(r.give(u.there, 0, u.content).result == send_result::success);
  CHECK_FALSE(u.data.done());
  r.respond(u.there.cid());
  capsule back = r.response();
  REQUIRE(r.until([&] { return u.data.done(); }));
  r.settle();
  CHECK(u.data.ended(size, {}));
  CHECK(u.memory.holds(u.content));
  CHECK(u.memory.zones_intact());
  CHECK(r.host.got.empty());
}

CONTRACT("read: an error status without data ends it with 0 bytes and no error") {
  rig r(p);
  under_way u(r, op_read);
  r.respond(u.there.cid(), 0x002);
  capsule back = r.response();
  CHECK(status_of(back) == 0x002);
  REQUIRE(r.until([&] { return u.data.done(); }));
  CHECK(u.data.ended(0, {}));
  CHECK(u.memory.zones_intact());
}

CONTRACT("read: an error status after half the data ends it there") {
  rig r(p);
  under_way u(r, op_read);
  CHECK(r.give(u.there, 0, first(u.content, 8000)).result == send_result::more);
  r.respond(u.there.cid(), 0x281);
  CHECK(status_of(r.response()) == 0x281);
  REQUIRE(r.until([&] { return u.data.done(); }));
  CHECK(u.data.ended(r.told(8000, size, false), {}));
  if (!r.unseen()) CHECK(u.memory.holds(first(u.content, 8000)));
}

CONTRACT("read: less data than asked for is well if the controller said `last`") {
  rig r(p);
  under_way u(r, op_read);
  CHECK(r.give(u.there, 0, first(u.content, 4000), true).result == send_result::success);
  r.respond(u.there.cid());
  r.response();
  REQUIRE(r.until([&] { return u.data.done(); }));
  CHECK(u.data.ended(r.told(4000, size, true), {}));
}

CONTRACT("read: success with data missing is data_incomplete") {
  rig r(p);
  under_way none(r, op_read), half(r, op_read);
  CHECK(r.give(half.there, 0, first(half.content, 8000)).result == send_result::more);
  r.respond(none.there.cid());
  r.respond(half.there.cid());
  r.response();
  r.response();
  REQUIRE(r.until([&] { return none.data.done() && half.data.done(); }));
  const std::error_code missing = r.unseen() ? std::error_code{} : errc::data_incomplete;
  CHECK(none.data.ended(r.told(0, size, true), missing));
  CHECK(half.data.ended(r.told(8000, size, true), missing));
  CHECK(r.host.errors.empty());
}

CONTRACT("write: fetched whole") {
  rig r(p);
  under_way u(r, op_write);
  guarded there(size);
  watch fetched;
  CHECK(r.controller.queue.in_capsule_data(u.there).empty());
  CHECK(r.controller.queue.data_length(u.there) == size);
  CHECK(r.controller.queue.validate_command(u.there).ok());
  REQUIRE_FALSE(r.receive(u.there, 0, there.mem(), size, fetched));
  CHECK_FALSE(fetched.done());
  REQUIRE(r.until([&] { return fetched.done() && (r.unseen() || u.data.done()); }));
  CHECK(fetched.ended(size, {}));
  CHECK(there.holds(u.content));
  CHECK(there.zones_intact());
  r.respond(u.there.cid());
  r.response();
  REQUIRE(r.until([&] { return u.data.done(); }));
  CHECK(u.data.ended(size, {}));
}

CONTRACT("write: completed before it was fetched, with an error or without") {
  rig r(p);
  under_way failed(r, op_write), ignored(r, op_write), half(r, op_write);
  guarded there(size);
  watch fetched;
  REQUIRE_FALSE(r.receive(half.there, 0, there.mem(), 6000, fetched));
  REQUIRE(r.until([&] { return fetched.done(); }));
  r.respond(failed.there.cid(), 0x180);
  r.respond(ignored.there.cid());
  r.respond(half.there.cid(), 0x002);
  for (int i = 0; i < 3; ++i) r.response();
  REQUIRE(r.until([&] { return failed.data.done() && ignored.data.done() && half.data.done(); }));
  CHECK(failed.data.ended(0, {}));
  CHECK(ignored.data.ended(r.told(0, size, true), {}));
  CHECK(half.data.ended(r.told(6000, size, false), {}));
}

CONTRACT("write: in the capsule") {
  rig r(p);
  under_way u(r, op_write, 3000);
  REQUIRE(r.until([&] { return u.data.done(); }));
  CHECK(u.data.ended(3000, {}));
  if (r.host.queue.caps().offset_sgl)
    CHECK(std::ranges::equal(r.controller.queue.in_capsule_data(u.there), u.content));
  r.respond(u.there.cid());
  r.response();
}

CONTRACT("the peer closes: what has arrived is delivered, the rest ends as closed") {
  rig r(p);
  under_way read(r, op_read), half(r, op_read), write(r, op_write), partly(r, op_write);
  guarded there(size);
  watch fetched;
  REQUIRE_FALSE(r.receive(partly.there, 0, there.mem(), 6000, fetched));
  REQUIRE(r.until([&] { return fetched.done(); }));
  CHECK(r.give(half.there, 0, first(half.content, 8000)).result == send_result::more);
  capsule last = r.send(op_none);
  r.respond(r.command().cid());
  r.controller.queue.close();
  REQUIRE(r.until([&] { return !r.host.errors.empty(); }));
  CHECK(r.host.got.size() == 1);  // the response that was sent before
  CHECK_FALSE(r.host.errors.front().code);
  const bool unseen = r.unseen();
  r.host.queue.close();
  r.spin();
  CHECK(r.host.errors.size() == 1);
  for (const under_way* u : {&read, &half, &write, &partly}) {
    CHECK(u->data.calls == 1);
    CHECK((u->data.error == errc::closed || u->data.error == errc::aborted));
  }
  CHECK(read.data.bytes == 0);
  CHECK(half.data.bytes == (unseen ? 0 : 8000));
  if (!unseen) CHECK(half.memory.holds(first(half.content, 8000)));
  CHECK(write.data.bytes == 0);
  CHECK(partly.data.bytes == (unseen ? 0 : 6000));
}

CONTRACT("the peer breaks off: an error once, all data ends once") {
  rig r(p);
  under_way read(r, op_read), half(r, op_read), write(r, op_write);
  CHECK(r.give(half.there, 0, first(half.content, 8000)).result == send_result::more);
  r.controller.queue.close(false);
  REQUIRE(r.until([&] { return !r.host.errors.empty(); }));
  r.host.queue.close();
  r.spin();
  CHECK(r.host.errors.size() == 1);
  for (const under_way* u : {&read, &half, &write}) {
    CHECK(u->data.calls == 1);
    CHECK(u->data.error);
  }
}

CONTRACT("the host goes: what the controller fetches ends once, and it is told once") {
  for (bool clean : {true, false}) {
    rig r(p);
    under_way u(r, op_write);
    guarded one(size), two(size);
    watch first_fetch, second_fetch;
    REQUIRE_FALSE(r.receive(u.there, 0, one.mem(), 100, first_fetch));
    REQUIRE(r.until([&] { return first_fetch.done(); }));
    const std::size_t told = r.told(100, size, false);
    r.host.queue.close(clean);
    CHECK(u.data.ended(told, errc::aborted));
    const auto refused = r.receive(u.there, 100, two.mem(), 10'000, second_fetch);
    REQUIRE(r.until([&] { return !r.controller.errors.empty(); }));
    if (clean) CHECK_FALSE(r.controller.errors.front().code);
    r.controller.queue.close();
    r.spin();
    CHECK(r.controller.errors.size() == 1);
    CHECK(first_fetch.ended(100, {}));
    CHECK(second_fetch.calls == (refused ? 0 : 1));
    if (!refused) CHECK(second_fetch.error);
  }
}

CONTRACT("closing here ends everything before close returns, and no error is told") {
  rig r(p);
  under_way read(r, op_read), half(r, op_read), write(r, op_write);
  CHECK(r.give(half.there, 0, first(half.content, 8000)).result == send_result::more);
  r.settle();
  guarded there(size);
  watch fetched;
  REQUIRE_FALSE(r.receive(write.there, 0, there.mem(), size, fetched));
  r.controller.queue.close();
  CHECK(fetched.ended(fetched.bytes, errc::aborted));
  const std::size_t told = r.told(8000, size, false);
  r.host.queue.close();
  CHECK(read.data.ended(0, errc::aborted));
  CHECK(half.data.ended(told, errc::aborted));
  CHECK(write.data.calls == 1);
  r.host.queue.close();  // again is harmless
  r.spin();
  CHECK(read.data.calls == 1);
  CHECK(fetched.calls == 1);
  CHECK(r.host.errors.empty());
  CHECK(r.controller.errors.empty());
}

CONTRACT("never transmitted: aborted by hand, let go of, or the qpair closed") {
  rig r(p);
  guarded memory(64);
  watch by_hand, let_go, closed, withdrawn;
  capsule a = r.prepare(op_read, memory.mem(), 64, by_hand);
  {
    const in_call guard;
    r.host.queue.abort_data(a, errc::timed_out);
  }
  REQUIRE(r.until([&] { return by_hand.done(); }));
  CHECK(by_hand.ended(0, errc::timed_out));
  a.reset();

  capsule b = r.prepare(op_write, memory.mem(), 64, let_go);
  {
    const in_call guard;
    b.reset();
  }
  REQUIRE(r.until([&] { return let_go.done(); }));
  CHECK(let_go.ended(0, errc::aborted));

  capsule c = r.prepare(op_read, memory.mem(), 64, withdrawn);
  {
    const in_call guard;
    CHECK_FALSE(r.host.queue.withdraw_data(c, errc::timed_out));
  }
  REQUIRE(r.until([&] { return withdrawn.done(); }));
  CHECK(withdrawn.ended(0, errc::timed_out));

  capsule d = r.prepare(op_read, memory.mem(), 64, closed);
  r.host.queue.close();
  CHECK(closed.ended(0, errc::aborted));
  r.spin();
  for (const watch* w : {&by_hand, &let_go, &closed, &withdrawn}) CHECK(w->calls == 1);
  CHECK(memory.untouched());
}

CONTRACT("withdrawn: the memory is the caller's at once, late data is dropped, the CID stays") {
  rig r(p);
  under_way u(r, op_read);
  CHECK(r.give(u.there, 0, first(u.content, 8000)).result == send_result::more);
  r.settle();
  std::error_code answer;
  {
    const in_call guard;
    answer = r.host.queue.withdraw_data(u.here, errc::timed_out);
  }
  if (answer == errc::not_supported) {
    CHECK(r.host.queue.caps().keyed_sgl);
  } else {
    REQUIRE_FALSE(answer);
    u.memory.seal();
    REQUIRE(r.until([&] { return u.data.done(); }));
    CHECK(u.data.ended(8000, errc::timed_out));
  }
  CHECK(r.give(u.there, 8000, std::span{u.content}.subspan(8000)).result == send_result::success);
  r.settle();
  r.respond(u.there.cid());
  capsule back = r.response();
  CHECK(back.cid() == u.here.cid());
  if (!answer) CHECK(u.memory.untouched());
  CHECK(u.data.calls == 1);
  CHECK(r.host.errors.empty());
}

CONTRACT("calls on a lost connection fail and do not lose a callback") {
  rig r(p);
  under_way u(r, op_write);
  r.controller.queue.close();
  REQUIRE(r.until([&] { return !r.host.errors.empty(); }));
  guarded memory(64);
  watch data;
  capsule c = r.prepare(op_read, memory.mem(), 64, data);
  CHECK(r.host.queue.transmit(c));
  c.reset();
  REQUIRE(r.until([&] { return data.done(); }));
  CHECK(data.ended(0, errc::aborted));
}

CONTRACT("receive_controller_data that is refused never calls back") {
  rig r(p);
  under_way u(r, op_write);
  guarded memory(size);
  watch w;
  const memdesc read_only = memdesc::of(std::span<const std::byte>(memory.bytes()));
  CHECK(r.receive(u.there, 0, memory.mem(), size + 1, w) == errc::out_of_range);
  CHECK(r.receive(u.there, size, memory.mem(), 1, w) == errc::out_of_range);
  CHECK(r.receive(u.there, 0xffff'ffff, memory.mem(), 2, w) == errc::out_of_range);
  CHECK(r.receive(u.there, 1, memory.mem().window(0, 10), 11, w) == errc::out_of_range);
  CHECK(r.receive(u.there, 0, memory.mem(), 0, w) == errc::invalid_argument);
  CHECK(r.receive(u.there, 0, read_only, 10, w) == errc::invalid_argument);
  r.respond(u.there.cid());
  r.response();
  r.settle();
  CHECK(w.calls == 0);
  CHECK(memory.untouched());
}
