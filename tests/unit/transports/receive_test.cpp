// SPDX-License-Identifier: BSD-2-Clause
// receive_controller_data: in capsules and fetched, in pieces, more than there are tags. Items 10
// to 12.
#include <numeric>

#include "rig.hpp"

using namespace nvmf;
using namespace nvmf::test;

CONTRACT("in the capsule up to the limit, fetched beyond it, the same bytes either way") {
  struct queue_case {
    std::uint16_t qid;
    std::uint32_t limit;
  };
  for (const auto [qid, asked] : {queue_case{0, 8192}, queue_case{1, 4096}, queue_case{1, 0}}) {
    rig r(p, {.qid = qid, .max_in_capsule = asked});
    const std::uint32_t limit = qid == 0 ? r.host.queue.caps().admin_in_capsule : asked;
    CAPTURE(qid);
    CAPTURE(limit);
    CHECK(r.host.queue.limits().max_in_capsule == limit);
    for (const std::uint32_t n : {1u, limit - 1, limit, limit + 1}) {
      if (n == 0 || n > 10'000) continue;
      CAPTURE(n);
      auto content = pattern(n, n);
      watch sent, got;
      guarded there(n);
      capsule c = r.send(op_write, memdesc::of(std::span<const std::byte>(content)), n, sent);
      capsule at = r.command();
      CHECK(r.controller.queue.validate_command(at).ok());
      CHECK(r.controller.queue.data_length(at) == n);
      const auto in_capsule = r.controller.queue.in_capsule_data(at);
      CHECK(in_capsule.size() == (n <= limit ? n : 0));
      CHECK(std::ranges::equal(in_capsule, std::span{content}.first(in_capsule.size())));
      REQUIRE_FALSE(r.receive(at, 0, there.mem(), n, got));
      CHECK_FALSE(got.done());
      const bool seen = !r.unseen() || n <= limit;
      REQUIRE(r.until([&] { return got.done() && (sent.done() || !seen); }));
      CHECK(got.ended(n, {}));
      CHECK(there.holds(content));
      CHECK(there.zones_intact());
      r.respond(at.cid());
      r.response();
      REQUIRE(r.until([&] { return sent.done(); }));
      CHECK(sent.ended(n, {}));
    }
  }
}

CONTRACT("data in the capsule can be taken in any pieces, and again") {
  rig r(p);
  auto content = pattern(3000);
  watch sent, a, b, c;
  capsule command = r.send(op_write, memdesc::of(std::span{content}), 3000, sent);
  capsule at = r.command();
  guarded tail(1000), middle(10), whole(3000);
  REQUIRE_FALSE(r.receive(at, 2000, tail.mem(), 1000, a));
  if (r.controller.queue.in_capsule_data(at).empty()) return;  // ordered only, see below
  REQUIRE_FALSE(r.receive(at, 1500, middle.mem(), 10, b));
  REQUIRE_FALSE(r.receive(at, 0, whole.mem(), 3000, c));
  REQUIRE(r.until([&] { return a.done() && b.done() && c.done(); }));
  CHECK(tail.holds(std::span{content}.subspan(2000)));
  CHECK(middle.holds(std::span{content}.subspan(1500, 10)));
  CHECK(whole.holds(content));
  CHECK(tail.zones_intact());
  CHECK(middle.zones_intact());
  r.respond(at.cid());
  r.response();
}

CONTRACT("64 pieces of one command into scattered memory, ended in the order of the calls") {
  for (std::uint32_t max_r2t : {1u, 4u}) {
    rig r(p, {.max_r2t = max_r2t});
    CHECK(r.host.queue.limits().max_r2t == max_r2t);
    constexpr std::size_t pieces = 64, least = 97;
    std::vector<std::size_t> sizes(pieces);
    for (std::size_t i = 0; i < pieces; ++i) sizes[i] = least + i * 53;
    const std::size_t total = std::accumulate(sizes.begin(), sizes.end(), std::size_t{0});
    auto content = pattern(total);
    watch sent;
    capsule c = r.send(op_write, memdesc::of(std::span{content}), total, sent);
    capsule at = r.command();

    std::deque<guarded> memory;
    std::deque<watch> watches;
    std::vector<std::size_t> order;
    std::size_t offset = 0;
    for (std::size_t i = 0; i < pieces; ++i) {
      guarded& m = memory.emplace_back(sizes[i]);
      watch& w = watches.emplace_back();
      w.then = [&order, i] { order.push_back(i); };
      REQUIRE_FALSE(r.receive(at, static_cast<std::uint32_t>(offset), m.mem(),
                              static_cast<std::uint32_t>(sizes[i]), w));
      offset += sizes[i];
    }
    REQUIRE(r.until([&] { return order.size() == pieces && (r.unseen() || sent.done()); }));
    offset = 0;
    for (std::size_t i = 0; i < pieces; ++i) {
      CHECK(watches[i].ended(sizes[i], {}));
      CHECK(memory[i].holds(std::span{content}.subspan(offset, sizes[i])));
      CHECK(memory[i].zones_intact());
      offset += sizes[i];
    }
    if (p.ordered) CHECK(std::ranges::is_sorted(order));
    r.respond(at.cid());
    r.response();
    REQUIRE(r.until([&] { return sent.done(); }));
    CHECK(sent.ended(total, {}));
    CHECK(r.host.errors.empty());
  }
}

CONTRACT("more receives pending than a queue has tags: none is lost, no byte is mixed up") {
  rig r(p, {.queue_size = 16, .max_r2t = 2});
  constexpr std::size_t commands = 15, pieces = 20, piece = 600;
  struct one {
    std::vector<std::byte> content;
    watch sent;
    capsule here, there;
    std::deque<guarded> memory;
    std::deque<watch> fetched;
  };
  std::deque<one> all(commands);
  for (std::size_t i = 0; i < commands; ++i) {
    one& o = all[i];
    o.content = pattern(pieces * piece, static_cast<unsigned>(i));
    o.here = r.send(op_write, memdesc::of(std::span{o.content}), o.content.size(), o.sent);
  }
  REQUIRE(r.until([&] { return r.controller.got.size() == commands; }));
  for (std::size_t i = 0; i < commands; ++i) {
    capsule c = r.controller.take();
    const auto of = std::ranges::find_if(all, [&](one& o) { return o.here.cid() == c.cid(); });
    REQUIRE(of != all.end());
    of->there = std::move(c);
  }
  // Round after round over all commands, all before anything can be answered.
  for (std::size_t k = 0; k < pieces; ++k)
    for (one& o : all)
      REQUIRE_FALSE(r.receive(o.there, static_cast<std::uint32_t>(k * piece),
                              o.memory.emplace_back(piece).mem(), piece, o.fetched.emplace_back()));
  REQUIRE(r.until([&] {
    return std::ranges::all_of(all, [&](const one& o) {
      return (r.unseen() || o.sent.done()) &&
             std::ranges::all_of(o.fetched, [](const watch& w) { return w.done(); });
    });
  }));
  for (one& o : all) {
    for (std::size_t k = 0; k < pieces; ++k) {
      CHECK(o.fetched[k].ended(piece, {}));
      CHECK(o.memory[k].holds(std::span{o.content}.subspan(k * piece, piece)));
      CHECK(o.memory[k].zones_intact());
    }
    r.respond(o.there.cid());
  }
  REQUIRE(r.until([&] {
    return r.host.got.size() == commands &&
           std::ranges::all_of(all, [](const one& o) { return o.sent.done(); });
  }));
  for (one& o : all) CHECK(o.sent.ended(o.content.size(), {}));
}

CONTRACT("a receive asked for from within the callback of the one before") {
  rig r(p);
  constexpr std::uint32_t total = 30'000, piece = 1000;
  auto content = pattern(total);
  guarded there(total);
  watch sent;
  capsule c = r.send(op_write, memdesc::of(std::span{content}), total, sent);
  capsule at = r.command();
  std::uint32_t offset = 0;
  std::deque<watch> watches;
  std::function<void()> next = [&] {
    if (offset == total) return r.respond(at.cid());
    watch& w = watches.emplace_back();
    w.then = next;
    const std::uint32_t from = std::exchange(offset, offset + piece);
    REQUIRE_FALSE(r.receive(at, from, there.mem().window(from, piece), piece, w));
  };
  next();
  CHECK(r.response().cid() == c.cid());
  CHECK(there.holds(content));
  CHECK(watches.size() == total / piece);
  for (const watch& w : watches) CHECK(w.ended(piece, {}));
  CHECK(sent.ended(total, {}));
}

CONTRACT("the command's capsule may be let go of while its data is fetched") {
  rig r(p);
  constexpr std::uint32_t total = 50'000;
  auto content = pattern(total);
  guarded there(total);
  watch sent, got;
  capsule c = r.send(op_write, memdesc::of(std::span{content}), total, sent);
  capsule at = r.command();
  const std::uint16_t cid = at.cid();
  REQUIRE_FALSE(r.receive(at, 0, there.mem(), total, got));
  at.reset();
  REQUIRE(r.until([&] { return got.done(); }));
  CHECK(got.ended(total, {}));
  CHECK(there.holds(content));
  r.respond(cid);
  r.response();
}
