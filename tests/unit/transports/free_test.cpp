// SPDX-License-Identifier: BSD-2-Clause
// Freeing a qpair: from inside every callback, with much in flight, with capsules left over, ten
// thousand times. Items 7 and 18.
#include "rig.hpp"
#include "support/resources.hpp"

using namespace nvmf;
using namespace nvmf::test;

namespace {

enum class where { receive, data, error };

const char* name(where w) {
  return w == where::receive ? "on_receive" : w == where::data ? "a data callback" : "on_error";
}

}  // namespace

CONTRACT("a host may free its qpair in any of its callbacks; the rest ends right after") {
  for (const where w : {where::receive, where::data, where::error}) {
    CAPTURE(name(w));
    rig r(p);
    guarded memory(9000), rest(9000);
    watch data, other;
    capsule a = r.send(op_read, memory.mem(), 9000, data);
    capsule b = r.send(op_read, rest.mem(), 9000, other);
    capsule at_a = r.command(), at_b = r.command();
    if (at_a.cid() != a.cid()) std::swap(at_a, at_b);
    bool freed = false;
    const auto free_here = [&] {
      const int before = other.calls;
      r.host.queue = {};
      CHECK(other.calls == before);  // not within the call: we are in a callback
      freed = true;
    };
    if (w == where::receive) r.host.on_receive = [&](const capsule&) { free_here(); };
    if (w == where::data) data.then = free_here;
    if (w == where::error) r.host.on_error = [&](const qpair_error&) { free_here(); };
    CHECK(r.give(at_a, 0, pattern(9000)).result == send_result::success);
    r.respond(at_a.cid());
    r.respond(at_b.cid());
    if (w == where::error) r.controller.queue.close();
    REQUIRE(r.until([&] { return freed && data.done() && other.done(); }));
    r.spin();
    CHECK(data.calls == 1);
    CHECK(other.calls == 1);
    CHECK(r.host.errors.size() == (w == where::error ? 1 : 0));
    // What was held by handles is freed with them.
    a.reset();
    b.reset();
  }
}

CONTRACT("a controller may free its qpair in any of its callbacks; the rest ends right after") {
  for (const where w : {where::receive, where::data, where::error}) {
    CAPTURE(name(w));
    rig r(p);
    constexpr std::uint32_t size = 9000;
    auto content = pattern(size);
    guarded there(size), rest(size);
    watch sent, sent_too, got, other;
    capsule a = r.send(op_write, memdesc::of(std::span{content}), size, sent);
    capsule b = r.send(op_write, memdesc::of(std::span{content}), size, sent_too);
    capsule at_a = r.command(), at_b = r.command();
    bool freed = false;
    const auto free_here = [&] {
      const int before = other.calls;
      r.controller.queue = {};
      CHECK(other.calls == before);
      freed = true;
    };
    if (w == where::receive) {
      r.controller.on_receive = [&](const capsule&) { free_here(); };
      r.send(op_none);
    }
    if (w == where::data) got.then = free_here;
    if (w == where::error) r.controller.on_error = [&](const qpair_error&) { free_here(); };
    CHECK_FALSE(r.receive(at_a, 0, there.mem(), size, got));
    CHECK_FALSE(r.receive(at_b, 0, rest.mem(), size, other));
    if (w == where::error) r.host.queue.close();
    REQUIRE(r.until([&] { return freed && got.done() && other.done(); }));
    there.seal();
    rest.seal();
    r.spin();
    CHECK(there.untouched());
    CHECK(rest.untouched());
    CHECK(got.calls == 1);
    CHECK(other.calls == 1);
    at_a.reset();
    at_b.reset();
  }
}

CONTRACT("a callback may free the other end too") {
  rig r(p);
  watch data;
  guarded memory(9000);
  capsule a = r.send(op_read, memory.mem(), 9000, data);
  r.controller.on_receive = [&](capsule c) {
    r.controller.got.push_back(std::move(c));
    if (&r.host.queue.runs_on() == &r.controller.queue.runs_on()) {
      r.host.queue = {};
      CHECK(data.calls == 1);  // the host is not in a callback: completed before close returned
    }
    r.controller.queue = {};
  };
  REQUIRE(r.until([&] { return !r.controller.queue; }));
  r.spin();
  r.host.queue = {};
  CHECK(data.calls == 1);
}

CONTRACT("a thousand reads in flight: all end before close returns, nobody writes afterwards") {
  rig r(p, {.queue_size = 1024});
  constexpr std::size_t count = 1000, size = 4096;
  guarded memory(count * size);
  std::deque<watch> watches;
  std::vector<capsule> handles;
  for (std::size_t i = 0; i < count; ++i)
    handles.push_back(
        r.send(op_read, memory.mem().window(i * size, size), size, watches.emplace_back()));
  REQUIRE(r.until([&] { return r.controller.got.size() == count; }));
  const auto content = pattern(size);
  std::vector<capsule> there;
  while (!r.controller.got.empty()) there.push_back(r.controller.take());
  for (std::size_t i = 0; i < count; ++i)
    CHECK(r.give(there[i], 0, std::span{content}.first(i % 2 == 0 ? size : size / 2)).result ==
          (i % 2 == 0 ? send_result::success : send_result::more));
  // A part of it is under way, a part has arrived.
  r.until([&] { return watches[10].done(); });
  r.host.queue.close();
  int aborted = 0;
  for (const watch& w : watches) {
    CHECK(w.calls == 1);
    aborted += w.error == errc::aborted;
    CHECK((w.error == errc::aborted || w.ended(size, {})));
  }
  CHECK(aborted >= 500);
  memory.seal();
  for (const capsule& c : there) r.give(c, size / 2, std::span{content}.first(size / 2));
  r.spin();
  CHECK(memory.untouched());
  for (const watch& w : watches) CHECK(w.calls == 1);
}

CONTRACT("a thousand fetches in flight: all end before close returns, nobody writes afterwards") {
  rig r(p, {.queue_size = 1024, .max_r2t = 4});
  constexpr std::size_t count = 1000, size = 8192;
  const auto content = pattern(size);
  guarded memory(count * size);
  std::deque<watch> sent, got;
  std::vector<capsule> handles;
  for (std::size_t i = 0; i < count; ++i)
    handles.push_back(r.send(op_write, memdesc::of(std::span{content}), size, sent.emplace_back()));
  REQUIRE(r.until([&] { return r.controller.got.size() == count; }));
  const auto fetch_half = [&](std::uint32_t part) {
    for (std::size_t i = 0; i < count; ++i) {
      const memdesc to = memory.mem().window(i * size + part * 4096, 4096);
      REQUIRE_FALSE(r.receive(r.controller.got[i], part * 4096, to, 4096, got.emplace_back()));
    }
  };
  fetch_half(0);
  r.until([&] { return got[10].done(); });
  // Some have ended, some are under way, some have only been asked for.
  fetch_half(1);
  r.controller.queue.close();
  int aborted = 0;
  for (const watch& w : got) {
    CHECK(w.calls == 1);
    aborted += w.error == errc::aborted;
  }
  CHECK(aborted >= 1000);
  memory.seal();
  r.spin();
  CHECK(memory.untouched());
  r.host.queue.close();
  for (const watch& w : sent) CHECK(w.calls == 1);
}

CONTRACT("a capsule may outlive its qpair, on either side") {
  capsule command, response, received, never;
  {
    rig r(p);
    watch data;
    guarded memory(100);
    command = r.send(op_write, memory.mem(), 100, data);
    received = r.command();
    r.respond(received.cid());
    response = r.response();
    never = r.prepare(op_none);
    auto made = r.controller.queue.allocate_response(cqe_bytes{});
    REQUIRE(made.has_value());
    r.host.queue = {};
    r.controller.queue = {};
    r.spin();
    CHECK(command.sqe()[0] == std::byte{op_write});
    CHECK(received.cid() == command.cid());
    CHECK(response.cid() == command.cid());
    CHECK(status_of(response) == 0);
    command.reset();
    received.reset();
    response.reset();
    CHECK(never.sqe()[0] == std::byte{op_none});
    never.reset();
  }
}

CONTRACT("connecting again and again: memory and descriptors stay as they are") {
  const std::size_t rounds = p.rounds;
  auto content = pattern(9000);
  guarded here(9000), there(9000);
  rig r(p);
  const auto once = [&] {
    r.reconnect();
    watch read, write, got;
    capsule a = r.send(op_read, here.mem(), 9000, read);
    capsule b = r.send(op_write, memdesc::of(std::span{content}), 9000, write);
    capsule at_a = r.command(), at_b = r.command();
    if (at_a.cid() != a.cid()) std::swap(at_a, at_b);
    r.give(at_a, 0, content);
    r.receive(at_b, 0, there.mem(), 9000, got);
    if (!r.until([&] { return (r.unseen() || read.done()) && got.done(); })) return false;
    r.respond(at_a.cid());
    capsule back = r.response();
    // The other command is left in the middle, handles go before and after their qpair.
    a.reset();
    r.host.got.clear();
    r.host.queue = {};
    r.controller.queue = {};
    return r.until([&] { return r.provider->qpairs() <= 2; });
  };
  for (int i = 0; i < 50; ++i) REQUIRE(once());
  const auto memory = heap_in_use();
  const auto descriptors = open_descriptors();
  for (std::size_t i = 0; i < rounds; ++i) REQUIRE(once());
  CHECK(open_descriptors() == descriptors);
  CHECK(heap_in_use() < memory + 100'000);
}
