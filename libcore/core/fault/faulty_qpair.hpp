// SPDX-License-Identifier: BSD-2-Clause
// A qpair that obeys a fault plan, over the qpair of a transport. Decisions fall when a controller
// receives a command and when a host transmits one.
#pragma once

#include <list>
#include <nvmf/forwarding_qpair.hpp>

#include "mischief.hpp"
#include "plan_at_work.hpp"

namespace nvmf {

class faulty_qpair final : public forwarding_qpair,
                           public std::enable_shared_from_this<faulty_qpair>,
                           private tamperer {
 public:
  faulty_qpair(qpair inner, std::shared_ptr<plan_at_work> plan);
  ~faulty_qpair() override;

  void start(qpair_callbacks callbacks) override;
  void set_queue(std::uint16_t qid, std::uint32_t queue_size, bool sq_flow_control) override;
  void release(capsule_slot* slot) noexcept override;
  std::error_code transmit(capsule_slot* slot) override;
  std::error_code withdraw_data(capsule_slot* slot, std::error_code error) override;
  std::error_code tamper(tamperer* by) override;
  std::error_code break_when(break_condition when, pause_callback told) override;
  void close(bool clean) override;

 private:
  // A command that waits for its delay to be over: received, or to be transmitted.
  struct delayed {
    capsule received{};
    capsule_slot* sent = nullptr;
    engine::fault_decision decision;
    timer_id timer = 0;
  };
  using delayed_list = std::list<delayed>;

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
