// SPDX-License-Identifier: BSD-2-Clause
// send_controller_data: its four answers, its ranges, its buffers. Items 13 to 15.
#include "rig.hpp"

using namespace nvmf;
using namespace nvmf::test;

namespace {

// Counts the buffers that have been given back.
struct counted {
  int released = 0;
  buffer make(std::span<const std::byte> bytes) {
    return {
        bytes,
        [](void* c, std::span<const std::byte>) noexcept { ++static_cast<counted*>(c)->released; },
        this};
  }
};

}  // namespace

CONTRACT("in one call, in many, to the last byte") {
  rig r(p);
  constexpr std::uint32_t total = 40'000;
  auto content = pattern(total);
  for (const std::uint32_t step : {total, 10'000u, 4096u, 999u}) {
    CAPTURE(step);
    guarded here(total);
    watch data;
    counted count;
    int calls = 0;
    capsule c = r.send(op_read, here.mem(), total, data);
    capsule at = r.command();
    for (std::uint32_t from = 0; from < total; from += step) {
      const std::uint32_t n = std::min(step, total - from);
      const in_call guard;
      const auto answer = r.controller.queue.send_controller_data(
          at, from, count.make(std::span{content}.subspan(from, n)));
      ++calls;
      CHECK(answer.result == (from + n == total ? send_result::success : send_result::more));
    }
    r.respond(at.cid());
    capsule back = r.response();
    CHECK(back.sqhd_valid());
    REQUIRE(r.until([&] { return data.done() && count.released == calls; }));
    CHECK(data.ended(total, {}));
    CHECK(here.holds(content));
    CHECK(here.zones_intact());
  }
}

CONTRACT("the response never comes before its data, even if transmitted in the same breath") {
  rig r(p, {.queue_size = 64});
  constexpr std::uint32_t total = 9000;
  auto content = pattern(total);
  struct one {
    guarded memory{total};
    watch data;
    capsule c;
    bool responded = false;
  };
  std::deque<one> all(50);
  int answered = 0;
  r.host.on_receive = [&](const capsule& back) {
    for (one& o : all)
      if (o.c.cid() == back.cid()) {
        CHECK(o.memory.holds(content));
        CHECK_FALSE(o.responded);
        o.responded = true;
      }
    ++answered;
  };
  r.controller.on_receive = [&](const capsule& at) {
    CHECK(r.give(at, 0, std::span{content}.first(5000)).result == send_result::more);
    CHECK(r.give(at, 5000, std::span{content}.subspan(5000)).result == send_result::success);
    r.respond(at.cid());
  };
  for (one& o : all) o.c = r.send(op_read, o.memory.mem(), total, o.data);
  REQUIRE(r.until([&] { return answered == 50; }));
  r.spin();
  for (one& o : all) CHECK(o.data.ended(total, {}));
}

CONTRACT("ranges that are refused: the buffer is given back, nothing is sent") {
  rig r(p);
  constexpr std::uint32_t total = 10'000;
  auto content = pattern(total + 8);
  guarded here(total);
  watch data;
  counted count;
  int calls = 0;
  capsule c = r.send(op_read, here.mem(), total, data);
  capsule at = r.command();
  const auto refused = [&](std::uint32_t offset, std::size_t n) {
    const in_call guard;
    const auto answer = r.controller.queue.send_controller_data(
        at, offset, count.make(std::span{content}.first(n)));
    CHECK(answer.result == send_result::failed);
    CHECK_FALSE(answer.status.ok());
    CHECK(count.released == ++calls);
  };
  refused(0, total + 1);
  refused(total, 1);
  refused(total + 1, 1);
  refused(0xffff'fff0, 32);
  refused(0, 0);
  refused(1, 100);  // a gap
  CHECK(r.give(at, 0, std::span{content}.first(4000)).result == send_result::more);
  refused(0, 100);     // again
  refused(3999, 100);  // overlaps
  refused(4001, 100);  // a gap
  CHECK(r.give(at, 4000, std::span{content}.subspan(4000, total - 4000)).result ==
        send_result::success);
  refused(0, 1);  // all has been sent
  r.respond(at.cid());
  r.response();
  REQUIRE(r.until([&] { return data.done(); }));
  CHECK(data.ended(total, {}));
  CHECK(here.holds(std::span{content}.first(total)));
}

CONTRACT("a command whose data came in the capsule, or that has none, takes no data") {
  rig r(p);
  auto content = pattern(512);
  watch data;
  counted count;
  capsule none = r.send(op_none);
  capsule at = r.command();
  CHECK(r.controller.queue.send_controller_data(at, 0, count.make(content)).result ==
        send_result::failed);
  r.respond(at.cid());
  r.response();
  capsule c = r.send(op_write, memdesc::of(std::span{content}), 512, data);
  at = r.command();
  if (!r.controller.queue.in_capsule_data(at).empty())
    CHECK(r.controller.queue.send_controller_data(at, 0, count.make(content)).result ==
          send_result::failed);
  else
    count.released++;
  CHECK(count.released == 2);
  r.respond(at.cid());
  r.response();
}

CONTRACT("success_sent exactly without flow control, on the last data, and then no response") {
  for (const bool flow : {true, false}) {
    CAPTURE(flow);
    rig r(p, {.sq_flow_control = flow});
    const bool made_up = !flow && !r.controller.queue.caps().always_needs_response;
    constexpr std::uint32_t total = 12'000;
    auto content = pattern(total);
    guarded here(total), other(total);
    watch data, failed;
    // The Connect response has settled SQHD before.
    capsule connect = r.send(op_none);
    r.respond(r.command().cid());
    r.response();

    capsule c = r.send(op_read, here.mem(), total, data);
    capsule at = r.command();
    CHECK(r.give(at, 0, std::span{content}.first(7000)).result == send_result::more);
    CHECK(r.give(at, 7000, std::span{content}.subspan(7000)).result ==
          (made_up ? send_result::success_sent : send_result::success));
    if (!made_up) r.respond(at.cid());
    capsule back = r.response();
    CHECK(back.cid() == c.cid());
    CHECK(status_of(back) == 0);
    CHECK(back.sqhd_valid() == !made_up);
    REQUIRE(r.until([&] { return data.done(); }));
    CHECK(data.ended(total, {}));
    CHECK(here.holds(content));
    r.settle();
    CHECK(r.host.got.empty());

    // `last` before the end is as good; an error still needs its response.
    c = {};
    back.reset();
    watch brief;
    guarded little(total);
    capsule d = r.send(op_read, little.mem(), total, brief);
    at = r.command();
    CHECK(r.give(at, 0, std::span{content}.first(100), true).result ==
          (made_up ? send_result::success_sent : send_result::success));
    if (!made_up) r.respond(at.cid());
    r.response();
    REQUIRE(r.until([&] { return brief.done(); }));
    CHECK(brief.ended(r.told(100, total, true), {}));

    capsule e = r.send(op_read, other.mem(), total, failed);
    at = r.command();
    CHECK(r.give(at, 0, std::span{content}.first(7000)).result == send_result::more);
    r.respond(at.cid(), 0x281);
    back = r.response();
    CHECK(status_of(back) == 0x281);
    CHECK(back.sqhd_valid());
    REQUIRE(r.until([&] { return failed.done(); }));
    CHECK(failed.ended(r.told(7000, total, false), {}));
  }
}

CONTRACT("many at once with answers out of order: each gets its own data") {
  rig r(p, {.queue_size = 32, .sq_flow_control = false});
  constexpr std::uint32_t total = 5000;
  struct one {
    guarded memory{total};
    watch data;
    capsule c;
  };
  std::deque<one> all(31);
  for (one& o : all) o.c = r.send(op_read, o.memory.mem(), total, o.data);
  REQUIRE(r.until([&] { return r.controller.got.size() == all.size(); }));
  std::vector<capsule> commands;
  while (!r.controller.got.empty()) commands.push_back(r.controller.take());
  // Halves of all, last command first, then the other halves.
  for (std::uint32_t from : {0u, 2500u})
    for (std::size_t i = commands.size(); i > 0; --i) {
      const capsule& at = commands[i - 1];
      const auto content = pattern(total, at.cid());
      if (r.give(at, from, std::span{content}.subspan(from, 2500)).result == send_result::success)
        r.respond(at.cid());
    }
  REQUIRE(r.until([&] {
    return r.host.got.size() == all.size() &&
           std::ranges::all_of(all, [](const one& o) { return o.data.done(); });
  }));
  for (one& o : all) {
    CHECK(o.data.ended(total, {}));
    CHECK(o.memory.holds(pattern(total, o.c.cid())));
    CHECK(o.memory.zones_intact());
  }
}

CONTRACT("buffers on their way when either end goes are given back once") {
  for (const bool host_goes : {true, false}) {
    for (const bool clean : {true, false}) {
      CAPTURE(host_goes);
      CAPTURE(clean);
      constexpr std::uint32_t total = 200'000;
      auto content = pattern(total);
      counted count;
      {
        rig r(p);
        guarded here(total);
        watch data;
        capsule c = r.send(op_read, here.mem(), total, data);
        capsule at = r.command();
        for (std::uint32_t from = 0; from < total; from += 50'000) {
          const in_call guard;
          r.controller.queue.send_controller_data(
              at, from, count.make(std::span{content}.subspan(from, 50'000)));
        }
        (host_goes ? r.host : r.controller).queue.close(clean);
        here.seal();
        if (host_goes) CHECK(data.calls == 1);
        r.spin();
        if (host_goes) CHECK(here.untouched());
        r.end();
        REQUIRE(r.until([&] { return count.released == 4; }));
      }
      CHECK(count.released == 4);
    }
  }
}
