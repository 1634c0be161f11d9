// SPDX-License-Identifier: BSD-2-Clause
// Qpairs that stand still, move one action at a time, and stop by themselves, over every transport.
#include <set>

#include "rig.hpp"

using namespace nvmf;
using namespace nvmf::test;

namespace {

constexpr std::size_t size = 20'000;

// What became of steps and break points.
struct reports {
  std::vector<pause_report> got;
  pause_callback hook() {
    return [this](const pause_report& r) {
      CHECK(in_call::depth == 0);
      got.push_back(r);
    };
  }
};

std::error_code pause(qpair& q) {
  const in_call guard;
  return q.pause();
}
std::error_code resume(qpair& q) {
  const in_call guard;
  return q.resume();
}

// One step, and what it did.
qpair_action step(rig& r, qpair& q, action_kind which = action_kind::nothing) {
  reports told;
  {
    const in_call guard;
    REQUIRE_FALSE(q.step(told.hook(), which));
  }
  REQUIRE(r.until([&] { return !told.got.empty(); }));
  r.spin();
  REQUIRE(told.got.size() == 1);
  CHECK(told.got[0].cause == pause_cause::stepped);
  CHECK(q.paused());
  return told.got[0].done;
}

// The peer's message is there.
void arrive(rig& r, qpair& q) {
  REQUIRE(r.until([&] { return q.next_action().kind == action_kind::receive; }));
}

std::set<std::uint16_t> cids(const std::deque<capsule>& of) {
  std::set<std::uint16_t> out;
  for (const capsule& c : of) out.insert(c.cid());
  return out;
}

}  // namespace

CONTRACT("pause: nothing leaves, and then all of it does in its order") {
  rig r(p);
  REQUIRE_FALSE(pause(r.host.queue));
  CHECK(r.host.queue.paused());
  CHECK_FALSE(pause(r.host.queue));
  std::vector<capsule> sent;
  for (int i = 0; i < 3; ++i) sent.push_back(r.send(op_none));
  r.spin();
  CHECK(r.controller.got.empty());
  CHECK(r.host.queue.inside().to_send.size() == 3);
  REQUIRE_FALSE(resume(r.host.queue));
  CHECK_FALSE(r.host.queue.paused());
  REQUIRE(r.until([&] { return r.controller.got.size() == 3; }));
  CHECK(r.host.queue.inside().to_send.empty());
  for (std::size_t i = 0; p.ordered && i < 3; ++i)
    CHECK(r.controller.got[i].cid() == sent[i].cid());
}

CONTRACT("pause: nothing is taken, and the program hears of nothing") {
  rig r(p);
  REQUIRE_FALSE(pause(r.controller.queue));
  capsule c = r.send(op_none);
  arrive(r, r.controller.queue);
  r.spin();
  CHECK(r.controller.got.empty());
  const qpair_action next = r.controller.queue.next_action();
  CHECK(next.unit == outgoing_kind::command);
  CHECK(next.cid == c.cid());
  REQUIRE_FALSE(resume(r.controller.queue));
  CHECK(r.command().cid() == c.cid());
}

CONTRACT("step: one unit leaves, one is taken, and what does so is told before") {
  rig r(p);
  qpair& host = r.host.queue;
  CHECK(host.step() == errc::invalid_argument);
  REQUIRE_FALSE(pause(host));
  capsule first = r.send(op_none), second = r.send(op_none);
  for (const capsule* c : {&first, &second}) {
    CHECK(host.next_action().kind == action_kind::send);
    CHECK(host.next_action().unit == outgoing_kind::command);
    CHECK(host.next_action().cid == c->cid());
    const qpair_action done = step(r, host);
    CHECK(done.kind == action_kind::send);
    CHECK(done.unit == outgoing_kind::command);
    CHECK(done.cid == c->cid());
    r.respond(r.command().cid());
    CHECK(r.controller.got.empty());
  }
  for (std::size_t i = 1; i <= 2; ++i) {
    arrive(r, host);
    CHECK(host.next_action().unit == outgoing_kind::response);
    CHECK(r.host.got.size() == i - 1);
    const qpair_action done = step(r, host);
    CHECK(done.kind == action_kind::receive);
    CHECK(done.unit == outgoing_kind::response);
    REQUIRE(r.host.got.size() == i);
    CHECK(done.cid == r.host.got.back().cid());
  }
  CHECK(host.next_action().kind == action_kind::nothing);
  CHECK(cids(r.host.got) == std::set<std::uint16_t>{first.cid(), second.cid()});
}

CONTRACT("step: with nothing to do it waits for the first that there is") {
  rig r(p);
  qpair& host = r.host.queue;
  capsule c = r.send(op_none);
  const std::uint16_t cid = r.command().cid();
  REQUIRE_FALSE(pause(host));
  reports told;
  REQUIRE_FALSE(host.step(told.hook()));
  CHECK(host.step(told.hook()) == errc::busy);
  r.spin();
  CHECK(told.got.empty());
  r.respond(cid);
  REQUIRE(r.until([&] { return !told.got.empty(); }));
  CHECK(told.got[0].done.unit == outgoing_kind::response);
  CHECK(r.host.got.size() == 1);

  // A call that sends something is as good.
  REQUIRE_FALSE(host.step(told.hook()));
  capsule other = r.send(op_none);
  REQUIRE(r.until([&] { return told.got.size() == 2; }));
  CHECK(told.got[1].done.kind == action_kind::send);
  CHECK(r.command().cid() == other.cid());

  // One that is called off says so.
  REQUIRE_FALSE(host.step(told.hook()));
  REQUIRE_FALSE(pause(host));
  REQUIRE(r.until([&] { return told.got.size() == 3; }));
  CHECK(told.got[2].cause == pause_cause::asked);
  CHECK(told.got[2].done.kind == action_kind::nothing);
}

CONTRACT("step: the one who steps may choose between sending and receiving") {
  rig r(p);
  qpair& host = r.host.queue;
  capsule c = r.send(op_none);
  r.respond(r.command().cid());
  REQUIRE_FALSE(pause(host));
  capsule waits = r.send(op_none);
  CHECK(host.next_action().kind == action_kind::send);
  CHECK(host.step({}, action_kind::end) == errc::invalid_argument);
  const qpair_action done = step(r, host, action_kind::receive);
  CHECK(done.unit == outgoing_kind::response);
  CHECK(r.host.got.size() == 1);
  CHECK(r.controller.got.empty());
}

CONTRACT("pause: in a callback, which is the last") {
  rig r(p);
  std::vector<capsule> got;
  r.controller.on_receive = [&](capsule c) {
    got.push_back(std::move(c));
    CHECK_FALSE(r.controller.queue.pause());
  };
  std::vector<capsule> sent;
  for (int i = 0; i < 3; ++i) sent.push_back(r.send(op_none));
  for (std::size_t i = 1; i <= 3; ++i) {
    REQUIRE(r.until([&] { return got.size() == i; }));
    r.spin();
    CHECK(got.size() == i);
    CHECK(r.controller.queue.paused());
    REQUIRE_FALSE(resume(r.controller.queue));
  }
}

CONTRACT("pause: a callback that a call has caused is owed, and a step of its own") {
  rig r(p);
  guarded memory(size);
  watch one, two;
  capsule first = r.prepare(op_read, memory.mem(), 100, one);
  capsule second = r.prepare(op_read, memory.mem(), 100, two);
  REQUIRE_FALSE(pause(r.host.queue));
  {
    const in_call guard;
    r.host.queue.abort_data(first, errc::aborted);
    r.host.queue.abort_data(second, errc::aborted);
  }
  r.spin();
  CHECK_FALSE(one.done());
  CHECK(r.host.queue.next_action().kind == action_kind::call_back);
  CHECK(r.host.queue.step({}, action_kind::send) == errc::busy);
  CHECK(step(r, r.host.queue).kind == action_kind::call_back);
  CHECK(one.ended(0, errc::aborted));
  CHECK_FALSE(two.done());
  REQUIRE_FALSE(resume(r.host.queue));
  r.spin();
  CHECK(two.ended(0, errc::aborted));
}

CONTRACT("step: a read whose data and response are taken one by one") {
  rig r(p);
  guarded memory(size);
  const auto content = pattern(size);
  watch data;
  capsule c = r.send(op_read, memory.mem(), size, data);
  capsule there = r.command();
  REQUIRE_FALSE(pause(r.host.queue));
  r.give(there, 0, content);
  r.respond(there.cid());
  while (r.host.got.empty()) {
    arrive(r, r.host.queue);
    const qpair_action done = step(r, r.host.queue);
    CHECK(done.cid == c.cid());
    if (done.unit == outgoing_kind::response) break;
    CHECK(done.unit == outgoing_kind::controller_data);
  }
  CHECK(data.ended(size, {}));
  CHECK(memory.holds(content));
  CHECK(r.host.got.size() == 1);
}

CONTRACT("step: a write whose data leaves piece by piece") {
  rig r(p);
  guarded to(size);
  auto content = pattern(size);
  watch data, fetched;
  capsule c = r.send(op_write, memdesc::of(std::span{content}), size, data);
  capsule there = r.command();
  REQUIRE_FALSE(pause(r.host.queue));
  REQUIRE_FALSE(r.receive(there, 0, to.mem(), size, fetched));
  if (r.host.queue.caps().keyed_sgl) return;  // its controller needs no host for that
  arrive(r, r.host.queue);
  CHECK(step(r, r.host.queue).unit == outgoing_kind::request);
  while (!fetched.done()) {
    if (r.host.queue.next_action().kind != action_kind::send) {
      REQUIRE(data.done());
      break;
    }
    CHECK_FALSE(data.done());
    const qpair_action done = step(r, r.host.queue);
    CHECK(done.unit == outgoing_kind::host_data);
    CHECK(done.cid == c.cid());
  }
  REQUIRE(r.until([&] { return fetched.done(); }));
  CHECK(data.ended(size, {}));
  CHECK(fetched.ended(size, {}));
  CHECK(to.holds(content));
}

CONTRACT("break point: after the action, before the next, each time") {
  rig r(p);
  reports told;
  int asked = 0;
  REQUIRE_FALSE(r.controller.queue.break_when(
      [&](const event& e) noexcept {
        ++asked;
        return e.type == event_type::command_in;
      },
      told.hook()));
  std::vector<capsule> sent;
  for (int i = 0; i < 3; ++i) sent.push_back(r.send(op_none));
  for (std::size_t i = 1; i <= 2; ++i) {
    REQUIRE(r.until([&] { return told.got.size() == i; }));
    r.spin();
    CHECK(r.controller.got.size() == i);
    CHECK(r.controller.queue.paused());
    CHECK(told.got.back().cause == pause_cause::break_point);
    CHECK(told.got.back().event == event_type::command_in);
    CHECK(told.got.back().done.kind == action_kind::receive);
    CHECK(told.got.back().done.cid == r.controller.got.back().cid());
    if (i == 1) REQUIRE_FALSE(resume(r.controller.queue));
  }
  const int until_now = asked;
  REQUIRE_FALSE(r.controller.queue.break_when({}));
  REQUIRE_FALSE(resume(r.controller.queue));
  REQUIRE(r.until([&] { return r.controller.got.size() == 3; }));
  r.spin();
  CHECK(asked == until_now);
  CHECK(told.got.size() == 2);
}

CONTRACT("break point: what a call does pauses at once, and it has not left") {
  rig r(p);
  reports told;
  REQUIRE_FALSE(r.host.queue.break_when(
      [](const event& e) noexcept { return e.type == event_type::command_out; }, told.hook()));
  capsule c = r.send(op_none);
  CHECK(r.host.queue.paused());
  CHECK(told.got.empty());
  r.spin();
  REQUIRE(told.got.size() == 1);
  CHECK(told.got[0].done.kind == action_kind::nothing);
  CHECK(r.controller.got.empty());
  step(r, r.host.queue);
  CHECK(r.command().cid() == c.cid());
}

CONTRACT("pause: closing completes everything, and touches nothing afterwards") {
  for (const bool clean : {true, false}) {
    CAPTURE(clean);
    rig r(p);
    guarded memory(size);
    const auto content = pattern(size);
    watch out, queued, owed;
    reports told;
    capsule c = r.send(op_read, memory.mem(), size, out);
    capsule there = r.command();
    REQUIRE_FALSE(pause(r.host.queue));
    r.give(there, 0, content);
    r.respond(there.cid());
    arrive(r, r.host.queue);
    auto data = pattern(100);
    capsule waits = r.send(op_write, memdesc::of(std::span{data}), data.size(), queued);
    capsule never = r.prepare(op_read, memory.mem(), 100, owed);
    r.host.queue.abort_data(never, errc::aborted);
    REQUIRE_FALSE(r.host.queue.step(told.hook()));
    r.host.queue.close(clean);
    CHECK(out.ended(0, errc::aborted));
    CHECK(queued.done());
    CHECK(owed.ended(0, errc::aborted));
    memory.seal();
    r.spin();
    CHECK(memory.untouched());
    CHECK(told.got.size() == 1);
    CHECK(r.host.got.empty());
    CHECK(r.host.errors.empty());
  }
}

CONTRACT("pause: the end of the connection is an action as well") {
  rig r(p);
  watch data;
  guarded memory(size);
  capsule c = r.send(op_read, memory.mem(), size, data);
  r.command();
  REQUIRE_FALSE(pause(r.host.queue));
  r.controller.queue.close();
  REQUIRE(r.until([&] { return r.host.queue.next_action().kind == action_kind::end; }));
  r.spin();
  CHECK(r.host.errors.empty());
  CHECK_FALSE(data.done());
  CHECK(step(r, r.host.queue).kind == action_kind::end);
  REQUIRE(r.host.errors.size() == 1);
  CHECK_FALSE(r.host.errors[0].code);
  r.host.queue.close();
  CHECK(data.done());
}

CONTRACT("inside: commands, what they await, and what waits to leave") {
  rig r(p);
  guarded memory(size);
  watch data;
  REQUIRE_FALSE(pause(r.host.queue));
  capsule c = r.send(op_read, memory.mem(), size, data);
  qpair_inside in = r.host.queue.inside();
  CHECK(in.id == r.host.queue.id());
  CHECK(in.side == role::host);
  CHECK(in.qid == 1);
  CHECK(in.queue_size == 32);
  CHECK(in.paused);
  CHECK(in.capsules_held == 1);
  CHECK(in.next.kind == action_kind::send);
  REQUIRE(in.commands.size() == 1);
  CHECK(in.commands[0].cid == c.cid());
  CHECK(in.commands[0].opcode == op_read);
  CHECK(in.commands[0].way == direction::receive);
  CHECK(in.commands[0].length == size);
  CHECK(in.commands[0].moved == 0);
  CHECK(in.commands[0].age.has_value());
  REQUIRE(in.to_send.size() == 1);
  CHECK(in.to_send[0].kind == outgoing_kind::command);
  REQUIRE_FALSE(resume(r.host.queue));
  capsule there = r.command();
  in = r.host.queue.inside();
  CHECK_FALSE(in.paused);
  CHECK(in.to_send.empty());
  REQUIRE(in.commands.size() == 1);
  CHECK(in.commands[0].awaits == "data");
  in = r.controller.queue.inside();
  REQUIRE(in.commands.size() == 1);
  CHECK(in.commands[0].cid == c.cid());
  CHECK(in.commands[0].way == direction::receive);
  CHECK(in.commands[0].length == size);
  CHECK(in.commands[0].awaits == "an answer of the program");
  CHECK(in.capsules_held == 1);
}

CONTRACT("inside: which Fabrics command it is") {
  rig r(p);
  sqe_bytes sqe{};
  sqe[0] = std::byte{0x7f};  // Fabrics
  sqe[4] = std::byte{0x04};  // Property Get
  auto c = r.host.queue.allocate_command(sqe);
  REQUIRE(c);
  REQUIRE_FALSE(r.host.queue.transmit(*c));
  const capsule there = r.command();
  for (const side* s : {&r.host, &r.controller}) {
    const qpair_inside in = s->queue.inside();
    REQUIRE(in.commands.size() == 1);
    CHECK(in.commands[0].opcode == 0x7f);
    CHECK(in.commands[0].fctype == 0x04);
    CHECK(in.commands[0].way == direction::none);
  }
}

CONTRACT("pause: before the start nothing runs until it is resumed") {
  rig r(p, {.start_host = false});
  qpair& host = r.host.queue;
  REQUIRE_FALSE(pause(host));
  host.start(r.host.callbacks());
  capsule c = r.send(op_none);
  r.spin();
  CHECK(r.controller.got.empty());
  CHECK(step(r, host).kind == action_kind::send);
  r.respond(r.command().cid());
  arrive(r, host);
  CHECK(r.host.got.empty());
  REQUIRE_FALSE(resume(host));
  CHECK(r.response().cid() == c.cid());
}
