// SPDX-License-Identifier: BSD-2-Clause
// The host's end: commands by CID, the registered blocks that the controller reads from and writes
// to, and the keys that it is lent.
#pragma once

#include <deque>

#include "core/command_data.hpp"
#include "session.hpp"

namespace nvmf::rdma {

class host_session final : public session {
 public:
  explicit host_session(session_setup setup);
  // Why the device cannot do a queue of so many entries; empty: it can.
  static std::string beyond(const device_limits& device, std::uint32_t entries);

  void set_queue(std::uint16_t qid, std::uint32_t queue_size, bool sq_flow_control) override;
  void set_max_in_capsule(std::uint32_t bytes) override;
  qpair_limits limits() const override;
  capsule_slot* allocate(bool command) override;
  void release(capsule_slot* slot) noexcept override;
  std::error_code transmit(capsule_slot* slot) override;
  std::error_code withdraw_data(capsule_slot* slot, std::error_code error) override;

  // Controller only: class qpair has refused them.
  nvme_status validate_command(const capsule_slot*) const override;
  std::span<const std::byte> in_capsule_data(const capsule_slot*) const override;
  std::error_code receive_controller_data(capsule_slot*, std::uint32_t, const memdesc&,
                                          std::uint32_t, data_callback) override;
  send_answer send_controller_data(capsule_slot*, std::uint32_t, buffer, bool) override;

 private:
  struct command_slot : capsule_slot {
    bool outstanding = false;      // the controller has it and has not responded
    bool waits = false;            // it has been transmitted, and has not left
    bool data_open = false;        // its memory may be touched, on_data has not been called
    bool in_capsule = false;       // its data goes along with it
    bool bound = false;            // `key` is valid at the device
    bool taking_back = false;      // it is being made invalid
    bool held_back = false;        // answered, and the device still has work requests of it
    std::uint32_t posted = 0;      // work requests of it that are not done
    std::uint32_t receive = 0;     // taking_back: its response
    std::uint32_t key = 0;         // its window, if the device has such
    std::byte* capsule = nullptr;  // 64 registered bytes
    std::uint32_t capsule_key = 0;
    block memory{};      // of its data
    time_point since{};  // transmit, when somebody watched it
  };

  queue_shape shape() const override;
  std::error_code make_places() override;
  void take(const arrival& a) override;
  qpair_action describe(const arrival& a) const override;
  bool admit(const completion& c) override;
  void drop_receive(std::uint32_t) override {}
  void on_done(const posted_work& work, bool ok) override;
  qpair_action next_out() const override;
  void leave_one() override;
  bool has_out() const override { return !out_.empty(); }
  bool awaits_sends() const override { return held_back_ != 0 || !out_.empty(); }
  void keep_sendable(bool clean) override;
  void take_held_back() override;
  void end_all(std::error_code why, bool attached) override;
  void show_commands(qpair_inside& show) const override;
  void show_out(qpair_inside& show) const override;
  std::optional<protocol_error> blame(const completion& c) const override;

  std::error_code grow(std::uint32_t slots);
  std::span<std::byte> response_at(std::uint32_t index) const;
  std::uint16_t cid_at(std::uint32_t index) const;
  data_place place_of(const command_slot& slot) const;
  std::uint32_t payload(const command_slot& slot) const {
    return slot.in_capsule ? slot.length : 0;
  }
  bool fill(command_slot& slot);
  bool lend_key(command_slot& slot);
  bool send(command_slot& slot, std::uint32_t length);
  void settle(command_slot& slot, std::size_t bytes, std::error_code error);
  void respond(command_slot& slot, std::span<const std::byte, 16> cqe);
  void recycle_if_done(command_slot& slot);
  void repost(std::uint32_t index);

  std::deque<command_slot> slots_;
  std::vector<std::uint16_t> free_;
  std::deque<capsule_slot> responses_;
  std::vector<std::uint16_t> free_responses_;
  ring<std::uint16_t> out_;      // CIDs of what waits to leave
  region* received_ = nullptr;   // 16 bytes for each receive
  std::uint32_t in_flight_ = 0;  // commands that hold a receive of the controller's
  std::uint32_t held_back_ = 0;  // slots
  std::uint32_t max_in_capsule_ = 0;
};

}  // namespace nvmf::rdma
