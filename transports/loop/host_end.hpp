// SPDX-License-Identifier: BSD-2-Clause
// The host's end: commands by CID, the memory that the controller reads from and writes to.
#pragma once

#include "core/command_data.hpp"
#include "end.hpp"

namespace nvmf::loop {

class host_end final : public end {
 public:
  explicit host_end(end_setup setup);

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
    bool outstanding = false;    // the controller has it and has not responded
    bool data_open = false;      // its memory may be touched, on_data has not been called
    bool in_capsule = false;     // its data went along with it
    std::uint32_t moved = 0;     // bytes of its data that have moved
    std::uint32_t asked = 0;     // bytes that the controller has fetched or sent, moved or not
    time_point since{};          // transmit, when somebody watched it
    std::uint32_t data_end = 0;  // read: what the controller sends in all, once it is known
  };

  void handle(message& m) override;
  void dispose(message& m) override;
  void end_all(std::error_code why, bool attached) override;
  bool departing(message& m) override;
  void show_commands(qpair_inside& show) const override;

  void on_fetch(const message& m);
  void on_data(message& m);
  void on_response(message& m);
  // The slot of an outstanding command, or nullptr after the peer has been told off.
  command_slot* outstanding(const message& m, std::string_view structure);
  bool fits(const command_slot& slot, const message& m, std::string_view structure);
  void send_pieces(const message& fetch);
  void take_data(command_slot& slot, const message& m);
  // Ends the data of a command; its memory is the caller's again.
  void settle(command_slot& slot, std::error_code error);
  void respond(command_slot& slot, std::span<const std::byte, 16> cqe, bool made_up);
  void grow(std::uint32_t slots);
  void recycle(command_slot& slot);
  data_place place_of(const command_slot& slot) const;

  std::deque<command_slot> slots_;
  std::vector<std::uint16_t> free_;
  std::deque<capsule_slot> responses_;
  std::vector<std::uint16_t> free_responses_;
  std::uint32_t max_in_capsule_ = 0;
  bool flow_control_;
};

}  // namespace nvmf::loop
