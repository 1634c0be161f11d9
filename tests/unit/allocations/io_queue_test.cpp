// SPDX-License-Identifier: BSD-2-Clause
// After warm-up an I/O command of a target allocates nothing.
#include <doctest/doctest.h>

#include <array>
#include <nvmf/target.hpp>
#include <nvmf/transport.hpp>

#include "core/command_data.hpp"
#include "counter.hpp"
#include "support/accepting_transport.hpp"
#include "support/raw_bytes.hpp"
#include "support/virtual_executor.hpp"

using namespace nvmf;
using namespace nvmf::test;

namespace {

constexpr std::string_view sub_nqn = "nqn.2026-11.io.example:lean";

// A queue of fixed slots that allocates nothing itself.
class lean_queue final : public transport_qpair {
 public:
  explicit lean_queue(executor& on) {
    who_ = {.id = 1,
            .side = role::controller,
            .caps = {.offset_sgl = true},
            .peer = "host",
            .local = "target",
            .runs_on = &on};
  }
  void start(qpair_callbacks callbacks) override { callbacks_ = std::move(callbacks); }
  void set_queue(std::uint16_t, std::uint32_t, bool) override {}
  void set_max_in_capsule(std::uint32_t) override {}
  qpair_limits limits() const override { return {}; }
  capsule_slot* allocate(bool command) override {
    for (capsule_slot& s : slots_)
      if (!s.handle_live) {
        s.owner = this;
        s.command = command;
        return &s;
      }
    return nullptr;
  }
  void release(capsule_slot*) noexcept override {}
  std::error_code transmit(capsule_slot* s) override {
    std::copy_n(s->entry.begin(), 16, last.begin());
    ++responses;
    return {};
  }
  std::error_code withdraw_data(capsule_slot*, std::error_code) override { return {}; }
  nvme_status validate_command(const capsule_slot* s) const override {
    return check_sgl(s->entry, static_cast<std::uint32_t>(carried_.size()),
                     {.max_in_capsule = 8192});
  }
  std::span<const std::byte> in_capsule_data(const capsule_slot*) const override {
    return carried_;
  }
  std::error_code receive_controller_data(capsule_slot*, std::uint32_t, const memdesc&,
                                          std::uint32_t length, data_callback done) override {
    fetch_ = std::move(done);
    fetch_length_ = length;
    return {};
  }
  send_answer send_controller_data(capsule_slot*, std::uint32_t, buffer data, bool) override {
    sent += data.size();
    return {send_result::success};
  }
  void close(bool) override {}
  void defer(task t) override { t(); }

  void deliver(const raw_sqe& s, std::span<const std::byte> carried) {
    carried_ = carried;
    capsule_slot* slot = allocate(true);
    slot->entry = s;
    callbacks_.on_receive(make_handle(slot));
    if (auto done = std::exchange(fetch_, nullptr)) done(fetch_length_, {});
  }
  unsigned status() const { return static_cast<unsigned>(peek(last, 14, 2) >> 1); }

  cqe_bytes last{};
  std::size_t responses = 0, sent = 0;

 private:
  std::array<capsule_slot, 4> slots_{};
  qpair_callbacks callbacks_;
  std::span<const std::byte> carried_;
  data_callback fetch_;
  std::uint32_t fetch_length_ = 0;
};

}  // namespace

TEST_CASE("no allocation per command after warm-up") {
  virtual_executor on;
  transport_registry registry;
  const auto net = std::make_shared<accepting_transport>();
  registry.add(net);
  const auto t = target::make(registry, {&on}, {}, nullptr, {});
  REQUIRE(t->add_subsystem({.nqn = std::string(sub_nqn)}).has_value());
  REQUIRE(t->add_namespace(sub_nqn, {.store = *make_ram_backend(1 << 24, 4096)}) == 1);
  REQUIRE(t->listen({}).has_value());

  const auto arrive = [&](std::uint16_t qid, std::uint16_t cntlid) {
    auto q = std::make_shared<lean_queue>(on);
    net->accept(qpair(q));
    const auto data = connect_bytes(cntlid, sub_nqn, "nqn.2026-11.io.example:host");
    q->deliver(with(connect_sqe(1, qid, 31), 39, 1, 0x01), data);
    on.run();
    REQUIRE(q->status() == 0);
    return q;
  };
  const auto admin = arrive(0, 0xffff);
  admin->deliver(property_set_sqe(2, 0x14, cc_enabled), {});
  admin->deliver(with(sqe(0x09, 3), 40, 4, 0x07), {});
  const auto io = arrive(1, 1);

  const std::vector<std::byte> block(4096, std::byte{1});
  std::vector<std::byte> ranges(16);
  put(ranges, 4, 4, 2);
  struct row {
    const char* name;
    raw_sqe s;
    std::span<const std::byte> carried;
  };
  const row rows[] = {
      {"4 KiB read", block_sqe(0x02, 9, 1, 5, 1, 4096), {}},
      {"128 KiB read", block_sqe(0x02, 9, 1, 5, 32, 131'072), {}},
      {"1 MiB read", block_sqe(0x02, 9, 1, 5, 256, 1 << 20), {}},
      {"4 KiB write in the capsule", with(block_sqe(0x01, 9, 1, 5, 1, 4096), 39, 1, 1), block},
      {"compare", with(block_sqe(0x05, 9, 1, 5, 1, 4096), 39, 1, 1), block},
      {"128 KiB write", block_sqe(0x01, 9, 1, 5, 32, 131'072), {}},
      {"verify", block_sqe(0x0c, 9, 1, 5, 32, 0), {}},
      {"write zeroes", block_sqe(0x08, 9, 1, 5, 32, 0), {}},
      {"deallocate", with(with(sqe(0x09, 9, 1, 16), 44, 4, 4), 39, 1, 1), ranges},
      {"flush", sqe(0x00, 9, 1), {}},
  };
  for (const row& r : rows) {
    INFO(std::string(r.name));
    for (int warm = 0; warm < 2; ++warm) {
      io->deliver(r.s, r.carried);
      REQUIRE(io->status() == 0);
    }
    const std::size_t before = allocations, answered = io->responses;
    for (int i = 0; i < 100; ++i) io->deliver(r.s, r.carried);
    const std::size_t after = allocations;
    CHECK(after == before);
    CHECK(io->responses == answered + 100);
  }
  CHECK(io->sent > 0);
}
