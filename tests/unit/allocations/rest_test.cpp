// SPDX-License-Identifier: BSD-2-Clause
// A queue that was full and is idle again gives back what it took; one that is at work does not.
#include <doctest/doctest.h>

#include <nvmf/target.hpp>
#include <nvmf/transport.hpp>

#include "core/spare_memory.hpp"
#include "counter.hpp"
#include "support/accepting_transport.hpp"
#include "support/raw_bytes.hpp"
#include "support/virtual_executor.hpp"
#include "tcp/session/controller_session.hpp"

using namespace nvmf;
using namespace nvmf::test;
using namespace std::chrono_literals;

namespace {

constexpr std::string_view sub_nqn = "nqn.2026-11.io.example:rested";
constexpr std::uint16_t entries = 128, full = entries - 1;
constexpr std::uint32_t block = 4096;

using octets = std::vector<std::byte>;

// PDUs by hand (NVMe/TCP 3.6): the common header, the rest of the header, data right behind it.
octets pdu(unsigned type, unsigned flags, std::span<const std::byte> rest,
           std::span<const std::byte> data = {}) {
  octets out(8);
  const std::size_t hlen = 8 + rest.size();
  put(out, 0, 1, type);
  put(out, 1, 1, flags);
  put(out, 2, 1, hlen);
  put(out, 3, 1, data.empty() ? 0 : hlen);
  put(out, 4, 4, hlen + data.size());
  out.insert(out.end(), rest.begin(), rest.end());
  out.insert(out.end(), data.begin(), data.end());
  return out;
}
octets command(const raw_sqe& s, std::span<const std::byte> data = {}) {
  return pdu(4, 0, s, data);
}
octets h2c(std::uint64_t cid, std::uint64_t ttag, std::span<const std::byte> data) {
  octets rest(16);
  put(rest, 0, 2, cid);
  put(rest, 2, 2, ttag);
  put(rest, 8, 4, data.size());
  return pdu(6, 4, rest, data);  // LAST_PDU
}

// The target's end of a connection: its machine, and bytes instead of a socket.
class line {
 public:
  line(virtual_executor& on, std::shared_ptr<tcp::memory_pool> memory) : on_(on) {
    machine_ = std::make_shared<tcp::controller_session>(
        tcp::session_setup{.on = &on,
                           .memory = std::move(memory),
                           .params = {.side = role::controller},
                           .agreed = {.max_h2c_data = 131'072},
                           .id = next_qpair_id(),
                           .peer = "host",
                           .local = "target"});
    machine_->attach(std::make_shared<silent_link>());
  }
  qpair end() { return qpair{machine_}; }

  // All of `in` arrives in one read, and all that it causes leaves.
  void feed(std::span<const std::byte> in) {
    machine_->enter_turn();
    machine_->consume(in);
    machine_->leave_turn();
    on_.run();
    drain();
  }
  void drain() {
    while (machine_->has_output()) {
      std::array<segment, 16> pieces;
      const std::size_t count = machine_->gather(pieces, SIZE_MAX);
      std::size_t total = 0;
      for (const segment& s : std::span{pieces}.first(count)) {
        out.insert(out.end(), s.data, s.data + s.size);
        total += s.size;
      }
      machine_->enter_turn();
      machine_->sent(total);
      machine_->leave_turn();
      on_.run();
    }
  }
  // Counts the PDUs of `type` that have left, and forgets them all.
  std::size_t take(unsigned type) {
    std::size_t n = 0;
    for (std::size_t at = 0; at < out.size(); at += peek(out, at + 4, 4)) {
      n += peek(out, at, 1) == type;
      if (peek(out, at, 1) == 5) REQUIRE((peek(out, at + 8 + 14, 2) >> 1) == 0);
    }
    out.clear();
    return n;
  }

  octets out;

 private:
  struct silent_link final : tcp::wire_link {
    void begin() override {}
    void wake() noexcept override {}
    void finish(bool) override {}
    void reset() override {}
    void half_close() override {}
  };
  virtual_executor& on_;
  std::shared_ptr<tcp::controller_session> machine_;
};

struct world {
  virtual_executor on;
  std::shared_ptr<tcp::memory_pool> memory = std::make_shared<tcp::memory_pool>();
  transport_registry registry;
  std::shared_ptr<accepting_transport> net = std::make_shared<accepting_transport>();
  std::unique_ptr<target> t;

  world() {
    registry.add(net);
    t = target::make(registry, {&on}, {}, nullptr, {});
    REQUIRE(t->add_subsystem({.nqn = std::string(sub_nqn)}).has_value());
    REQUIRE(t->add_namespace(sub_nqn, {.store = *make_ram_backend(1 << 24, block)}) == 1);
    REQUIRE(t->listen({}).has_value());
  }
  std::unique_ptr<line> arrive(std::uint16_t qid, std::uint16_t cntlid) {
    auto made = std::make_unique<line>(on, memory);
    net->accept(made->end());
    const auto data = connect_bytes(cntlid, sub_nqn, "nqn.2026-11.io.example:host");
    made->feed(command(with(connect_sqe(1, qid, full), 39, 1, 0x01), data));
    REQUIRE(made->take(5) == 1);
    return made;
  }
  std::unique_ptr<line> controller() {
    auto made = arrive(0, 0xffff);
    made->feed(command(property_set_sqe(2, 0x14, cc_enabled)));
    made->feed(command(with(with(sqe(0x09, 3), 40, 4, 0x07), 44, 4, 0x0001'0001)));
    REQUIRE(made->take(5) == 2);
    return made;
  }
};

octets many(std::uint8_t opcode) {
  octets all;
  for (std::uint16_t cid = 0; cid < full; ++cid) {
    const octets one = command(block_sqe(opcode, cid, 1, cid, 1, block));
    all.insert(all.end(), one.begin(), one.end());
  }
  return all;
}

// Reads, then writes whose data is asked for: as many at once as the queue holds. Returns what is
// held while the writes wait for their data.
std::size_t fill(line& q) {
  q.feed(many(0x02));
  CHECK(q.take(5) == full);
  q.feed(many(0x01));
  const octets asked = std::move(q.out);
  q.out = {};
  const std::size_t then = held - asked.capacity();
  REQUIRE(asked.size() == full * 24);
  const octets data(block, std::byte{7});
  for (std::size_t at = 0; at < asked.size(); at += 24) {
    REQUIRE(peek(asked, at, 1) == 9);
    q.feed(h2c(peek(asked, at + 8, 2), peek(asked, at + 10, 2), data));
  }
  CHECK(q.take(5) == full);
  q.out = {};
  return then;
}

}  // namespace

TEST_CASE("a queue that was full and is idle again holds no more than a new one") {
  world w;
  const auto admin = w.controller();
  // What all connections share is there once somebody has used it.
  const auto first = w.arrive(1, 1);
  fill(*first);
  w.on.advance(2 * rest_after);

  const std::size_t before = held;
  const auto q = w.arrive(2, 1);
  q->out = {};
  const std::size_t fresh = held - before;
  const std::size_t at_work = fill(*q) - before;
  INFO("new: ", fresh, ", full: ", at_work, ", at rest: ", held - before);
  CHECK(at_work > 64 << 10);
  CHECK(held - before > 64 << 10);
  // Not yet: a pause is no rest.
  w.on.advance(rest_after);
  CHECK(held - before > 64 << 10);
  w.on.advance(rest_after);
  CHECK(held - before <= fresh);

  // It is taken again, and given back again.
  fill(*q);
  CHECK(held - before > 64 << 10);
  w.on.advance(2 * rest_after);
  CHECK(held - before <= fresh);
  // Nobody looks any more, once the watch for stalled hosts has ended too.
  w.on.advance(1min);
  CHECK(w.on.timers() == 0);
}

TEST_CASE("a queue that is used now and then keeps what it has") {
  world w;
  const auto admin = w.controller();
  const auto q = w.arrive(1, 1);
  fill(*q);
  const octets one = command(block_sqe(0x02, 5, 1, 3, 1, block));
  q->out.reserve(2 * block);
  q->feed(one);
  q->out.clear();
  for (int i = 0; i < 20; ++i) {
    w.on.advance(rest_after / 2);
    const std::size_t before = allocations;
    q->feed(one);
    CHECK(allocations == before);
    CHECK(q->out.size() == 24 + block + 24);
    q->out.clear();
  }
}
