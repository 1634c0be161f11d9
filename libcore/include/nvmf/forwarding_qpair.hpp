// SPDX-License-Identifier: BSD-2-Clause
// A qpair over another one, to which each call goes as it is: the base of what changes one thing of
// a queue. A derived class starts the qpair below (start), and says what else is different.
#pragma once

#include <utility>

#include "transport.hpp"

namespace nvmf {

class forwarding_qpair : public transport_qpair {
 public:
  void set_queue(std::uint16_t qid, std::uint32_t queue_size, bool sq_flow_control) override {
    in().set_queue(qid, queue_size, sq_flow_control);
  }
  void set_max_in_capsule(std::uint32_t bytes) override { in().set_max_in_capsule(bytes); }
  qpair_limits limits() const override { return in().limits(); }

  // Slots are let go of here (release), not below.
  capsule_slot* allocate(bool command) override {
    capsule_slot* slot = in().allocate(command);
    if (slot != nullptr) slot->owner = this;
    return slot;
  }
  void release(capsule_slot* slot) noexcept override { in().release(slot); }
  std::error_code transmit(capsule_slot* slot) override { return in().transmit(slot); }
  std::error_code withdraw_data(capsule_slot* slot, std::error_code error) override {
    return in().withdraw_data(slot, error);
  }

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

  std::error_code tamper(tamperer* by) override { return in().tamper(by); }
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
  std::error_code break_when(break_condition when, pause_callback told) override {
    return in().break_when(std::move(when), std::move(told));
  }
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

  void close(bool clean) override { in().close(clean); }
  void defer(task t) override { in().defer(std::move(t)); }

 protected:
  // `inner` has not been started, or its callbacks are the derived class's business.
  explicit forwarding_qpair(qpair inner) : inner_(std::move(inner)) { who_ = in().who(); }

  transport_qpair& in() const { return *inner_.implementation(); }
  qpair& inner() { return inner_; }

 private:
  qpair inner_;
};

}  // namespace nvmf
