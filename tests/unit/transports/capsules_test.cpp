// SPDX-License-Identifier: BSD-2-Clause
// Capsules: start, order, slots, attaching data. Items 3 to 6 of the ancestor's checklist.
#include <algorithm>

#include "rig.hpp"
#include "wire/layouts/entries.hpp"

using namespace nvmf;
using namespace nvmf::test;

CONTRACT("a command and its response, byte for byte") {
  rig r(p);
  sqe_bytes sqe;
  for (std::size_t i = 0; i < sqe.size(); ++i) sqe[i] = static_cast<std::byte>(i + 1);
  auto made = r.host.queue.allocate_command(sqe);
  REQUIRE(made.has_value());
  capsule c = std::move(*made);
  CHECK(c.is_command());
  r.transmit(c);
  capsule at = r.command();
  CHECK(at.is_command());
  CHECK(at.cid() == c.cid());
  CHECK(at.sqe()[0] == std::byte{1});
  CHECK(at.sqe()[1] == std::byte{0x42});  // FUSE as given, PSDT 01b
  CHECK(std::equal(at.sqe().begin() + 4, at.sqe().begin() + 24, sqe.begin() + 4));
  CHECK(std::equal(at.sqe().begin() + 40, at.sqe().end(), sqe.begin() + 40));
  CHECK(r.controller.queue.validate_command(at).ok());
  CHECK(r.controller.queue.data_length(at) == 0);
  CHECK(r.controller.queue.in_capsule_data(at).empty());

  cqe_bytes cqe{};
  for (std::size_t i = 0; i < 8; ++i) cqe[i] = static_cast<std::byte>(0xa0 + i);
  wire::set<wire::cqe_layout, "cid">(cqe, at.cid());
  wire::set<wire::cqe_layout, "sc">(cqe, 0x80);
  wire::set<wire::cqe_layout, "sct">(cqe, 2);
  wire::set<wire::cqe_layout, "dnr">(cqe, 1);
  auto response = r.controller.queue.allocate_response(cqe);
  REQUIRE(response.has_value());
  CHECK_FALSE(response->is_command());
  REQUIRE_FALSE(r.controller.queue.transmit_response(std::move(*response)));
  capsule back = r.response();
  CHECK_FALSE(back.is_command());
  CHECK(back.cid() == c.cid());
  CHECK(back.sqhd_valid());
  CHECK(std::equal(back.cqe().begin(), back.cqe().begin() + 8, cqe.begin()));
  CHECK(std::equal(back.cqe().begin() + 12, back.cqe().end(), cqe.begin() + 12));
  CHECK(r.host.errors.empty());
  CHECK(r.controller.errors.empty());
}

CONTRACT("nothing comes before start, and nothing that came is lost") {
  rig r(p, {.start_controller = false});
  for (int i = 0; i < 5; ++i) r.send(op_none);
  r.spin();
  CHECK(r.controller.got.empty());
  r.controller.queue.start(r.controller.callbacks());
  CHECK(r.controller.got.empty());
  REQUIRE(r.until([&] { return r.controller.got.size() == 5; }));
}

CONTRACT("what is transmitted before start leaves with it at the latest, its callbacks wait") {
  rig r(p, {.start_host = false});
  const auto content = pattern(1000);
  watch sent;
  r.send(op_write, memdesc::of(std::span{content}), 1000, sent);
  for (int i = 0; i < 4; ++i) r.send(op_none);
  r.spin();
  CHECK(sent.calls == 0);
  for (const capsule& c : r.controller.got) r.respond(c.cid());
  r.spin();
  CHECK(r.host.got.empty());
  r.controller.on_receive = [&](const capsule& c) { r.respond(c.cid()); };
  r.host.queue.start(r.host.callbacks());
  CHECK(sent.calls == 0);
  REQUIRE(r.until([&] { return r.host.got.size() == 5 && sent.done(); }));
  CHECK_FALSE(sent.error);
}

CONTRACT("an end of the connection before start is told after it") {
  rig r(p, {.start_host = false});
  r.controller.queue.close();
  r.spin();
  CHECK(r.host.errors.empty());
  r.host.queue.start(r.host.callbacks());
  CHECK(r.host.errors.empty());
  REQUIRE(r.until([&] { return !r.host.errors.empty(); }));
  CHECK_FALSE(r.host.errors.front().code);
}

CONTRACT("capsules leave in the order of transmit, whatever is let go of meanwhile") {
  rig r(p, {.queue_size = 64});
  std::vector<std::uint16_t> order;
  std::vector<capsule> later;
  for (int i = 0; i < 50; ++i) later.push_back(r.prepare(op_none));
  // Not in the order of allocation.
  for (std::size_t i = 0; i < later.size(); ++i) {
    capsule& c = later[(i * 7) % later.size()];
    order.push_back(c.cid());
    r.transmit(c);
    if (i % 2 == 0) c.reset();
  }
  CHECK(r.controller.got.empty());
  REQUIRE(r.until([&] { return r.controller.got.size() == 50; }));
  std::vector<std::uint16_t> seen;
  for (const capsule& c : r.controller.got) seen.push_back(c.cid());
  if (!p.ordered) {
    std::ranges::sort(seen);
    std::ranges::sort(order);
  }
  CHECK(seen == order);
  for (std::uint16_t cid : seen) r.respond(cid);
  REQUIRE(r.until([&] { return r.host.got.size() == 50; }));
}

CONTRACT("slots: all CIDs differ, a full queue says so, a response frees") {
  rig r(p, {.queue_size = 8});
  std::vector<capsule> all;
  std::vector<std::uint16_t> cids;
  for (;;) {
    auto made = r.host.queue.allocate_command(sqe_bytes{});
    if (!made) {
      CHECK(made.error() == errc::queue_full);
      break;
    }
    cids.push_back(made->cid());
    all.push_back(std::move(*made));
    REQUIRE(all.size() < 1000);
  }
  CHECK(all.size() >= 7);  // as many as a queue of 8 entries can have outstanding
  std::ranges::sort(cids);
  CHECK(std::ranges::adjacent_find(cids) == cids.end());

  capsule& one = all.front();
  const std::uint16_t cid = one.cid();
  r.transmit(one);
  one.reset();  // the slot stays taken until the response has come
  CHECK_FALSE(r.host.queue.allocate_command(sqe_bytes{}).has_value());
  capsule at = r.command();
  CHECK(at.cid() == cid);
  CHECK_FALSE(r.host.queue.allocate_command(sqe_bytes{}).has_value());
  r.respond(cid);
  capsule back = r.response();
  auto again = r.host.queue.allocate_command(sqe_bytes{});
  REQUIRE(again.has_value());
  CHECK(again->cid() == cid);
  again->reset();

  // The other way: the response has come, but the handle is still held.
  capsule two = std::move(all[1]);
  r.transmit(two);
  r.respond(r.command().cid());
  capsule back_two = r.response();
  CHECK(back_two.cid() == two.cid());
  auto third = r.host.queue.allocate_command(sqe_bytes{});
  REQUIRE(third.has_value());
  CHECK(third->cid() == cid);
  CHECK_FALSE(r.host.queue.allocate_command(sqe_bytes{}).has_value());
  const std::uint16_t freed = two.cid();
  two.reset();
  auto fourth = r.host.queue.allocate_command(sqe_bytes{});
  REQUIRE(fourth.has_value());
  CHECK(fourth->cid() == freed);
}

CONTRACT("data is attached once, before transmit, within its memory") {
  rig r(p);
  guarded memory(64), other(64);
  watch first, second, never;
  capsule c = r.prepare(op_write);
  qpair& q = r.host.queue;
  const auto append = [&](const memdesc& m, std::size_t n, direction way, watch& w) {
    const in_call guard;
    return q.append_data(c, m, n, way, w.callback());
  };
  CHECK(append(memory.mem(), 65, direction::send, never) == errc::out_of_range);
  CHECK(append(memdesc::of(std::span<const std::byte>(memory.bytes())), 64, direction::receive,
               never) == errc::invalid_argument);
  CHECK_FALSE(append(memory.mem(), 0, direction::send, never));  // attaches nothing
  CHECK_FALSE(append(memory.mem(), 64, direction::none, never));
  CHECK_FALSE(append(memory.mem(), 32, direction::send, first));
  CHECK(append(other.mem(), 64, direction::send, second) == errc::busy);
  r.transmit(c);
  CHECK(q.transmit(c) == errc::busy);
  CHECK(append(other.mem(), 64, direction::send, second) == errc::busy);
  capsule at = r.command();
  CHECK(r.controller.queue.data_length(at) == 32);
  r.respond(at.cid());
  r.response();
  r.settle();
  CHECK(first.ended(first.bytes, {}));
  CHECK(second.calls == 0);
  CHECK(never.calls == 0);
}

CONTRACT("calls for the other role are refused") {
  rig r(p);
  guarded memory(16);
  watch w;
  capsule c = r.send(op_none);
  capsule at = r.command();
  CHECK(r.controller.queue.allocate_command(sqe_bytes{}).error() == errc::wrong_role);
  CHECK(r.host.queue.allocate_response(cqe_bytes{}).error() == errc::wrong_role);
  CHECK(r.controller.queue.append_data(at, memory.mem(), 16, direction::send, w.callback()) ==
        errc::wrong_role);
  CHECK(r.controller.queue.transmit(at) == errc::wrong_role);
  CHECK(r.controller.queue.withdraw_data(at, errc::aborted) == errc::wrong_role);
  CHECK(r.host.queue.receive_controller_data(c, 0, memory.mem(), 16, w.callback()) ==
        errc::wrong_role);
  CHECK(r.host.queue.send_controller_data(c, 0, buffer::copy_of(memory.bytes())).result ==
        send_result::failed);
  r.respond(at.cid());
  r.response();
  CHECK(w.calls == 0);
}

CONTRACT("queue sizes out of range are refused, and the old one stays") {
  rig r(p, {.queue_size = 16});
  for (qpair* q : {&r.host.queue, &r.controller.queue}) {
    CHECK(q->set_queue(1, 1, true) == errc::invalid_argument);
    CHECK(q->set_queue(1, 65537, true) == errc::invalid_argument);
    CHECK(q->set_queue(0, 4097, true) == errc::invalid_argument);
    CHECK(q->limits().queue_size == 16);
    CHECK_FALSE(q->set_queue(1, 17, false));
    CHECK(q->limits().queue_size == 17);
    CHECK_FALSE(q->limits().sq_flow_control);
  }
}

CONTRACT("SQHD counts responses modulo the queue size with flow control, and not without") {
  for (bool flow : {true, false}) {
    rig r(p, {.queue_size = 5, .sq_flow_control = flow});
    std::vector<int> seen;
    for (int i = 0; i < 12; ++i) {
      capsule c = r.send(op_none);
      r.respond(r.command().cid());
      capsule back = r.response();
      CHECK(back.sqhd_valid());
      seen.push_back(sqhd_of(back));
    }
    if (flow)
      CHECK(seen == std::vector{1, 2, 3, 4, 0, 1, 2, 3, 4, 0, 1, 2});
    else
      CHECK(seen == std::vector{0xffff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0});
  }
}
