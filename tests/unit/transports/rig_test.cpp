// SPDX-License-Identifier: BSD-2-Clause
// The rig itself, the transports it runs over, and the tests of the registry with real providers.
#include <nvmf/fault.hpp>

#include "rig.hpp"

#include <algorithm>
#include <boost/asio/executor_work_guard.hpp>

#include "core/reactor.hpp"
#include "loop/loop.hpp"
#include "rdma/rdma.hpp"
#include "support/fake_verbs.hpp"
#include "support/virtual_executor.hpp"
#include "tcp/tcp.hpp"
#include "wire/layouts/entries.hpp"

namespace nvmf::test {
namespace {

using namespace std::chrono_literals;

// Virtual time; both ends on one executor or on two that take turns.
class virtual_world final : public world {
 public:
  explicit virtual_world(bool two) : left_(time_), right_(time_), two_(two) {}
  executor& host_on() override { return left_; }
  executor& controller_on() override { return two_ ? right_ : left_; }
  bool until(const std::function<bool()>& done) override { return time_.run_until(done, 1min); }
  void spin() override {
    time_.run();
    while (time_.next_timer() && *time_.next_timer() - time_.now() < 1s)
      time_.advance_to_next_timer();
  }
  bool spin_settles() const override { return true; }

 private:
  virtual_time time_;
  virtual_executor left_, right_;
  bool two_;
};

// Real time and real sockets, driven from the test's own thread.
class reactor_world final : public world {
 public:
  executor& host_on() override { return reactor_; }
  executor& controller_on() override { return reactor_; }
  bool until(const std::function<bool()>& done) override {
    const auto limit = std::chrono::steady_clock::now() + 60s;
    while (!done())
      if (reactor_.context().run_one_until(limit) == 0) return false;
    return true;
  }
  void spin() override {
    while (reactor_.context().poll() != 0) {
    }
  }
  bool spin_settles() const override { return false; }

 private:
  reactor reactor_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> keep_{
      reactor_.context().get_executor()};
};

profile tcp_profile(std::string name, transport_options settings) {
  return {.name = std::move(name),
          .make = make_tcp_transport,
          .make_world = std::make_unique<reactor_world>,
          .at = {.host = "127.0.0.1", .port = 0},
          .settings = settings,
          .rounds = 300};
}

// Over a device made of memory, in virtual time.
profile rdma_profile(std::string name, const fake_fabric& fabric, rdma::session_limits limits,
                     bool two_executors) {
  return {.name = std::move(name),
          .make =
              [=] {
                return make_rdma_transport(
                    std::make_shared<fake_verbs>(std::make_shared<fake_fabric>(fabric)), limits);
              },
          .make_world = [=] { return std::make_unique<virtual_world>(two_executors); },
          .at = {.host = "fake:here", .port = 0}};
}

// The same with a fault plan that never fires at both ends: nothing of the contract may change.
profile with_idle_plans(profile p) {
  p.name += ", with fault plans";
  p.make = [make = p.make]() -> std::shared_ptr<transport> {
    std::shared_ptr<transport> made = make();
    for (const role side : {role::host, role::controller})
      made = with_faults(made, *faults::make("when conn==0: reset", {.side = side}));
    return made;
  };
  p.rounds = std::min<std::size_t>(p.rounds, 300);
  return p;
}

std::vector<profile> all_profiles() {
  std::vector<profile> v;
  v.push_back(loop_profile("loop", {}, false));
#ifndef __SANITIZE_THREAD__  // it would take half a minute of one thread
  v.back().rounds = 10'000;
#endif
  v.push_back(loop_profile("loop, two executors", {.data_chunk = 1000}, true));
  v.push_back(loop_profile("loop, few tags", {.data_chunk = 4096, .fetch_tags = 3}, false));
  v.push_back(loop_profile("loop, like RDMA", rdma_like({.seed = 5, .data_chunk = 512}), true));
  for (std::uint64_t seed : {1u, 2u, 3u}) {
    loop_options o{.seed = seed,
                   .jitter = 20ms,
                   .reorder = seed != 1,
                   .shuffle_callbacks = true,
                   .data_chunk = 700,
                   .fetch_tags = seed == 3 ? 2u : 0u};
    if (seed == 3) o = rdma_like(o);
    v.push_back(loop_profile("loop, by lot " + std::to_string(seed), o, true));
  }
  v.push_back(tcp_profile("tcp", {}));
  transport_options hard;
  hard.header_digest = hard.data_digest = true;
  hard.alignment = 64;
  hard.max_h2c_data = 4096;
  v.push_back(tcp_profile("tcp, digests and short PDUs", hard));
  v.push_back(rdma_profile("rdma", {}, {}, false));
  fake_fabric windows;
  windows.limits.windows = true;
  windows.limits.max_inline = 0;
  v.push_back(rdma_profile("rdma, keys for each command", windows, {.piece_bytes = 4096}, true));
  // Little of everything: commands, data and responses wait for each other.
  fake_fabric little;
  little.limits.max_work_requests = 1100;
  little.limits.max_reads_out = little.limits.max_reads_in = 1;
  v.push_back(rdma_profile("rdma, short of everything", little, {.piece_bytes = 1000}, true));
  v.push_back(with_idle_plans(loop_profile("loop", {.data_chunk = 1000}, false)));
  v.push_back(with_idle_plans(tcp_profile("tcp", {})));
  v.push_back(with_idle_plans(rdma_profile("rdma", {}, {}, false)));
  return v;
}

}  // namespace

profile loop_profile(std::string name, loop_options options, bool two_executors) {
  const bool ordered = !options.reorder;
  return {.name = std::move(name),
          .make = [options] { return make_loop_transport(options); },
          .make_world = [two_executors] { return std::make_unique<virtual_world>(two_executors); },
          .at = {.host = "here", .port = 0},
          .ordered = ordered};
}

const std::vector<profile>& profiles() {
  static const std::vector<profile> all = all_profiles();
  return all;
}

rig::rig(const profile& p, rig_options options)
    : provider(p.make()), profile_(p), world_(p.make_world()), options_(options) {
  listen();
  connect();
}

qpair_params rig::params(role side) const {
  qpair_params params;
  params.side = side;
  params.admin = options_.qid == 0;
  params.qid = options_.qid;
  params.queue_size = options_.queue_size;
  params.options = profile_.settings;
  params.watched_by = profile_.watched_by;
  params.options.max_r2t = options_.max_r2t;
  params.options.max_in_capsule = options_.max_in_capsule;
  return params;
}

void rig::listen() {
  auto made = provider->listen(
      world_->controller_on(), profile_.at, params(role::controller),
      [this]() -> executor& { return world_->controller_on(); },
      [this](qpair q) { controller.queue = std::move(q); });
  REQUIRE(made.has_value());
  listener_ = std::move(*made);
}

void rig::connect() {
  auto attempt = provider->connect(world_->host_on(), listener_->where(), params(role::host),
                                   [&](auto result) {
                                     REQUIRE(result.has_value());
                                     host.queue = std::move(result->queue);
                                   });
  REQUIRE_FALSE(host.queue);
  REQUIRE(until([&] { return host.queue && controller.queue; }));
  CHECK(host.queue.side() == role::host);
  CHECK(controller.queue.side() == role::controller);
  CHECK(&host.queue.runs_on() == &world_->host_on());
  CHECK(&controller.queue.runs_on() == &world_->controller_on());
  if (options_.settled) {
    const rig_options& o = options_;
    CHECK_FALSE(controller.queue.set_queue(o.qid, o.queue_size, o.sq_flow_control));
    CHECK_FALSE(host.queue.set_queue(o.qid, o.queue_size, o.sq_flow_control));
    if (o.qid != 0) {
      controller.queue.set_max_in_capsule(o.max_in_capsule);
      host.queue.set_max_in_capsule(o.max_in_capsule);
    }
  }
  const in_call guard;
  if (options_.start_controller) controller.queue.start(controller.callbacks());
  if (options_.start_host) host.queue.start(host.callbacks());
}

void rig::reconnect() {
  end();
  connect();
}

void rig::end() {
  host.got.clear();
  controller.got.clear();
  host.queue.close();
  controller.queue.close();
  host.queue = {};
  controller.queue = {};
  spin();
}

rig::~rig() {
  end();
  CHECK(until([&] { return provider->qpairs() == 0; }));
}

capsule rig::prepare(std::uint8_t opcode) {
  sqe_bytes sqe{};
  wire::set<wire::sqe_layout, "opc">(sqe, opcode);
  auto made = host.queue.allocate_command(sqe);
  REQUIRE(made.has_value());
  return std::move(*made);
}

capsule rig::prepare(std::uint8_t opcode, const memdesc& mem, std::size_t length, watch& data) {
  capsule c = prepare(opcode);
  const in_call guard;
  REQUIRE_FALSE(host.queue.append_data(
      c, mem, length, opcode == op_write ? direction::send : direction::receive, data.callback()));
  return c;
}

void rig::transmit(capsule& command) {
  const in_call guard;
  REQUIRE_FALSE(host.queue.transmit(command));
}

capsule rig::send(std::uint8_t opcode) {
  capsule c = prepare(opcode);
  transmit(c);
  return c;
}

capsule rig::send(std::uint8_t opcode, const memdesc& mem, std::size_t length, watch& data) {
  capsule c = prepare(opcode, mem, length, data);
  transmit(c);
  return c;
}

capsule rig::command() {
  REQUIRE(until([&] { return !controller.got.empty(); }));
  return controller.take();
}

capsule rig::response() {
  REQUIRE(until([&] { return !host.got.empty(); }));
  return host.take();
}

void rig::respond(std::uint16_t cid, std::uint16_t status) {
  cqe_bytes cqe{};
  wire::set<wire::cqe_layout, "cid">(cqe, cid);
  wire::set<wire::cqe_layout, "sct">(cqe, status >> 8);
  wire::set<wire::cqe_layout, "sc">(cqe, status & 0xff);
  const in_call guard;
  auto made = controller.queue.allocate_response(cqe);
  REQUIRE(made.has_value());
  REQUIRE_FALSE(controller.queue.transmit_response(std::move(*made)));
}

std::error_code rig::receive(const capsule& c, std::uint32_t offset, const memdesc& mem,
                             std::uint32_t length, watch& data) {
  const in_call guard;
  return controller.queue.receive_controller_data(c, offset, mem, length, data.callback());
}

send_answer rig::give(const capsule& c, std::uint32_t offset, std::span<const std::byte> data,
                      bool last) {
  const in_call guard;
  return controller.queue.send_controller_data(c, offset, buffer::copy_of(data), last);
}

void rig::settle() {
  spin();
  if (world_->spin_settles()) return;
  // What was sent before a command arrives before it, and the same the other way. What others have
  // left to be taken stays.
  auto at_host = std::exchange(host.got, {});
  auto at_controller = std::exchange(controller.got, {});
  const auto held_host = std::exchange(host.on_receive, {});
  const auto held_controller = std::exchange(controller.on_receive, {});
  capsule probe = send(op_none);
  for (bool back = false; !back;) {
    REQUIRE(until([&] { return !host.got.empty() || !controller.got.empty(); }));
    while (!controller.got.empty()) {
      capsule c = controller.take();
      if (c.cid() == probe.cid())
        respond(c.cid());
      else
        at_controller.push_back(std::move(c));
    }
    while (!host.got.empty()) {
      capsule c = host.take();
      if (c.cid() == probe.cid())
        back = true;
      else
        at_host.push_back(std::move(c));
    }
  }
  host.got = std::move(at_host);
  controller.got = std::move(at_controller);
  host.on_receive = held_host;
  controller.on_receive = held_controller;
  spin();
}

std::vector<std::byte> pattern(std::size_t size, unsigned salt) {
  std::vector<std::byte> v(size);
  for (std::size_t i = 0; i < size; ++i)
    v[i] = static_cast<std::byte>((i * 31 + (i >> 8) * 7 + salt * 101) & 0xff);
  return v;
}

std::uint16_t status_of(const capsule& response) {
  return static_cast<std::uint16_t>(wire::get<wire::cqe_layout, "sct">(response.cqe()) << 8 |
                                    wire::get<wire::cqe_layout, "sc">(response.cqe()));
}

std::uint16_t sqhd_of(const capsule& response) {
  return static_cast<std::uint16_t>(wire::get<wire::cqe_layout, "sqhd">(response.cqe()));
}

}  // namespace nvmf::test
