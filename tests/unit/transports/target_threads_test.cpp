// SPDX-License-Identifier: BSD-2-Clause
// A target on three reactors, hosts on two more, all of them real threads: I/O, namespaces that
// come and go, hosts that leave without a word, stop. Under ThreadSanitizer this is what "no lock
// on the data path" is held to.
#include <doctest/doctest.h>

#include <latch>
#include <loop/loop.hpp>
#include <nvmf/host.hpp>
#include <nvmf/target.hpp>
#include <tcp/tcp.hpp>

#include "support/raw_bytes.hpp"
#include "support/reactor_thread.hpp"

using namespace nvmf;
using namespace nvmf::test;

namespace {

constexpr std::string_view sub_nqn = "nqn.2026-11.io.example:threads";
constexpr std::uint32_t span_blocks = 256;  // blocks that a host has to itself

// One host: writes its blocks with a changing pattern, reads them back, compares. Everything but
// the constructor and wait() happens on its reactor.
class worker {
 public:
  worker(const transport_registry& registry, reactor_thread& on, endpoint to,
         std::string_view transport, unsigned number, int rounds)
      : on_(on), number_(number), rounds_(rounds) {
    on_.call([&] {
      association_options o;
      o.transport = transport;
      o.to = std::move(to);
      o.subsystem_nqn = sub_nqn;
      o.host_nqn = "nqn.2026-11.io.example:host-" + std::to_string(number);
      o.host_id.fill(static_cast<std::byte>(number + 1));
      o.io_queues = 2;
      o.disable_sq_flow_control = number % 2 == 1;
      association_ = association::start(
          registry, on_.on(), std::move(o),
          {.on_stage = nullptr,
           .on_up =
               [this](std::expected<void, host_failure> up) {
                 if (!up) return finish(up.error().detail);
                 for (std::uint16_t chain = 0; chain < chains; ++chain) write(chain, rounds_);
               },
           .on_lost = [this](const host_failure& f) { finish("lost: " + f.detail); },
           .on_async_event = nullptr});
    });
  }

  // Nothing, or what went wrong.
  std::string wait() {
    ended_.wait();
    return on_.call([&] { return problem_; });
  }
  void leave() {
    on_.call([&] { association_ = nullptr; });
  }

 private:
  static constexpr std::uint16_t chains = 8;  // commands in flight
  static constexpr std::uint32_t chain_blocks = span_blocks / chains;
  using memory = std::array<std::byte, chain_blocks * 512>;

  // Even chains are small enough for the capsule.
  std::uint32_t blocks(std::uint16_t chain) const { return chain % 2 == 0 ? 8 : chain_blocks; }
  std::uint64_t lba(std::uint16_t chain) const {
    return number_ * span_blocks + chain * chain_blocks;
  }
  void fill(memory& m, std::uint16_t chain, int round) const {
    for (std::size_t i = 0; i < m.size(); ++i)
      m[i] = static_cast<std::byte>(
          (i + number_ * 3 + chain * 5u + static_cast<unsigned>(round) * 7) & 0xff);
  }
  void submit(std::uint16_t chain, std::uint8_t opcode, const memdesc& mem, direction way,
              std::move_only_function<void()> next) {
    const auto n = blocks(chain) * 512;
    const raw_sqe s = block_sqe(opcode, 0, 1, lba(chain), blocks(chain), n);
    const auto qid = static_cast<std::uint16_t>(chain % 2 + 1);
    association_->submit(qid, s, mem.window(0, n), way, {},
                         [this, then = std::move(next)](const command_result& r) mutable {
                           if (!problem_.empty() || finished_) return;
                           if (!r.ok()) return finish("a command failed");
                           then();
                         });
  }
  void write(std::uint16_t chain, int round) {
    fill(out_[chain], chain, round);
    submit(chain, 0x01, memdesc::of(std::span<std::byte>{out_[chain]}), direction::send,
           [this, chain, round] { read(chain, round); });
  }
  void read(std::uint16_t chain, int round) {
    in_[chain].fill(std::byte{0});
    submit(chain, 0x02, memdesc::of(std::span<std::byte>{in_[chain]}), direction::receive,
           [this, chain, round] {
             const auto n = blocks(chain) * 512;
             if (!std::equal(in_[chain].begin(), in_[chain].begin() + n, out_[chain].begin()))
               return finish("what was read is not what was written");
             if (round > 0) return write(chain, round - 1);
             if (++chains_done_ == chains) finish({});
           });
  }
  void finish(std::string problem) {
    if (std::exchange(finished_, true)) return;
    problem_ = std::move(problem);
    ended_.count_down();
  }

  reactor_thread& on_;
  const unsigned number_;
  const int rounds_;
  std::unique_ptr<association> association_;
  std::array<memory, chains> out_{}, in_{};
  int chains_done_ = 0;
  bool finished_ = false;
  std::string problem_;
  std::latch ended_{1};
};

void run(const std::shared_ptr<transport>& net, const endpoint& at) {
  transport_registry registry;
  registry.add(net);
  std::array<reactor_thread, 2> hosts;
  std::array<reactor_thread, 3> reactors;
  std::atomic<int> notices{0};
  std::unique_ptr<target> t = reactors[0].call([&] {
    return target::make(registry, {&reactors[0].on(), &reactors[1].on(), &reactors[2].on()}, {},
                        nullptr, {.on_notice = [&](std::string_view) { ++notices; }});
  });
  const endpoint where = reactors[0].call([&] {
    REQUIRE(t->add_subsystem({.nqn = std::string(sub_nqn)}).has_value());
    REQUIRE(t->add_namespace(sub_nqn, {.store = *make_ram_backend(16 << 20)}) == 1);
    auto e = t->listen({.transport = std::string(net->type()), .at = at});
    REQUIRE(e.has_value());
    return *e;
  });

  // Some work to their end, some leave in the middle of it.
  std::vector<std::unique_ptr<worker>> stay, leave;
  for (unsigned i = 0; i < 4; ++i) {
    stay.push_back(std::make_unique<worker>(registry, hosts[i % 2], where, net->type(), i, 60));
    leave.push_back(
        std::make_unique<worker>(registry, hosts[i % 2], where, net->type(), 8 + i, 1'000'000));
  }
  for (int i = 0; i < 20; ++i) {
    const auto nsid = reactors[0].call(
        [&] { return t->add_namespace(sub_nqn, {.store = *make_ram_backend(1 << 20)}).value(); });
    if (i % 5 == 4) leave[static_cast<std::size_t>(i / 5)]->leave();
    CHECK(reactors[0].call([&] { return t->remove_namespace(sub_nqn, nsid).has_value(); }));
    reactors[0].call([&] { return t->controllers().size(); });
  }
  for (const auto& w : stay) CHECK(w->wait() == "");

  std::latch stopped(1);
  reactors[0].call([&] { t->stop([&] { stopped.count_down(); }); });
  stopped.wait();
  CHECK(reactors[0].call([&] { return t->controllers().size(); }) == 0);
  CHECK(notices > 8);
  for (const auto& w : stay) w->leave();
  reactors[0].call([&] { t = nullptr; });
}

}  // namespace

TEST_CASE("target on several threads: loop") { run(make_loop_transport(), {"threads", 0}); }
TEST_CASE("target on several threads: tcp") { run(make_tcp_transport(), {"127.0.0.1", 0}); }
