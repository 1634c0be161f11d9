// SPDX-License-Identifier: BSD-2-Clause
// An association with a target of ours over the loop, on virtual time and with lots drawn from a
// seed: deliveries late, out of order and in pieces, messages lost, connections broken.
#include <doctest/doctest.h>

#include <loop/loop.hpp>
#include <nvmf/backend.hpp>
#include <nvmf/host.hpp>
#include <nvmf/target.hpp>
#include <optional>

#include "support/raw_bytes.hpp"
#include "support/virtual_executor.hpp"

using namespace nvmf;
using namespace nvmf::test;
using namespace std::chrono_literals;

namespace {

constexpr std::string_view nqn = "nqn.2024-01.io.example:loop";

struct loop_fixture {
  virtual_executor on;
  transport_registry registry;
  std::unique_ptr<target> serving;
  association_options options;
  std::optional<std::expected<void, host_failure>> up;
  std::vector<host_failure> lost;
  int ups = 0;
  std::unique_ptr<association> host;

  explicit loop_fixture(loop_options loop = {}) {
    registry.add(make_loop_transport(std::move(loop)));
    serving = target::make(registry, {&on}, {}, nullptr, {});
    subsystem_options offered;
    offered.nqn = nqn;
    REQUIRE(serving->add_subsystem(offered));
    for (int i = 0; i < 2; ++i)
      REQUIRE(serving->add_namespace(nqn, {.store = *make_ram_backend(1 << 20)}));
    listener_options at;
    at.transport = "loop";
    at.at = {"here", 0};
    REQUIRE(serving->listen(at));
    options.transport = "loop";
    options.to = {"here", 0};
    options.subsystem_nqn = nqn;
    options.host_nqn = "nqn.2024-01.io.example:host";
    options.host_id[0] = std::byte{1};
    options.io_queues = 2;
    options.io_queue_size = 8;
  }
  void start() {
    host = association::start(registry, on, options,
                              {.on_stage = {},
                               .on_up =
                                   [this](std::expected<void, host_failure> r) {
                                     up = std::move(r);
                                     ++ups;
                                   },
                               .on_lost = [this](const host_failure& f) { lost.push_back(f); },
                               .on_async_event = {}});
    on.run_until([&] { return up.has_value(); }, 10min);
  }
  ~loop_fixture() {
    host.reset();
    bool stopped = false;
    serving->stop([&] { stopped = true; });
    on.run_until([&] { return stopped; }, 10min);
    CHECK(stopped);
  }
};

sqe_bytes io_command(std::uint8_t opcode, std::uint64_t lba, std::uint32_t blocks) {
  sqe_bytes s{};
  s[0] = static_cast<std::byte>(opcode);
  put(s, 4, 4, 1);
  put(s, 40, 8, lba);
  put(s, 48, 4, blocks - 1);
  return s;
}

}  // namespace

TEST_CASE("over the loop: up, write, read back, shut down") {
  loop_fixture t;
  t.start();
  REQUIRE(t.up.has_value());
  if (!t.up->has_value()) FAIL(t.up->error().detail);
  CHECK(t.host->io_queues() == 2);
  CHECK(t.host->namespaces().size() == 2);
  std::vector<std::byte> out(16 * 512), in(16 * 512);
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<std::byte>(i * 7 + i / 512);
  int ended = 0;
  t.host->submit(1, io_command(1, 5, 16), memdesc::of(std::span<const std::byte>(out)),
                 direction::send, 0ms, [&](const command_result& r) {
                   CHECK(r.ok());
                   CHECK(r.bytes == out.size());
                   ++ended;
                 });
  t.on.advance(1s);
  t.host->submit(2, io_command(2, 5, 16), memdesc::of(std::span(in)), direction::receive, 0ms,
                 [&](const command_result& r) {
                   CHECK(r.ok());
                   ++ended;
                 });
  t.on.advance(1s);
  CHECK(ended == 2);
  CHECK(in == out);
  std::optional<std::error_code> over;
  t.host->shutdown([&](std::error_code e) { over = e; });
  t.on.run_until([&] { return over.has_value(); }, 1min);
  REQUIRE(over.has_value());
  CHECK_FALSE(*over);
  CHECK(t.lost.empty());
}

TEST_CASE("over the loop: the qpairs of an association, for a debugger") {
  std::vector<command_result> ended;
  std::vector<std::byte> a(512), b(512), c(512);
  loop_fixture t;
  t.start();
  REQUIRE(t.up->has_value());
  qpair* const admin = t.host->queue(0);
  qpair* const io = t.host->queue(2);
  REQUIRE(admin != nullptr);
  REQUIRE(t.host->queue(1) != nullptr);
  REQUIRE(io != nullptr);
  CHECK(t.host->queue(3) == nullptr);
  CHECK(io->id() != t.host->queue(1)->id());
  CHECK(io->inside().qid == 2);
  CHECK(admin->inside().qid == 0);

  // It stands still, and its commands with it, for as long as they may.
  REQUIRE_FALSE(io->pause());
  const auto read = [&](std::uint16_t qid, std::span<std::byte> to,
                        std::chrono::milliseconds timeout) {
    t.host->submit(qid, io_command(2, 0, 1), memdesc::of(to), direction::receive, timeout,
                   [&](const command_result& r) { ended.push_back(r); });
  };
  read(2, a, 5s);
  read(1, b, 5s);
  t.on.advance(1s);
  REQUIRE(ended.size() == 1);
  CHECK(ended[0].ok());
  CHECK(io->next_action().kind == action_kind::send);
  REQUIRE_FALSE(io->resume());
  t.on.advance(1s);
  REQUIRE(ended.size() == 2);
  CHECK(ended[1].ok());

  // Time goes on; what that comes to is called back later.
  REQUIRE_FALSE(io->pause());
  read(2, c, 5s);
  t.on.advance(1min);
  CHECK(ended.size() == 2);
  REQUIRE_FALSE(io->resume());
  t.on.advance(1s);
  REQUIRE(ended.size() == 3);
  CHECK(ended[2].error == errc::timed_out);

  std::optional<std::error_code> over;
  t.host->shutdown([&](std::error_code e) { over = e; });
  t.on.run_until([&] { return over.has_value(); }, 1min);
  REQUIRE(over.has_value());
  for (std::uint16_t qid = 0; qid <= 2; ++qid) CHECK(t.host->queue(qid) == nullptr);
}

// ---- by lot ---------------------------------------------------------------------------------
// Each seed is a world of its own. Whatever happens there, every command ends once, what was read
// without an error is what was written, and nothing is left over.

namespace {

struct world : loop_fixture {
  std::vector<std::vector<std::byte>> memory;
  std::vector<int> ended;
  std::size_t good = 0;

  explicit world(loop_options loop) : loop_fixture(std::move(loop)) {
    options.timeout = 5s;
    options.keep_alive = 4s;
    options.async_events = 1;
  }
  ~world() { host.reset(); }

  void write_and_check(std::size_t i, std::uint16_t qid) {
    const std::uint64_t lba = i * 8;
    auto& bytes = memory[i];
    for (std::size_t k = 0; k < bytes.size(); ++k) bytes[k] = static_cast<std::byte>(k * 5 + i);
    host->submit(qid, io_command(1, lba, 8), memdesc::of(std::span<const std::byte>(bytes)),
                 direction::send, 0ms, [this, i, qid, lba](const command_result& r) {
                   if (!r.ok()) {
                     ++ended[i];
                     return;
                   }
                   std::ranges::fill(memory[i], std::byte{0});
                   host->submit(qid, io_command(2, lba, 8), memdesc::of(std::span(memory[i])),
                                direction::receive, 0ms, [this, i](const command_result& got) {
                                  ++ended[i];
                                  if (!got.ok()) return;
                                  ++good;
                                  CHECK(got.bytes == memory[i].size());
                                  for (std::size_t k = 0; k < memory[i].size(); ++k)
                                    if (memory[i][k] != static_cast<std::byte>(k * 5 + i))
                                      FAIL("data differs");
                                });
                 });
  }
  void run(std::size_t commands) {
    start();
    REQUIRE(ups == 1);
    if (!up->has_value()) return;
    memory.assign(commands, std::vector<std::byte>(4096));
    ended.assign(commands, 0);
    for (std::size_t i = 0; i < commands; ++i)
      write_and_check(i, static_cast<std::uint16_t>(1 + i % host->io_queues()));
    on.run_until([&] { return std::ranges::count(ended, 0) == 0; }, 5min);
    for (const int n : ended) CHECK(n == 1);
    bool over = false;
    host->shutdown([&](std::error_code) { over = true; });
    on.run_until([&] { return over; }, 5min);
    CHECK(over);
    CHECK(ups == 1);
    CHECK(lost.size() <= 1);
  }
};

}  // namespace

TEST_CASE("late, out of order and in pieces: everything arrives") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    loop_options loop;
    loop.seed = seed;
    loop.jitter = 3ms;
    loop.reorder = true;
    loop.shuffle_callbacks = true;
    loop.data_chunk = seed % 2 == 0 ? 1000 : 0;
    if (seed % 3 == 0) loop = rdma_like(loop);
    world w(std::move(loop));
    w.run(60);
    REQUIRE(w.up->has_value());
    CHECK(w.good == 60);
    CHECK(w.lost.empty());
  }
}

TEST_CASE("with faults by lot every command still ends once") {
  const loop_fault faults[] = {loop_fault::drop, loop_fault::corrupt, loop_fault::close,
                               loop_fault::reset};
  for (const loop_fault fault : faults) {
    std::size_t good = 0;
    std::size_t came_up = 0;
    for (std::uint64_t seed = 1; seed <= 16; ++seed) {
      CAPTURE(static_cast<int>(fault));
      CAPTURE(seed);
      std::uint64_t lot = seed * 0x9e37'79b9'7f4a'7c15;
      loop_options loop;
      loop.seed = seed;
      loop.jitter = 1ms;
      loop.shuffle_callbacks = true;
      loop.on_message = [&](loop_message&) -> loop_fate {
        lot = lot * 6364136223846793005u + 1442695040888963407u;
        return {.fault = (lot >> 40) % 97 == 0 ? fault : loop_fault::none};
      };
      if (seed % 4 == 0) loop = rdma_like(loop);
      world w(std::move(loop));
      w.run(40);
      if (w.up->has_value()) ++came_up;
      good += w.good;
    }
    // The lots are such that both happen: worlds that work for a while, and worlds that do not.
    CHECK(came_up > 0);
    CHECK(came_up < 16);
    CHECK(good > 0);
    CHECK(good < 16 * 40);
  }
}

TEST_CASE("each message of a bring-up lost in turn: a result, never a hang") {
  std::uint64_t messages = 0;
  {
    loop_options loop;
    loop.on_message = [&](loop_message&) -> loop_fate {
      ++messages;
      return {};
    };
    loop_fixture t(std::move(loop));
    t.start();
    REQUIRE(t.up->has_value());
  }
  for (const loop_fault fault : {loop_fault::drop, loop_fault::close, loop_fault::reset})
    for (std::uint64_t n = 0; n < messages; ++n) {
      CAPTURE(n);
      std::uint64_t seen = 0;
      loop_options loop;
      loop.on_message = [&](loop_message&) -> loop_fate {
        return {.fault = seen++ == n ? fault : loop_fault::none};
      };
      loop_fixture t(std::move(loop));
      t.options.timeout = 2s;
      t.start();
      CHECK(t.ups == 1);
      t.host.reset();
      CHECK(t.ups == 1);
    }
}
