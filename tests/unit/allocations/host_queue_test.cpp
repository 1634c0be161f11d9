// SPDX-License-Identifier: BSD-2-Clause
// Submitting and completing commands takes no memory from the heap once a queue is warm.
#include <doctest/doctest.h>

#include "core/host/queue.hpp"
#include "counter.hpp"
#include "support/raw_bytes.hpp"
#include "support/virtual_executor.hpp"

using namespace nvmf;
using namespace nvmf::test;
using namespace std::chrono_literals;

namespace {

// A transport that does nothing but keep slots, so that all that is counted is the queue's own.
class lean_qpair final : public transport_qpair {
 public:
  explicit lean_qpair(executor& on) {
    who_ = {.id = next_qpair_id(), .side = role::host, .peer = "", .local = "", .runs_on = &on};
    for (std::size_t i = 0; i < slots.size(); ++i) {
      slots[i].owner = this;
      slots[i].index = static_cast<std::uint16_t>(i);
    }
    response.owner = this;
    response.command = false;
  }
  void start(qpair_callbacks c) override { callbacks = std::move(c); }
  void set_queue(std::uint16_t, std::uint32_t, bool) override {}
  void set_max_in_capsule(std::uint32_t) override {}
  qpair_limits limits() const override { return {}; }
  capsule_slot* allocate(bool) override {
    for (std::size_t i = 0; i < slots.size(); ++i)
      if (!taken[i]) {
        taken[i] = true;
        slots[i].transmitted = false;
        slots[i].way = direction::none;
        return &slots[i];
      }
    return nullptr;
  }
  void release(capsule_slot* s) noexcept override {
    if (s->command) taken[s->index] = false;
  }
  std::error_code transmit(capsule_slot* s) override {
    s->transmitted = true;
    sent[count++] = s->index;
    return {};
  }
  std::error_code withdraw_data(capsule_slot*, std::error_code) override { return {}; }
  nvme_status validate_command(const capsule_slot*) const override { return {}; }
  std::span<const std::byte> in_capsule_data(const capsule_slot*) const override { return {}; }
  std::error_code receive_controller_data(capsule_slot*, std::uint32_t, const memdesc&,
                                          std::uint32_t, data_callback) override {
    return errc::wrong_role;
  }
  send_answer send_controller_data(capsule_slot*, std::uint32_t, buffer, bool) override {
    return {send_result::failed, {}};
  }
  void close(bool) override {}
  void defer(task t) override { t(); }

  // Answers all that was sent.
  void answer() {
    const std::size_t n = std::exchange(count, 0);
    const auto cids = sent;
    for (std::size_t i = 0; i < n; ++i) {
      capsule_slot& s = slots[cids[i]];
      if (s.way != direction::none) {
        s.way = direction::none;
        auto done = std::exchange(s.on_data, nullptr);
        done(s.length, {});
      }
      put(response.entry, 12, 2, cids[i]);
      callbacks.on_receive(make_handle(&response));
    }
  }

  static constexpr std::size_t entries = 64;
  std::array<capsule_slot, entries> slots{};
  std::array<bool, entries> taken{};
  std::array<std::uint16_t, entries> sent{};
  std::size_t count = 0;
  capsule_slot response;
  qpair_callbacks callbacks;
};

struct no_owner final : host_queue::owner {
  void queue_failed(host_queue&, const qpair_error&) override { FAIL("the queue failed"); }
  bool abort(host_queue&, std::uint16_t) override { return false; }
  void refuse(command_callback&&, std::error_code) override { FAIL("refused"); }
};

}  // namespace

TEST_CASE("the data path of a host queue does not allocate, waiting commands included") {
  virtual_executor on;
  no_owner owner;
  lifeline life;
  life.ended = [](void*) {};
  auto lean = std::make_shared<lean_qpair>(on);
  host_queue queue(owner, life, on, qpair(lean), 1, 32);
  queue.start();
  std::vector<std::byte> memory(512);
  const memdesc mem = memdesc::of(std::span(memory));
  sqe_bytes sqe{};
  struct tally {
    std::size_t ended = 0, sent = 0;
  } n;
  const auto submit = [&] {
    ++n.sent;
    queue.submit(sqe, mem, direction::receive, on.now() + 10s,
                 [&n](const command_result& r) { n.ended += r.ok() ? 1u : 0u; });
  };
  const auto round = [&] {
    for (int i = 0; i < 48; ++i) submit();  // 32 go out, 16 wait
    while (lean->count > 0) lean->answer();
  };
  round();  // warm
  REQUIRE(n.ended == n.sent);
  const std::size_t before = allocations;
  for (int i = 0; i < 100; ++i) round();
  CHECK(allocations == before);
  CHECK(n.ended == n.sent);
  CHECK(n.sent == 101 * 48);
  queue.close(errc::aborted, false);
}
