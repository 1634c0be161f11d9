// SPDX-License-Identifier: BSD-2-Clause
// An RDMA device made of memory, and a connection manager: two ends in one process, on executors of
// one thread or of two. It moves the bytes really, does work requests in their order, checks every
// key, range, right and length as a device would, flushes after an error, and can make any work
// request fail.
#pragma once

#include <cassert>
#include <deque>
#include <mutex>
#include <optional>
#include <vector>

#include "fake_verbs_memory.hpp"

namespace nvmf::test {

class fake_link;

// What all links of a test share.
struct fake_fabric {
  // Of all that is here and in the links. Copies of a fabric share it.
  std::shared_ptr<std::recursive_mutex> lock = std::make_shared<std::recursive_mutex>();
  rdma::device_limits limits{.max_work_requests = 8192,
                             .max_completions = 65536,
                             .max_pieces = 4,
                             .max_inline = 64,
                             .max_reads_out = 16,
                             .max_reads_in = 16,
                             .max_region = 1u << 30};
  // A send that meets no receive is tried again so often, a millisecond later each time.
  int not_ready_retries = 7;
  // An RDMA READ lands, and completes, a millisecond after work that was posted behind it.
  bool reads_overtaken = false;
  // The passive end hears that it is established so much later.
  duration establish_delay{};
  // Work requests that are done in one go, as by a device that others keep waiting.
  std::size_t at_once = 1;
  // Posts of either side from the nth on are refused, but for so many of their requests.
  struct refusal {
    role side{};
    std::size_t post = 0;  // from 1
    std::size_t takes = 0;
  };
  std::optional<refusal> refuses{};
  // Every nth work request of either side fails with a status; see work_done.
  struct fault {
    role side{};
    std::size_t number = 0;  // from 1
    rdma::work_status status{};
  };
  std::optional<fault> fails{};
  std::size_t work_done[2] = {};  // by side: work requests that were done or failed, receives too
  std::size_t max_registered = std::size_t{1} << 30;  // bytes over all links

  // What was seen, for tests.
  std::size_t links[2] = {};  // alive, by side
  std::size_t regions = 0, registered = 0;
  std::size_t named = 0;
  std::uint32_t most_reads = 0;      // RDMA READs posted at once on a link
  std::uint32_t most_sends[2] = {};  // sends posted at once, by side
  std::size_t not_ready = 0;         // sends that met no receive, at first
  std::size_t overruns = 0;          // posts beyond what a queue was made for: our mistake
  std::size_t kinds[7] = {};         // work requests that have gone well, by kind
  // What would be system calls, by side.
  struct calls {
    std::size_t posts = 0;                       // of work requests, in chains
    std::size_t arms = 0;                        // of what was not armed
    std::size_t events = 0;                      // told
    std::size_t signalled = 0, unsignalled = 0;  // work requests
  } calls[2] = {};
  std::size_t longest_chain = 0;

  struct listening {
    executor* on;
    std::function<void(rdma::cm_request_event)> tell;
  };
  std::map<std::string, listening> ports;

  // Counts it; the status that it has to fail with, or success.
  rdma::work_status fate(role side) {
    const std::size_t n = ++work_done[side == role::controller];
    if (fails && fails->side == side && fails->number == n) return fails->status;
    return rdma::work_status::success;
  }
};

class fake_link final : public rdma::link {
 public:
  fake_link(std::shared_ptr<fake_fabric> of, executor& on, role side)
      : of_(std::move(of)), on_(&on), side_(side) {
    const auto hold = held();
    ++of_->links[side_ == role::controller];
  }
  ~fake_link() override {
    const auto hold = held();
    if (peer_ != nullptr) peer_->lose_peer();
    --of_->links[side_ == role::controller];
  }

  void tell(rdma::link_events* who) override {
    const auto hold = held();
    who_ = who;
    if (who == nullptr) return;
    for (auto& e : std::exchange(untold_, {})) say(std::move(e));
  }
  void move_to(executor& on) override { on_ = &on; }

  void resolve(const endpoint& to, const std::string&, std::chrono::milliseconds) override {
    const auto hold = held();
    to_ = to;
    peer_name_ = to.host;
    local_name_ = "fake:host-" + std::to_string(++of_->named);
    say({.kind = rdma::cm_event_kind::resolved});
  }
  std::error_code connect(const rdma::cm_terms& terms) override;
  std::error_code accept(const rdma::cm_terms& terms) override;
  void reject(std::span<const std::byte> data) override;
  void disconnect() override;
  std::string peer() const override { return peer_name_; }
  std::string local() const override { return local_name_; }
  endpoint reached() const override { return to_; }

  const rdma::device_limits& limits() const override { return of_->limits; }
  std::error_code make_queue(const rdma::queue_shape& shape) override {
    const rdma::device_limits& d = of_->limits;
    if (shape.sends > d.max_work_requests || shape.receives > d.max_work_requests ||
        shape.sends > d.max_completions || shape.receives > d.max_completions ||
        shape.pieces > d.max_pieces || shape.inlined > d.max_inline || shape.sends == 0)
      return std::make_error_code(std::errc::invalid_argument);
    shape_ = shape;
    return {};
  }
  std::expected<std::unique_ptr<rdma::region>, std::error_code> allocate(
      std::size_t bytes, rdma::access rights) override;
  std::expected<std::uint32_t, std::error_code> make_window() override {
    const auto hold = held();
    return keys_->add({.window = true, .valid = false});
  }
  rdma::posting post_all(std::span<const rdma::work_request> chain) override;
  std::error_code post_receive(std::uint64_t id, const rdma::piece& into) override;
  std::size_t poll(std::span<rdma::completion> into) override;
  void arm() override { arm(received_); }
  void arm_sends() override { arm(sent_); }
  void fail() override {
    const auto hold = held();
    into_error();
  }

  // --- For tests ---------------------------------------------------------------------------------
  std::size_t receives_posted() const { return receives_.size(); }
  bool in_error() const { return error_; }

 private:
  struct work {
    rdma::work_request what;
    std::vector<rdma::piece> pieces{};
    std::vector<std::byte> inlined{};
    int tries = 0;
    bool late = false;
  };
  struct receive {
    std::uint64_t id = 0;
    rdma::piece into;
  };
  // An event and what it points at.
  struct cm_mail {
    rdma::cm_event_kind kind{};
    std::vector<std::byte> data{};
    std::uint8_t reads_out = 0, reads_in = 0;
    rdma::cm_refusal refused_by = rdma::cm_refusal::nobody;
    std::error_code error{};
    std::string text{};
  };

  struct completions {
    std::deque<rdma::completion> done;
    bool armed = false, told = false;
  };
  auto& calls() const { return of_->calls[side_ == role::controller]; }
  void arm(completions& queue);
  std::error_code post_one(const rdma::work_request& what);
  std::unique_lock<std::recursive_mutex> held() const { return std::unique_lock(*of_->lock); }
  void say(cm_mail m);
  void notify();
  void finish(rdma::completion c);
  void schedule();
  void run_one(bool goes_on = true);
  bool ready_later(work& w);
  void land_later(work w);
  rdma::work_status execute(work& w);
  rdma::work_status send(work& w);
  rdma::work_status move(work& w);
  std::optional<std::vector<std::byte>> gather(const work& w) const;
  void into_error();
  void lose_peer();
  void establish_soon();

  std::shared_ptr<fake_fabric> of_;
  executor* on_;
  role side_;
  rdma::link_events* who_ = nullptr;
  std::vector<cm_mail> untold_;
  fake_link* peer_ = nullptr;
  bool up_ = false, error_ = false, told_disconnect_ = false;
  bool notifying_ = false, scheduled_ = false;
  rdma::queue_shape shape_{};
  std::shared_ptr<key_table> keys_ = std::make_shared<key_table>();
  std::deque<work> sends_, late_;
  std::deque<receive> receives_;
  completions received_, sent_;
  // Work requests that hold a place in the send queue: those that have been posted after the newest
  // whose completion has been polled.
  std::deque<std::uint64_t> places_;
  endpoint to_;
  std::string peer_name_, local_name_;
  // What is posted goes nowhere once this is gone.
  std::shared_ptr<fake_link*> self_ = std::make_shared<fake_link*>(this);
};

class fake_verbs final : public rdma::verbs {
 public:
  explicit fake_verbs(std::shared_ptr<fake_fabric> of = std::make_shared<fake_fabric>())
      : of_(std::move(of)) {}
  std::expected<std::unique_ptr<rdma::link>, std::error_code> open(executor& on) override {
    return std::make_unique<fake_link>(of_, on, role::host);
  }
  std::expected<std::unique_ptr<rdma::port>, std::error_code> listen(
      executor& on, const endpoint& at,
      std::function<void(rdma::cm_request_event)> on_request) override;
  fake_fabric& fabric() { return *of_; }

 private:
  std::shared_ptr<fake_fabric> of_;
};

}  // namespace nvmf::test

#include "fake_verbs_impl.hpp"
