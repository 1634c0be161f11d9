// SPDX-License-Identifier: BSD-2-Clause
// A transport without a wire, for tests of a controller: the test is the host and decides when data
// arrives, whether it is whole, and when what was sent is let go of.
#pragma once

#include <algorithm>
#include <cassert>
#include <deque>
#include <map>
#include <memory>
#include <nvmf/transport.hpp>
#include <optional>
#include <vector>

#include "core/command_data.hpp"
#include "raw_bytes.hpp"

namespace nvmf::test {

class fake_queue;

// What is left of a queue when the controller has closed it; the test keeps it.
struct fake_wire {
  std::vector<cqe_bytes> responses;
  std::map<std::uint16_t, std::vector<std::byte>> host_data;  // by CID: what a write fetches
  std::map<std::uint16_t, std::vector<std::byte>> sent;       // by CID: what reads got
  std::vector<std::uint16_t> sent_alone;                      // CIDs that success_sent answered
  struct fetch {
    std::uint16_t cid;
    std::uint32_t offset;
    memdesc mem;
    std::uint32_t length;
    data_callback done;
  };
  std::deque<fetch> fetches;    // held back, when `hold_fetches`
  std::vector<buffer> buffers;  // held back, when `hold_buffers`
  bool hold_fetches = false;
  bool hold_buffers = false;
  bool fail_responses = false;
  std::error_code fetch_error;  // of every fetch that is served
  bool closed = false;
  std::uint32_t queue_size = 0;
  std::uint16_t qid = 0xffff;
  bool flow_control = true;
  std::uint32_t max_in_capsule = 8192;
  fake_queue* queue = nullptr;  // nullptr: gone

  const cqe_bytes* response(std::uint16_t cid) const {
    const auto found =
        std::ranges::find_if(responses, [&](const cqe_bytes& c) { return peek(c, 12, 2) == cid; });
    return found == responses.end() ? nullptr : &*found;
  }
  // SCT and SC of the response as (SCT << 8) | SC; FFFFh: there is none.
  std::uint32_t status(std::uint16_t cid) const {
    const auto* c = response(cid);
    return c == nullptr ? 0xffff : static_cast<std::uint32_t>((peek(*c, 14, 2) >> 1) & 0x7ff);
  }
  std::uint32_t dw0(std::uint16_t cid) const {
    return static_cast<std::uint32_t>(peek(*response(cid), 0, 4));
  }
};

class fake_queue final : public transport_qpair {
 public:
  fake_queue(executor& on, std::shared_ptr<fake_wire> wire) : wire_(std::move(wire)) {
    who_ = {.id = next_qpair_id(),
            .side = role::controller,
            .caps = {.offset_sgl = true},
            .peer = "192.0.2.1:50000",
            .local = "192.0.2.2:4420",
            .runs_on = &on};
    wire_->queue = this;
  }
  ~fake_queue() override { wire_->queue = nullptr; }

  void start(qpair_callbacks callbacks) override { callbacks_ = std::move(callbacks); }
  void set_queue(std::uint16_t qid, std::uint32_t queue_size, bool sq_flow_control) override {
    wire_->qid = qid;
    wire_->queue_size = queue_size;
    wire_->flow_control = sq_flow_control;
  }
  void set_max_in_capsule(std::uint32_t bytes) override { wire_->max_in_capsule = bytes; }
  qpair_limits limits() const override { return {}; }

  capsule_slot* allocate(bool command) override {
    if (!command && wire_->fail_responses) return nullptr;
    auto& s = slots_.emplace_back(std::make_unique<slot>());
    s->owner = this;
    s->command = command;
    return s.get();
  }
  void release(capsule_slot* s) noexcept override {
    std::erase_if(slots_, [&](const auto& own) { return own.get() == s; });
  }
  std::error_code transmit(capsule_slot* s) override {
    if (wire_->closed) return errc::closed;
    cqe_bytes c;
    std::copy_n(s->entry.begin(), 16, c.begin());
    wire_->responses.push_back(c);
    return {};
  }
  std::error_code withdraw_data(capsule_slot*, std::error_code) override {
    return errc::not_supported;
  }
  nvme_status validate_command(const capsule_slot* s) const override {
    return check_sgl(s->entry, static_cast<std::uint32_t>(of(s).carried.size()),
                     {.max_in_capsule = wire_->max_in_capsule});
  }
  std::span<const std::byte> in_capsule_data(const capsule_slot* s) const override {
    return of(s).carried;
  }
  std::error_code receive_controller_data(capsule_slot* s, std::uint32_t offset, const memdesc& mem,
                                          std::uint32_t length, data_callback done) override {
    fake_wire::fetch f{static_cast<std::uint16_t>(peek(s->entry, 2, 2)), offset, mem, length,
                       std::move(done)};
    wire_->fetches.push_back(std::move(f));
    if (!wire_->hold_fetches) defer([wire = wire_] { serve(*wire); });
    return {};
  }
  // Answers the oldest fetch. The callback may end the queue.
  static void serve(fake_wire& wire) {
    if (wire.fetches.empty()) return;
    fake_wire::fetch f = std::move(wire.fetches.front());
    wire.fetches.pop_front();
    if (wire.fetch_error) return f.done(0, wire.fetch_error);
    const auto& data = wire.host_data.at(f.cid);
    f.mem.copy_in(0, std::span{data}.subspan(f.offset, f.length));
    f.done(f.length, {});
  }
  send_answer send_controller_data(capsule_slot* s, std::uint32_t offset, buffer data,
                                   bool last) override {
    const auto cid = static_cast<std::uint16_t>(peek(s->entry, 2, 2));
    auto& got = wire_->sent[cid];
    if (offset == 0) got.clear();
    assert(offset == got.size());
    got.insert(got.end(), data.bytes().begin(), data.bytes().end());
    if (wire_->hold_buffers) wire_->buffers.push_back(std::move(data));
    const bool done = last || got.size() == peek(s->entry, 32, 4);
    if (!done) return {send_result::more};
    if (wire_->flow_control) return {send_result::success};
    wire_->sent_alone.push_back(cid);
    return {send_result::success_sent};
  }
  void close(bool) override {
    wire_->closed = true;
    // A closed queue completes what is in flight before it returns.
    for (auto fetches = std::exchange(wire_->fetches, {}); auto& f : fetches)
      f.done(0, make_error_code(errc::aborted));
    wire_->buffers.clear();
  }
  void defer(task t) override { who_.runs_on->post(std::move(t)); }

  // The test as the host. On the queue's executor.
  void deliver(const raw_sqe& command, std::vector<std::byte> in_capsule = {}) {
    if (wire_->closed) return;
    auto* s = static_cast<slot*>(allocate(true));
    s->entry = command;
    s->carried = std::move(in_capsule);
    callbacks_.on_receive(make_handle(s));
  }
  void fail(qpair_error e) {
    if (!wire_->closed) callbacks_.on_error(e);
  }

 private:
  struct slot : capsule_slot {
    std::vector<std::byte> carried;
  };
  static const slot& of(const capsule_slot* s) { return *static_cast<const slot*>(s); }

  std::shared_ptr<fake_wire> wire_;
  qpair_callbacks callbacks_;
  std::vector<std::unique_ptr<slot>> slots_;
};

class fake_transport final : public transport {
 public:
  explicit fake_transport(std::string_view type = "tcp") : type_(type) {}

  std::string_view type() const override { return type_; }
  int priority() const override { return 0; }
  bool accepts(const qpair_params&) const override { return true; }
  std::shared_ptr<connect_attempt> connect(executor&, const endpoint&, const qpair_params&,
                                           connect_callback) override {
    return nullptr;
  }
  std::expected<std::unique_ptr<listener>, std::error_code> listen(
      executor&, const endpoint& at, const qpair_params&, executor_chooser choose,
      accept_callback accept) override {
    ports_.push_back({at, std::move(choose), std::move(accept), true});
    return std::make_unique<fake_listener>(*this, ports_.size() - 1);
  }
  std::size_t qpairs() const override { return 0; }

  // A host connects to the listener of that number.
  std::shared_ptr<fake_wire> arrive(std::size_t listener = 0) {
    port& p = ports_.at(listener);
    auto wire = std::make_shared<fake_wire>();
    if (!p.open) {
      wire->closed = true;
      return wire;
    }
    executor& on = p.choose();
    on.post([&on, wire, &p] { p.accept(qpair(std::make_shared<fake_queue>(on, wire))); });
    return wire;
  }

 private:
  struct port {
    endpoint at;
    executor_chooser choose;
    accept_callback accept;
    bool open;
  };
  class fake_listener final : public listener {
   public:
    fake_listener(fake_transport& of, std::size_t index) : of_(of), index_(index) {}
    ~fake_listener() override { of_.ports_[index_].open = false; }
    endpoint where() const override { return of_.ports_[index_].at; }

   private:
    fake_transport& of_;
    std::size_t index_;
  };
  std::string_view type_;
  std::deque<port> ports_;
};

}  // namespace nvmf::test
