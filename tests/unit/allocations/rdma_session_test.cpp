// SPDX-License-Identifier: BSD-2-Clause
// After warm-up the commands of an RDMA session take no memory from the heap, at either end. The
// made-up device and the executors may: what is counted are the calls into a session, not its calls
// of them.
#include <doctest/doctest.h>

#include <nvmf/transport.hpp>
#include <optional>

#include "counter.hpp"
#include "rdma/rdma.hpp"
#include "support/fake_verbs.hpp"
#include "support/virtual_executor.hpp"

using namespace nvmf;
using namespace nvmf::test;
using namespace std::chrono_literals;

namespace {

// Allocations made while the code that runs belongs to a session.
class account {
 public:
  explicit account(bool ours) : before_(counting_) { turn(ours); }
  ~account() { turn(before_); }
  account(const account&) = delete;
  account& operator=(const account&) = delete;
  static std::size_t ours() { return total_ + (counting_ ? allocations - mark_ : 0); }

 private:
  static void turn(bool on) {
    if (counting_) total_ += allocations - mark_;
    mark_ = allocations;
    counting_ = on;
  }
  static inline bool counting_ = false;
  static inline std::size_t mark_ = 0, total_ = 0;
  bool before_;
};
struct ours : account {
  ours() : account(true) {}
};
struct theirs : account {
  theirs() : account(false) {}
};

// What a session posts is its own, how it is kept is not.
class counting_executor final : public executor {
 public:
  explicit counting_executor(virtual_time& time) : inner_(time) {}
  time_point now() const noexcept override { return inner_.now(); }
  void post(task t) override {
    const theirs since;
    inner_.post([t = std::move(t)]() mutable {
      const ours within;
      std::exchange(t, {})();
    });
  }
  timer_id start_timer(time_point when, task t) override {
    const theirs since;
    return inner_.start_timer(when, std::move(t));
  }
  void cancel_timer(timer_id id) noexcept override { inner_.cancel_timer(id); }

 private:
  virtual_executor inner_;
};

class counting_link final : public rdma::link, rdma::link_events {
 public:
  explicit counting_link(std::unique_ptr<rdma::link> inner) : inner_(std::move(inner)) {}
  void tell(rdma::link_events* who) override {
    const theirs since;
    who_ = who;
    inner_->tell(who == nullptr ? nullptr : this);
  }
  void move_to(executor&) override {}
  void resolve(const endpoint& to, const std::string& source,
               std::chrono::milliseconds timeout) override {
    inner_->resolve(to, source, timeout);
  }
  std::error_code connect(const rdma::cm_terms& terms) override { return inner_->connect(terms); }
  std::error_code accept(const rdma::cm_terms& terms) override { return inner_->accept(terms); }
  void reject(std::span<const std::byte> data) override { inner_->reject(data); }
  void disconnect() override { inner_->disconnect(); }
  std::string peer() const override { return inner_->peer(); }
  std::string local() const override { return inner_->local(); }
  endpoint reached() const override { return inner_->reached(); }
  const rdma::device_limits& limits() const override { return inner_->limits(); }
  std::error_code make_queue(const rdma::queue_shape& shape) override {
    return inner_->make_queue(shape);
  }
  std::expected<std::unique_ptr<rdma::region>, std::error_code> allocate(
      std::size_t bytes, rdma::access rights) override {
    return inner_->allocate(bytes, rights);
  }
  std::expected<std::uint32_t, std::error_code> make_window() override {
    return inner_->make_window();
  }
  rdma::posting post_all(std::span<const rdma::work_request> chain) override {
    const theirs since;
    return inner_->post_all(chain);
  }
  std::error_code post_receive(std::uint64_t id, const rdma::piece& into) override {
    const theirs since;
    return inner_->post_receive(id, into);
  }
  std::size_t poll(std::span<rdma::completion> into) override {
    const theirs since;
    return inner_->poll(into);
  }
  void arm() override {
    const theirs since;
    inner_->arm();
  }
  void arm_sends() override {
    const theirs since;
    inner_->arm_sends();
  }
  void fail() override { inner_->fail(); }

 private:
  void on_cm(const rdma::cm_event& e) override {
    const ours within;
    if (who_ != nullptr) who_->on_cm(e);
  }
  void on_completions() override {
    const ours within;
    if (who_ != nullptr) who_->on_completions();
  }
  rdma::link_events* who_ = nullptr;
  std::unique_ptr<rdma::link> inner_;
};

class counting_verbs final : public rdma::verbs {
 public:
  counting_verbs(std::shared_ptr<fake_fabric> of, executor& device)
      : inner_(std::move(of)), device_(device) {}
  std::expected<std::unique_ptr<rdma::link>, std::error_code> open(executor&) override {
    return std::make_unique<counting_link>(std::move(*inner_.open(device_)));
  }
  std::expected<std::unique_ptr<rdma::port>, std::error_code> listen(
      executor&, const endpoint& at,
      std::function<void(rdma::cm_request_event)> on_request) override {
    return inner_.listen(device_, at, [on_request](rdma::cm_request_event e) {
      e.from = std::make_unique<counting_link>(std::move(e.from));
      on_request(std::move(e));
    });
  }

 private:
  fake_verbs inner_;
  executor& device_;
};

constexpr int flush_op = 0, write_op = 1, read_op = 2;
constexpr std::size_t most = std::size_t{1} << 20;

// Both ends, with programs that allocate nothing.
class lean_pair {
 public:
  lean_pair(bool windows, std::uint32_t depth) : depth_(depth) {
    fabric_->limits.windows = windows;
    params_.admin = false;
    params_.qid = 1;
    params_.queue_size = depth;
    params_.options.max_in_capsule = 4096;
    auto made = provider_->listen(
        right_, {.host = "here", .port = 0}, params_, [this]() -> executor& { return right_; },
        [this](qpair q) { controller_ = std::move(q); });
    REQUIRE(made.has_value());
    std::optional<std::expected<connected, connect_error>> outcome;
    provider_->connect(left_, {.host = "here", .port = 0}, params_,
                       [&](auto result) { outcome = std::move(result); });
    time_.run();
    REQUIRE(outcome.has_value());
    REQUIRE(outcome->has_value());
    REQUIRE(controller_);
    host_ = std::move((*outcome)->queue);
    host_.set_max_in_capsule(4096);
    controller_.start({.on_receive = [this](capsule c) { serve(c); },
                       .on_error = [](const qpair_error&) { FAIL("the controller's end"); }});
    host_.start({.on_receive = [this](const capsule&) { ++responses; },
                 .on_error = [](const qpair_error&) { FAIL("the host's end"); }});
    time_.run();
  }
  ~lean_pair() {
    host_ = {};
    controller_ = {};
    time_.advance(10s);
  }
  lean_pair(const lean_pair&) = delete;
  lean_pair& operator=(const lean_pair&) = delete;

  // As many at once as the queue holds.
  void round(int opcode, std::size_t bytes) {
    for (std::uint32_t i = 0; i < depth_; ++i) {
      const ours within;
      sqe_bytes sqe{};
      sqe[0] = static_cast<std::byte>(opcode);
      auto c = host_.allocate_command(sqe);
      REQUIRE(c.has_value());
      const auto way = opcode == write_op ? direction::send : direction::receive;
      const auto mem = memdesc::of(std::span{memory_});
      const auto refused =
          host_.append_data(*c, mem, bytes, way, [this](std::size_t n, std::error_code e) {
            if (!e) moved += n;
          });
      REQUIRE_FALSE(refused);
      REQUIRE_FALSE(host_.transmit(*c));
    }
    time_.run();
  }

  std::size_t responses = 0, moved = 0;

 private:
  void serve(const capsule& c) {
    const std::uint16_t cid = c.cid();
    const std::uint32_t n = controller_.data_length(c);
    const int code = std::to_integer<int>(c.sqe()[0]);
    const auto bytes = std::span{served_}.first(n);
    if (code == read_op)
      static_cast<void>(
          controller_.send_controller_data(c, 0, buffer(bytes, nullptr, nullptr), true));
    if (code != write_op) return respond(cid);
    const auto refused = controller_.receive_controller_data(
        c, 0, memdesc::of(bytes), n, [this, cid](std::size_t, std::error_code error) {
          if (!error) respond(cid);
        });
    if (refused) FAIL("data was refused");
  }
  void respond(std::uint16_t cid) {
    cqe_bytes cqe{};
    cqe[12] = static_cast<std::byte>(cid & 0xff);
    cqe[13] = static_cast<std::byte>(cid >> 8);
    if (auto r = controller_.allocate_response(cqe))
      static_cast<void>(controller_.transmit_response(std::move(*r)));
  }

  std::uint32_t depth_;
  virtual_time time_;
  counting_executor left_{time_}, right_{time_};
  virtual_executor device_{time_};
  std::shared_ptr<fake_fabric> fabric_ = std::make_shared<fake_fabric>();
  std::shared_ptr<transport> provider_ =
      make_rdma_transport(std::make_shared<counting_verbs>(fabric_, device_), {});
  qpair_params params_;
  qpair host_, controller_;
  std::vector<std::byte> memory_ = std::vector<std::byte>(most);
  std::vector<std::byte> served_ = std::vector<std::byte>(most);
};

}  // namespace

TEST_CASE("rdma: no allocation per command after warm-up, at either end") {
  struct row {
    const char* name;
    int opcode;
    std::size_t bytes;
  };
  const row rows[] = {
      {"without data", flush_op, 0},
      {"4 KiB read", read_op, 4096},
      {"128 KiB read", read_op, 131'072},
      {"1 MiB read", read_op, most},
      {"write in the capsule", write_op, 4096},
      {"12 KiB write", write_op, 12'288},
      {"1 MiB write", write_op, most},
  };
  for (const bool windows : {false, true})
    for (const std::uint32_t depth : {2u, 16u}) {
      lean_pair p(windows, depth);
      const std::size_t cold = account::ours();
      for (const row& r : rows) {
        INFO(std::string(r.name), ", windows: ", windows, ", depth: ", depth);
        for (int warm = 0; warm < 2; ++warm) p.round(r.opcode, r.bytes);
        const std::size_t before = account::ours(), answered = p.responses, moved = p.moved;
        for (int i = 0; i < 10; ++i) p.round(r.opcode, r.bytes);
        CHECK(account::ours() == before);
        const std::size_t commands = std::size_t{10} * depth;
        CHECK(p.responses == answered + commands);
        CHECK(p.moved == moved + commands * r.bytes);
      }
      // Getting warm was seen, so this counts.
      CHECK(account::ours() > cold);
    }
}
