// SPDX-License-Identifier: BSD-2-Clause
// An association with a target of ours over TCP on the loopback, each on a thread of its own.
#include <doctest/doctest.h>

#include <future>
#include <nvmf/backend.hpp>
#include <nvmf/host.hpp>
#include <nvmf/target.hpp>
#include <tcp/tcp.hpp>

#include "support/raw_bytes.hpp"
#include "support/reactor_thread.hpp"

using namespace nvmf;
using namespace nvmf::test;
using namespace std::chrono_literals;

namespace {

constexpr std::string_view nqn = "nqn.2024-01.io.example:tcp";

// What a thread waits for, set by another.
template <class T>
class later {
 public:
  void set(T value) { promise_.set_value(std::move(value)); }
  T get() {
    auto f = promise_.get_future();
    REQUIRE(f.wait_for(60s) == std::future_status::ready);
    return f.get();
  }

 private:
  std::promise<T> promise_;
};

struct tcp_fixture {
  reactor_thread there, here;
  transport_registry registry;
  std::unique_ptr<target> serving;
  association_options options;
  std::unique_ptr<association> host;  // made and let go on `here`

  explicit tcp_fixture(transport_options offered = {}) {
    registry.add(make_tcp_transport());
    there.call([&] {
      serving = target::make(registry, {&there.on()}, {}, nullptr, {});
      subsystem_options s;
      s.nqn = nqn;
      REQUIRE(serving->add_subsystem(s));
      REQUIRE(serving->add_namespace(nqn, {.store = *make_ram_backend(16 << 20)}));
      listener_options at;
      at.at = {"127.0.0.1", 0};
      at.settings = offered;
      const auto bound = serving->listen(at);
      REQUIRE(bound);
      options.to = *bound;
    });
    options.subsystem_nqn = nqn;
    options.host_nqn = "nqn.2024-01.io.example:host";
    options.host_id[0] = std::byte{1};
    options.io_queues = 2;
    options.async_events = 1;
  }
  std::expected<void, host_failure> start() {
    later<std::expected<void, host_failure>> up;
    here.call([&] {
      host = association::start(registry, here.on(), options,
                                {.on_stage = {},
                                 .on_up = [&](auto r) { up.set(std::move(r)); },
                                 .on_lost = {},
                                 .on_async_event = {}});
    });
    return up.get();
  }
  command_result run(std::uint16_t qid, const sqe_bytes& sqe, const memdesc& mem, direction way) {
    later<command_result> done;
    here.call([&] {
      host->submit(qid, sqe, mem, way, 0ms, [&](const command_result& r) { done.set(r); });
    });
    return done.get();
  }
  void stop_target() {
    later<bool> stopped;
    there.call([&] { serving->stop([&] { stopped.set(true); }); });
    stopped.get();
    there.call([&] { serving.reset(); });
  }
  ~tcp_fixture() {
    here.call([&] { host.reset(); });
    if (serving) stop_target();
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

TEST_CASE("over TCP: up, data in capsules and by R2T, both digests, shut down") {
  for (const bool digests : {false, true}) {
    CAPTURE(digests);
    transport_options offered;
    offered.header_digest = offered.data_digest = digests;
    tcp_fixture t(offered);
    t.options.transport_settings.header_digest = digests;
    t.options.transport_settings.data_digest = digests;
    t.options.disable_sq_flow_control = digests;
    const auto up = t.start();
    if (!up) FAIL(up.error().detail);
    t.here.call([&] {
      CHECK(t.host->io_queues() == 2);
      CHECK(t.host->queue_limits(0).header_digest == digests);
      CHECK(t.host->limits().size() > 20);
    });
    // In the capsule, at its limit, and beyond it.
    for (const std::uint32_t blocks : {1u, 16u, 17u, 256u}) {
      CAPTURE(blocks);
      std::vector<std::byte> out(blocks * 512), in(blocks * 512);
      for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<std::byte>(i * 7 + blocks);
      const auto wrote = t.run(1, io_command(1, blocks, blocks),
                               memdesc::of(std::span<const std::byte>(out)), direction::send);
      CHECK(wrote.ok());
      CHECK(wrote.bytes == out.size());
      const auto read =
          t.run(2, io_command(2, blocks, blocks), memdesc::of(std::span(in)), direction::receive);
      CHECK(read.ok());
      CHECK(in == out);
    }
    later<std::error_code> over;
    t.here.call([&] { t.host->shutdown([&](std::error_code e) { over.set(e); }); });
    CHECK_FALSE(over.get());
  }
}

TEST_CASE("over TCP: a wrong NQN is refused with the field that is wrong") {
  tcp_fixture t;
  t.options.subsystem_nqn = "nqn.2024-01.io.example:other";
  const auto up = t.start();
  REQUIRE_FALSE(up);
  CHECK(up.error().stage == host_stage::fabrics_connect);
  CHECK(up.error().status.raw_code() == 0x182);
  CHECK(up.error().cqe_dw0 == 0x0001'0100);  // IATTR 1: the data; IPO 256
  // The SQE as it went out: its SGL says where the data was.
  CHECK(peek(up.error().sent_sqe, 32, 4) == 1024);
  CHECK(text_at(up.error().sent_data, 256, t.options.subsystem_nqn.size()) ==
        t.options.subsystem_nqn);
}

TEST_CASE("over TCP: a target that stops is a loss that is told once") {
  tcp_fixture t;
  later<host_failure> lost;
  later<bool> up;
  t.here.call([&] {
    t.host = association::start(t.registry, t.here.on(), t.options,
                                {.on_stage = {},
                                 .on_up = [&](auto r) { up.set(r.has_value()); },
                                 .on_lost = [&](const host_failure& f) { lost.set(f); },
                                 .on_async_event = {}});
  });
  REQUIRE(up.get());
  t.stop_target();
  const host_failure f = lost.get();
  CHECK(f.stage == host_stage::ready);
  CHECK((f.code == errc::closed || f.code == errc::reset));
}

TEST_CASE("over TCP: a closed port, and one where nothing is said") {
  tcp_fixture t;
  SUBCASE("closed") {
    t.stop_target();
    const auto up = t.start();
    REQUIRE_FALSE(up);
    CHECK(up.error().stage == host_stage::connect);
    CHECK(up.error().code == std::errc::connection_refused);
  }
  SUBCASE("the connection is given up in the middle") {
    for (int i = 0; i < 20; ++i) {
      later<bool> ended;
      t.here.call([&] {
        t.host = association::start(t.registry, t.here.on(), t.options,
                                    {.on_stage = {},
                                     .on_up = [&](auto r) { ended.set(r.has_value()); },
                                     .on_lost = {},
                                     .on_async_event = {}});
      });
      // On the reactor again, some turns later: wherever the bring-up is by then.
      t.here.call([&] { t.host.reset(); });
      ended.get();
    }
  }
}
