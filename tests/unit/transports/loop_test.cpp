// SPDX-License-Identifier: BSD-2-Clause
// What only loop has: faults by a hook, lots from a seed, connects that go wrong on demand.
#include <map>

#include "rig.hpp"
#include "wire/layouts/entries.hpp"

using namespace nvmf;
using namespace nvmf::test;
using namespace std::chrono_literals;

namespace {

constexpr std::uint32_t size = 20'000;

// The n-th message of a kind (from 0) meets the fault; all others pass.
loop_hook at(loop_kind kind, int n, loop_fault fault, duration delay = {}) {
  return [=, seen = std::make_shared<int>(0)](loop_message& m) -> loop_fate {
    if (m.kind != kind || (*seen)++ != n) return {};
    return {fault, delay};
  };
}

profile with(loop_hook hook, loop_options options = {.data_chunk = 5000}) {
  options.on_message = std::move(hook);
  return loop_profile("loop", std::move(options), false);
}

}  // namespace

TEST_CASE("loop: a dropped capsule never arrives, and its data can be withdrawn") {
  const profile p = with(at(loop_kind::command, 0, loop_fault::drop));
  rig r(p);
  guarded memory(size);
  watch data;
  capsule lost = r.send(op_read, memory.mem(), size, data);
  capsule arrives = r.send(op_none);
  CHECK(r.command().cid() == arrives.cid());
  r.spin();
  CHECK(r.controller.got.empty());
  CHECK_FALSE(r.host.queue.withdraw_data(lost, errc::timed_out));
  r.spin();
  CHECK(data.ended(0, errc::timed_out));
  CHECK(memory.untouched());
}

TEST_CASE("loop: a command that arrives twice conflicts, and the first is not affected") {
  const profile p = with(at(loop_kind::command, 0, loop_fault::duplicate));
  rig r(p);
  const auto content = pattern(1000);
  watch sent, fetched;
  capsule c = r.send(op_write, memdesc::of(std::span{content}), 1000, sent);
  capsule first = r.command(), second = r.command();
  CHECK(first.cid() == second.cid());
  CHECK(r.controller.queue.validate_command(first).ok());
  CHECK(r.controller.queue.validate_command(second).raw_code() == 0x003);
  guarded there(1000);
  CHECK_FALSE(r.receive(first, 0, there.mem(), 1000, fetched));
  r.spin();
  CHECK(there.holds(content));
  r.respond(first.cid());
  first.reset();
  CHECK(r.response().cid() == c.cid());
  c.reset();
  // The CID is free for the host, but the second still awaits its response here.
  capsule again = r.send(op_none);
  CHECK(again.cid() == second.cid());
  CHECK(r.controller.queue.validate_command(r.command()).raw_code() == 0x003);
}

TEST_CASE("loop: a response to nothing ends the connection") {
  for (const bool twice : {true, false}) {
    const profile p = twice ? with(at(loop_kind::response, 0, loop_fault::duplicate))
                            : with([](loop_message& m) -> loop_fate {
                                if (m.kind == loop_kind::response)
                                  wire::set<wire::cqe_layout, "cid">(m.entry, 9);
                                return {};
                              });
    rig r(p);
    capsule c = r.send(op_none);
    r.respond(r.command().cid());
    r.spin();
    CHECK(r.host.got.size() == (twice ? 1 : 0));
    REQUIRE(r.host.errors.size() == 1);
    CHECK(r.host.errors[0].code == errc::protocol_violation);
    CHECK(r.host.errors[0].violation.structure == "capsule-resp");
    CHECK(r.host.errors[0].violation.value == (twice ? c.cid() : 9));
    REQUIRE(r.controller.errors.size() == 1);
    CHECK(r.controller.errors[0].code == errc::terminated);
    CHECK(r.controller.errors[0].violation.structure == "capsule-resp");
  }
}

TEST_CASE("loop: a missing piece of data is a sequence error, whichever way it goes") {
  {
    const profile p = with(at(loop_kind::data, 1, loop_fault::drop));
    rig r(p);
    guarded memory(size);
    watch data;
    capsule c = r.send(op_read, memory.mem(), size, data);
    r.give(r.command(), 0, pattern(size));
    r.spin();
    REQUIRE(r.host.errors.size() == 1);
    CHECK(r.host.errors[0].code == errc::protocol_violation);
    CHECK(r.host.errors[0].violation.structure == "c2h-data");
    CHECK(r.host.errors[0].violation.value == 10'000);
    CHECK(r.host.errors[0].violation.limit == 5000);
    CHECK(data.ended(5000, errc::protocol_violation));
  }
  const profile p = with(at(loop_kind::fetched, 1, loop_fault::drop));
  rig r(p);
  guarded memory(size);
  const auto content = pattern(size);
  watch sent, fetched;
  capsule c = r.send(op_write, memdesc::of(std::span{content}), size, sent);
  r.receive(r.command(), 0, memory.mem(), size, fetched);
  r.spin();
  REQUIRE(r.controller.errors.size() == 1);
  CHECK(r.controller.errors[0].violation.structure == "h2c-data");
  CHECK(fetched.ended(5000, errc::protocol_violation));
}

TEST_CASE("loop: a bad data digest fails that command alone") {
  SUBCASE("read: at that piece, later ones are dropped, the response still comes") {
    for (const bool flow : {true, false}) {
      const profile p = with(at(loop_kind::data, 1, loop_fault::corrupt));
      rig r(p, {.sq_flow_control = flow});
      guarded memory(size);
      watch data;
      capsule c = r.send(op_read, memory.mem(), size, data);
      capsule there = r.command();
      r.give(there, 0, pattern(size));
      if (flow) r.respond(there.cid());
      CHECK(r.response().cid() == c.cid());
      r.spin();
      CHECK(data.ended(5000, errc::data_digest));
      const auto content = pattern(size);
      CHECK(memory.holds(std::span{content}.first(5000)));
      CHECK(r.host.errors.empty());
      CHECK(r.controller.errors.empty());
    }
  }
  SUBCASE("fetched: at that piece, the rest of it is awaited, the next fetch is well") {
    const profile p = with(at(loop_kind::fetched, 1, loop_fault::corrupt));
    rig r(p);
    guarded memory(size / 2), rest(size / 2);
    const auto content = pattern(size);
    watch sent, first, second;
    capsule c = r.send(op_write, memdesc::of(std::span{content}), size, sent);
    capsule there = r.command();
    r.receive(there, 0, memory.mem(), size / 2, first);
    r.receive(there, size / 2, rest.mem(), size / 2, second);
    r.spin();
    CHECK(first.ended(5000, errc::data_digest));
    CHECK(second.ended(size / 2, {}));
    CHECK(rest.holds(std::span{content}.subspan(size / 2)));
    CHECK(sent.ended(size, {}));
    CHECK(r.controller.errors.empty());
  }
  SUBCASE("in the capsule: the command says so, and its data is not to be had") {
    const profile p = with(at(loop_kind::command, 0, loop_fault::corrupt));
    rig r(p);
    guarded memory(1000);
    const auto content = pattern(1000);
    watch sent, got;
    capsule c = r.send(op_write, memdesc::of(std::span{content}), 1000, sent);
    capsule there = r.command();
    CHECK(r.controller.queue.validate_command(there).raw_code() == 0x022);
    CHECK(r.controller.queue.in_capsule_data(there).empty());
    CHECK_FALSE(r.receive(there, 0, memory.mem(), 1000, got));
    r.spin();
    CHECK(got.ended(0, errc::data_digest));
    CHECK(memory.untouched());
    r.respond(there.cid(), 0x022);
    CHECK(status_of(r.response()) == 0x022);
  }
}

TEST_CASE("loop: a bad header digest ends the connection") {
  for (const loop_kind kind : {loop_kind::command, loop_kind::response, loop_kind::fetch}) {
    const profile p = with(at(kind, 0, loop_fault::corrupt), {});
    rig r(p);
    guarded memory(size);
    const auto content = pattern(size);
    watch sent, fetched;
    capsule c = r.send(op_write, memdesc::of(std::span{content}), size, sent);
    r.controller.on_receive = [&](const capsule& there) {
      r.receive(there, 0, memory.mem(), size, fetched);
      fetched.then = [&r, cid = there.cid(), &fetched] {
        if (!fetched.error) r.respond(cid);
      };
    };
    r.spin();
    side& finder = kind == loop_kind::command ? r.controller : r.host;
    side& other = kind == loop_kind::command ? r.host : r.controller;
    REQUIRE(finder.errors.size() == 1);
    CHECK(finder.errors[0].code == errc::protocol_violation);
    CHECK(finder.errors[0].violation.fes == 3);
    REQUIRE(other.errors.size() == 1);
    CHECK(other.errors[0].code == errc::terminated);
    CHECK(sent.calls == 1);
  }
}

TEST_CASE("loop: cut at every step of an exchange, each piece of data still ends once") {
  int steps = 0;
  for (const loop_fault fault : {loop_fault::close, loop_fault::reset}) {
    for (int n = 0;; ++n) {
      CAPTURE(n);
      int seen = 0;
      const profile p = with([&, n](loop_message&) -> loop_fate {
        return {seen++ == n ? fault : loop_fault::none, {}};
      });
      rig r(p);
      guarded here(size), there(size);
      const auto content = pattern(size);
      watch read, write, fetched;
      r.controller.on_receive = [&](const capsule& c) {
        const std::uint16_t cid = c.cid();
        if (c.sqe()[0] == std::byte{op_read}) {
          r.give(c, 0, content);
          return r.respond(cid);
        }
        fetched.then = [&, cid] {
          if (!fetched.error) r.respond(cid);
        };
        r.receive(c, 0, there.mem(), size, fetched);
      };
      capsule a = r.send(op_read, here.mem(), size, read);
      capsule b = r.send(op_write, memdesc::of(std::span{content}), size, write);
      r.spin();
      const bool cut = seen > n;
      CHECK(r.host.errors.size() == (cut ? 1 : 0));
      CHECK(r.controller.errors.size() == (cut ? 1 : 0));
      for (const side* s : {&r.host, &r.controller})
        for (const qpair_error& e : s->errors)
          CHECK(e.code ==
                (fault == loop_fault::close ? std::error_code{} : make_error_code(errc::reset)));
      r.end();
      CHECK(read.calls == 1);
      CHECK(write.calls == 1);
      CHECK(fetched.calls <= 1);
      if (!cut) {
        CHECK(r.host.got.empty());
        steps = n;
        break;
      }
    }
  }
  CHECK(steps == 2 + 1 + 4 + 4 + 2);  // commands, fetch, its pieces, pieces of data, responses
}

TEST_CASE("loop: a delay holds back what follows, unless it may be overtaken") {
  for (const bool reorder : {false, true}) {
    const profile p =
        with(at(loop_kind::command, 0, loop_fault::none, 500ms), {.reorder = reorder});
    rig r(p);
    const time_point start = r.host.queue.runs_on().now();
    capsule slow = r.send(op_none), quick = r.send(op_none);
    CHECK(r.command().cid() == (reorder ? quick : slow).cid());
    const time_point first = r.host.queue.runs_on().now();
    CHECK(first - start == (reorder ? 0ms : 500ms));
    CHECK(r.command().cid() == (reorder ? slow : quick).cid());
    CHECK(r.host.queue.runs_on().now() - start == 500ms);
  }
}

TEST_CASE("loop: closing cleanly lets what is held back leave, closing hard does not") {
  for (const bool clean : {true, false}) {
    const profile p = with(at(loop_kind::command, 0, loop_fault::none, 10s));
    rig r(p);
    r.send(op_none);
    r.host.queue.close(clean);
    REQUIRE(r.until([&] { return !r.controller.errors.empty(); }));
    CHECK(r.controller.got.size() == (clean ? 1 : 0));
    CHECK(r.controller.errors[0].code ==
          (clean ? std::error_code{} : make_error_code(errc::reset)));
  }
}

TEST_CASE("loop: the same seed brings the same order, another seed another") {
  const auto run = [](std::uint64_t seed) {
    loop_options o{.seed = seed, .jitter = 10ms, .reorder = true, .data_chunk = 700};
    const profile p = loop_profile("loop", o, true);
    rig r(p, {.queue_size = 64});
    std::vector<int> order;
    r.controller.on_receive = [&](const capsule& c) {
      order.push_back(c.cid());
      r.respond(c.cid());
    };
    r.host.on_receive = [&](const capsule& c) { order.push_back(100 + c.cid()); };
    std::vector<capsule> all;
    for (int i = 0; i < 40; ++i) all.push_back(r.send(op_none));
    r.spin();
    CHECK(order.size() == 80);
    return order;
  };
  CHECK(run(7) == run(7));
  CHECK(run(7) != run(8));
}

TEST_CASE("loop: shuffled callbacks come in both orders over time") {
  std::map<bool, int> data_first;
  const profile p = loop_profile("loop", {.seed = 3, .shuffle_callbacks = true}, false);
  rig r(p);
  for (int i = 0; i < 50; ++i) {
    guarded memory(100);
    watch data;
    bool responded = false;
    r.host.on_receive = [&](const capsule&) { responded = true; };
    data.then = [&] { ++data_first[!responded]; };
    capsule c = r.send(op_read, memory.mem(), 100, data);
    capsule there = r.command();
    CHECK(r.give(there, 0, pattern(100)).result == send_result::success);
    r.respond(there.cid());
    r.spin();
    CHECK(responded);
    CHECK(data.ended(100, {}));
  }
  CHECK(data_first[true] > 5);
  CHECK(data_first[false] > 5);
}

TEST_CASE("loop: more commands than the controller's queue has entries end the connection") {
  const profile p = with({});
  rig r(p, {.queue_size = 16});
  REQUIRE_FALSE(r.controller.queue.set_queue(1, 4, true));
  std::vector<capsule> all;
  for (int i = 0; i < 5; ++i) all.push_back(r.send(op_none));
  r.spin();
  CHECK(r.controller.got.size() == 4);
  REQUIRE(r.controller.errors.size() == 1);
  CHECK(r.controller.errors[0].code == errc::protocol_violation);
  CHECK(r.controller.errors[0].violation.limit == 4);
  CHECK(r.host.errors.size() == 1);
}

TEST_CASE("loop: a response before its command's data has been fetched ends the fetches") {
  const profile p = with({});
  rig r(p);
  const auto content = pattern(size);
  guarded memory(size);
  watch sent, first, second;
  capsule c = r.send(op_write, memdesc::of(std::span{content}), size, sent);
  capsule there = r.command();
  r.receive(there, 0, memory.mem().window(0, 9000), 9000, first);
  r.receive(there, 9000, memory.mem().window(9000, 9000), 9000, second);
  r.respond(there.cid(), 0x007);
  r.spin();
  CHECK(first.ended(0, errc::aborted));
  CHECK(second.ended(0, errc::aborted));
  CHECK(memory.untouched());
  CHECK(status_of(r.response()) == 0x007);
  CHECK(r.host.errors.empty());
  CHECK(r.controller.errors.empty());
  // Their tags are free for the next.
  watch sent_too, whole;
  capsule d = r.send(op_write, memdesc::of(std::span{content}), size, sent_too);
  r.receive(r.command(), 0, memory.mem(), size, whole);
  r.spin();
  CHECK(whole.ended(size, {}));
  CHECK(memory.holds(content));
}

TEST_CASE("loop: SGL 1 as TCP and as RDMA have it") {
  for (const bool rdma : {false, true}) {
    const profile p = loop_profile("loop", rdma ? rdma_like() : loop_options{}, false);
    rig r(p);
    const auto content = pattern(0x4e20);
    watch big, little;
    capsule a = r.send(op_write, memdesc::of(std::span{content}), 0x4e20, big);
    capsule there = r.command();
    const auto sgl = there.sqe().subspan<24, 16>();
    CHECK(sgl[8] == std::byte{0x20});
    CHECK(sgl[9] == std::byte{0x4e});
    CHECK(sgl[15] == (rdma ? std::byte{0x40} : std::byte{0x5a}));
    CHECK(r.controller.queue.data_length(there) == 0x4e20);
    CHECK(r.controller.queue.validate_command(there).ok());
    capsule b = r.send(op_write, memdesc::of(std::span{content}), 16, little);
    capsule small = r.command();
    CHECK(small.sqe()[39] == std::byte{0x01});
    CHECK(r.controller.queue.validate_command(small).ok());
  }
  loop_options no_in_capsule;
  no_in_capsule.caps.offset_sgl = false;
  const profile p = loop_profile("loop", no_in_capsule, false);
  rig r(p);
  CHECK(r.host.queue.limits().max_in_capsule == 0);
  const auto content = pattern(16);
  watch data;
  capsule c = r.send(op_write, memdesc::of(std::span{content}), 16, data);
  CHECK(r.command().sqe()[39] == std::byte{0x5a});
}

TEST_CASE("loop: connects that are refused, or never answered, on demand") {
  auto fate = loop_connect_fate::refuse;
  loop_options o;
  o.on_connect = [&](const endpoint&, const qpair_params&) { return fate; };
  const profile p = loop_profile("loop", o, false);
  const auto world = p.make_world();
  const auto provider = p.make();
  bool accepted = false;
  qpair_params passive;
  passive.side = role::controller;
  const auto listening = provider->listen(
      world->controller_on(), p.at, passive, [&]() -> executor& { return world->controller_on(); },
      [&](const qpair&) { accepted = true; });
  REQUIRE(listening.has_value());
  qpair_params params;
  params.options.connect_timeout = 3s;
  std::error_code code;
  const auto connect = [&] {
    code = {};
    const time_point start = world->host_on().now();
    provider->connect(world->host_on(), p.at, params,
                      [&](auto result) { code = result.error().code; });
    CHECK(world->until([&] { return bool(code); }));
    return world->host_on().now() - start;
  };
  CHECK(connect() == 0s);
  CHECK(code == std::errc::connection_refused);
  fate = loop_connect_fate::silence;
  CHECK(connect() == 3s);
  CHECK(code == errc::timed_out);
  CHECK_FALSE(accepted);
  CHECK(provider->qpairs() == 0);
}

namespace {

struct recorder final : observer {
  void on_event(const event& e) noexcept override {
    seen.push_back({e.type, e.qpair, e.has_cid ? e.cid : -1, e.a, e.error});
  }
  struct one {
    event_type type;
    std::uint32_t qpair;
    int cid;
    std::uint64_t a;
    std::error_code error;
  };
  std::vector<one> seen;
};

}  // namespace

TEST_CASE("loop: what happens is told to the observer, with CIDs and bytes") {
  recorder all;
  profile p = loop_profile("loop", {}, false);
  p.watched_by = &all;
  rig r(p);
  guarded memory(size);
  watch data;
  capsule c = r.send(op_read, memory.mem(), size, data);
  capsule there = r.command();
  r.give(there, 0, pattern(size));
  r.respond(there.cid());
  r.response();
  const std::uint32_t host = r.host.queue.id(), controller = r.controller.queue.id();
  r.controller.queue.close();
  r.spin();
  std::vector<std::pair<event_type, std::uint32_t>> types;
  for (const auto& e : all.seen) types.emplace_back(e.type, e.qpair);
  using enum event_type;
  const std::vector<std::pair<event_type, std::uint32_t>> expected = {
      {connected, host},
      {command_out, host},
      {command_in, controller},
      {receive_callback, controller},
      {data_out, controller},
      {response_out, controller},
      {data_in, host},
      {data_callback, host},
      {response_in, host},
      {receive_callback, host},
      {disconnected, controller},
      {disconnected, host},
      {error_callback, host}};
  std::string order;
  for (const auto& t : types) order += std::to_string(static_cast<int>(t.first)) + " ";
  INFO(order);
  CHECK(types == expected);
  for (const auto& e : all.seen) {
    if (e.type == data_callback) CHECK(e.a == size);
    if (e.type != connected && e.type != disconnected && e.type != error_callback)
      CHECK(e.cid == c.cid());
  }
}
