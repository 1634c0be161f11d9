// SPDX-License-Identifier: BSD-2-Clause
// A qpair that obeys a fault plan, over the qpair of a transport. Decisions fall when a controller
// receives a command and when a host transmits one.
#pragma once

#include <list>

#include "mischief.hpp"
#include "plan_at_work.hpp"

namespace nvmf {

class faulty_qpair final : public transport_qpair,
                           public std::enable_shared_from_this<faulty_qpair>,
                           private tamperer {
 public:
  faulty_qpair(qpair inner, std::shared_ptr<plan_at_work> plan);
  ~faulty_qpair() override;

  void start(qpair_callbacks callbacks) override;
  void set_queue(std::uint16_t qid, std::uint32_t queue_size, bool sq_flow_control) override;
  void set_max_in_capsule(std::uint32_t bytes) override { in().set_max_in_capsule(bytes); }
  qpair_limits limits() const override { return in().limits(); }
  capsule_slot* allocate(bool command) override;
  void release(capsule_slot* slot) noexcept override;
  std::error_code transmit(capsule_slot* slot) override;
  std::error_code withdraw_data(capsule_slot* slot, std::error_code error) override;
  nvme_status validate_command(const capsule_slot* slot) const override {
    return in().validate_command(slot);
  }
  std::span<const std::byte> in_capsule_data(const capsule_slot* slot) const override {
    return in().in_capsule_data(slot);
  }
  std::error_code receive_controller_data(capsule_slot* slot, std::uint32_t offset,
                                          const memdesc& mem, std::uint32_t length,
                                          data_callback done) override {
    return in().receive_controller_data(slot, offset, mem, length, std::move(done));
  }
  send_answer send_controller_data(capsule_slot* slot, std::uint32_t offset, buffer data,
                                   bool last) override {
    return in().send_controller_data(slot, offset, std::move(data), last);
  }
  std::error_code tamper(tamperer* by) override;
  std::error_code misbehave(misdeed what, std::uint16_t fes) override {
    return in().misbehave(what, fes);
  }
  std::error_code pause() override { return in().pause(); }
  std::error_code resume() override { return in().resume(); }
  bool paused() const override { return in().paused(); }
  qpair_action next_action() const override { return in().next_action(); }
  std::error_code step(pause_callback done, action_kind which) override {
    return in().step(std::move(done), which);
  }
  std::error_code break_when(break_condition when, pause_callback told) override;
  std::error_code send_raw(std::span<const std::byte> bytes) override {
    return in().send_raw(bytes);
  }
  std::error_code cut_writes(std::span<const std::size_t> sizes) override {
    return in().cut_writes(sizes);
  }
  void show_inside(qpair_inside& show) const override {
    in().show_inside(show);
    show.capsules_held += in().capsules_held();
  }
  void close(bool clean) override;
  void defer(task t) override { in().defer(std::move(t)); }

 private:
  // A command that waits for its delay to be over: received, or to be transmitted.
  struct delayed {
    capsule received{};
    capsule_slot* sent = nullptr;
    engine::fault_decision decision;
    timer_id timer = 0;
  };
  using delayed_list = std::list<delayed>;

  transport_qpair& in() const { return *inner_.implementation(); }
  engine::fault_decision decide(const capsule_slot& command, std::uint32_t bytes);
  void learn_host(const capsule_slot& command);
  void on_received(capsule c);
  void on_lost(const qpair_error& why);
  void deliver(capsule c, const engine::fault_decision& d);
  std::error_code launch(capsule_slot* slot, const engine::fault_decision& d);
  void delay(capsule received, capsule_slot* sent, const engine::fault_decision& d, duration by);
  void delay_over(delayed_list::iterator which);
  delayed_list::iterator find_delayed(const capsule_slot* sent);
  void remember(const engine::fault_decision& d, std::uint16_t cid, std::uint32_t bytes);
  void forget(std::uint16_t cid);
  void answer(std::uint16_t cid, nvme_status status);
  // What a decision does to the connection. True: it has ended.
  bool break_connection(const engine::fault_decision& d);
  void keep_silent(const engine::fault_step& step);
  void stop_reading(const engine::fault_step& step);
  void tell(const engine::fault_rule& rule, std::uint16_t cid);
  void drop_delayed();
  void on_outgoing(outgoing& o) noexcept override;

  qpair inner_;
  std::shared_ptr<plan_at_work> plan_;
  std::uint32_t connection_;
  std::uint16_t qid_ = 0;
  std::string host_;  // NQN, once known
  qpair_callbacks callbacks_{};
  std::vector<mischief> mischiefs_;  // of commands under way; few
  delayed_list delayed_;
  tamperer* other_ = nullptr;  // the owner's own
  std::shared_ptr<break_condition> when_;
  std::shared_ptr<pause_callback> told_;
  bool silent_ = false, closed_ = false;
  timer_id silence_ends_ = 0, reading_begins_ = 0;
};

}  // namespace nvmf
