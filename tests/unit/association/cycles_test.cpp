// SPDX-License-Identifier: BSD-2-Clause
// Hosts of ours that come and go in one process, by loop and by TCP: what they took is given back.
// NVMF_CYCLES says how many; the long form is registered beside this program.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <future>
#include <loop/loop.hpp>
#include <nvmf/backend.hpp>
#include <nvmf/host.hpp>
#include <nvmf/target.hpp>
#include <optional>
#include <tcp/tcp.hpp>

#include "support/raw_bytes.hpp"
#include "support/reactor_thread.hpp"
#include "support/resources.hpp"
#include "support/virtual_executor.hpp"

using namespace nvmf;
using namespace nvmf::test;
using namespace std::chrono_literals;

namespace {

constexpr std::string_view nqn = "nqn.2024-01.io.example:cycles";
constexpr int warm_up = 8;
// Bytes that may be in use after the last cycle beyond those after the warm-up: lists grow in
// steps.
constexpr std::size_t growth_max = 8192;

int cycles() {
  const char* asked = std::getenv("NVMF_CYCLES");
  return asked == nullptr ? 24 : std::atoi(asked);
}

std::unique_ptr<target> make_target(const transport_registry& registry, executor& on) {
  auto made = target::make(registry, {&on}, {}, nullptr, {});
  subsystem_options offered;
  offered.nqn = nqn;
  REQUIRE(made->add_subsystem(offered));
  REQUIRE(made->add_namespace(nqn, {.store = *make_ram_backend(1 << 20)}));
  return made;
}

association_options options_for(const endpoint& to, std::string_view transport) {
  association_options o;
  o.transport = transport;
  o.to = to;
  o.subsystem_nqn = nqn;
  o.host_nqn = "nqn.2024-01.io.example:host";
  o.host_id[0] = std::byte{1};
  o.io_queues = 2;
  return o;
}

sqe_bytes io_command(std::uint8_t opcode) {
  sqe_bytes s{};
  s[0] = static_cast<std::byte>(opcode);
  put(s, 4, 4, 1);
  put(s, 48, 4, 63);  // 64 blocks: more than fits in a capsule
  return s;
}

// One association: up, a write and the same read back, and the end: every third time without a
// word. `wait` runs or waits until what it is given is true.
struct cycle {
  transport_registry& registry;
  executor& on;
  const association_options& options;
  std::unique_ptr<association> host{};
  std::vector<std::byte> out = std::vector<std::byte>(64 * 512), in = out;
  bool over = false;

  void begin() {
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<std::byte>(i * 7 + i / 512);
    host = association::start(registry, on, options,
                              {.on_stage = {},
                               .on_up = [this](const auto& r) { came_up(r); },
                               .on_lost = {},
                               .on_async_event = {}});
  }
  void came_up(const std::expected<void, host_failure>& r) {
    if (!r) FAIL(r.error().detail);
    write();
  }
  void write() {
    host->submit(1, io_command(1), memdesc::of(std::span<const std::byte>(out)), direction::send,
                 0ms, [this](const command_result& r) {
                   CHECK(r.ok());
                   read();
                 });
  }
  void read() {
    host->submit(2, io_command(2), memdesc::of(std::span(in)), direction::receive, 0ms,
                 [this](const command_result& r) {
                   CHECK(r.ok());
                   CHECK(in == out);
                   over = true;
                 });
  }
};

}  // namespace

TEST_CASE("over the loop hosts come and go, and the heap is as it was") {
  virtual_executor on;
  transport_registry registry;
  registry.add(make_loop_transport({}));
  auto serving = make_target(registry, on);
  listener_options at;
  at.transport = "loop";
  at.at = {"here", 0};
  REQUIRE(serving->listen(at));
  const association_options options = options_for({"here", 0}, "loop");
  std::size_t before = 0;
  for (int n = 0; n < warm_up + cycles(); ++n) {
    if (n == warm_up) before = heap_in_use();
    cycle c{registry, on, options};
    c.begin();
    REQUIRE(on.run_until([&] { return c.over; }, 10min));
    bool down = n % 3 == 2;
    if (!down) c.host->shutdown([&](std::error_code) { down = true; });
    REQUIRE(on.run_until([&] { return down; }, 10min));
    c.host.reset();
    REQUIRE(on.run_until([&] { return serving->controllers().empty(); }, 10min));
  }
  CHECK(heap_in_use() <= before + growth_max);
  bool stopped = false;
  serving->stop([&] { stopped = true; });
  CHECK(on.run_until([&] { return stopped; }, 10min));
}

TEST_CASE("over TCP hosts come and go, and heap and descriptors are as they were") {
  reactor_thread there, here;
  transport_registry registry;
  registry.add(make_tcp_transport());
  std::unique_ptr<target> serving;
  association_options options;
  there.call([&] {
    serving = make_target(registry, there.on());
    listener_options at;
    at.at = {"127.0.0.1", 0};
    const auto bound = serving->listen(at);
    REQUIRE(bound);
    options = options_for(*bound, "tcp");
  });
  std::size_t before = 0, descriptors = SIZE_MAX;
  for (int n = 0; n < warm_up + cycles(); ++n) {
    std::unique_ptr<cycle> c;
    const auto until = [&](reactor_thread& on, auto done) {
      const auto end = std::chrono::steady_clock::now() + 60s;
      while (!on.call(done)) REQUIRE(std::chrono::steady_clock::now() < end);
    };
    here.call([&] {
      c = std::make_unique<cycle>(registry, here.on(), options);
      c->begin();
    });
    until(here, [&] { return c->over; });
    bool down = n % 3 == 2;
    if (!down) here.call([&] { c->host->shutdown([&](std::error_code) { down = true; }); });
    until(here, [&] { return down; });
    here.call([&] { c.reset(); });
    until(there, [&] { return serving->controllers().empty(); });
    if (n < warm_up) {
      descriptors = std::min(descriptors, open_descriptors());  // some still linger
      continue;
    }
    until(there, [&] { return open_descriptors() <= descriptors; });
    if (n == warm_up) before = heap_in_use();
  }
  CHECK(heap_in_use() <= before + growth_max);
  std::promise<void> stopped;
  there.call([&] { serving->stop([&] { stopped.set_value(); }); });
  REQUIRE(stopped.get_future().wait_for(60s) == std::future_status::ready);
  there.call([&] { serving.reset(); });
}
