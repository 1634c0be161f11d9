// SPDX-License-Identifier: BSD-2-Clause
// The host's side of a connection: commands by CID, R2Ts answered with H2CData, C2HData put in its
// place, responses delivered.
#pragma once

#include "pool.hpp"
#include "session.hpp"

namespace nvmf::tcp {

// A command of the host; its index is its CID.
struct host_command : capsule_slot {
  host_command* next = nullptr;  // free list
  bool outstanding = false;      // transmitted and not answered
  bool data_done = true;         // no data callback is owed
  bool in_capsule = false;       // the data went along with the command
  bool withdrawn = false;        // the memory is the caller's again
  bool last_seen = false;        // the controller has sent all it will
  bool digest_failed = false;
  std::uint32_t open_r2ts = 0;   // R2Ts whose data has not left
  std::uint32_t asked = 0;       // R2T: bytes asked for so far
  std::uint32_t arrived = 0;     // C2HData: bytes received so far
  std::uint32_t moved = 0;       // bytes that count: received well, or sent
  std::uint32_t queued = 0;      // PDUs that point here
  std::uint32_t tasks = 0;       // callbacks under way that do
  std::error_code data_error{};  // for the data callback that is under way
  time_point since{};            // transmit, when somebody watched it
};

// A response capsule on its way to the user.
struct response_slot : capsule_slot {
  response_slot* next = nullptr;
};

// The part of an R2T that has not been made into H2CData PDUs.
struct h2c_transfer {
  h2c_transfer* next = nullptr;
  host_command* command = nullptr;
  std::uint16_t index = 0;
  std::uint16_t ttag = 0;
  std::uint32_t offset = 0;
  std::uint32_t end = 0;
  std::uint32_t begin = 0;
};

class host_session final : public session {
 public:
  explicit host_session(session_setup setup);
  ~host_session() override;

  void set_queue(std::uint16_t qid, std::uint32_t queue_size, bool sq_flow_control) override;
  capsule_slot* allocate(bool command) override;
  void release(capsule_slot* slot) noexcept override;
  std::error_code transmit(capsule_slot* slot) override;
  std::error_code withdraw_data(capsule_slot* slot, std::error_code error) override;

  // A controller's; class qpair never asks a host for them.
  nvme_status validate_command(const capsule_slot* slot) const override;
  std::span<const std::byte> in_capsule_data(const capsule_slot* slot) const override;
  std::error_code receive_controller_data(capsule_slot* slot, std::uint32_t offset,
                                          const memdesc& mem, std::uint32_t length,
                                          data_callback done) override;
  send_answer send_controller_data(capsule_slot* slot, std::uint32_t offset, buffer data,
                                   bool last) override;

 private:
  void complete_in_flight(std::error_code why) override;
  void abandon_unsent() override;
  void on_sent(tx_pdu& pdu) override;

  bool on_header(const pdu_shape& shape, std::span<const std::byte> header,
                 receiver::target& to) override;
  void on_pdu(const pdu_shape& shape, bool digest_good) override;
  bool on_response(std::span<const std::byte> header);
  bool on_c2h_header(const pdu_shape& shape, std::span<const std::byte> header,
                     receiver::target& to);
  void on_c2h_data(const pdu_shape& shape, bool digest_good);
  bool on_r2t(std::span<const std::byte> header);

  // The outstanding command of that CID, or nullptr.
  host_command* find(std::uint64_t cid) const;
  bool fits_in_capsule(const host_command& c) const;
  // The command has been answered by `cqe`.
  void answer(host_command& c, std::span<const std::byte, 16> cqe, bool made_up);
  void deliver_response(response_slot* slot);
  // The data callback is owed no more than its call, which comes at the end of the turn.
  void finish_data(host_command& c, std::error_code error);
  void call_back(host_command* c);
  // No PDU that is queued or will be refers to the command's memory.
  void release_memory(host_command& c);
  void abandon(host_command& c);
  void recycle(host_command& c);

  // Bytes of the next PDU of a transfer.
  std::uint32_t h2c_size(const h2c_transfer& t) const;
  void make_output() override;
  bool more_output() const override { return !transfers_.empty(); }
  qpair_action next_made() const override;
  void show_commands(qpair_inside& show) const override;
  rested rest() override { return rest_all(commands_, responses_, transfer_places_); }

  slot_pool<host_command> commands_;
  slot_pool<response_slot> responses_{65536, *this};
  slot_pool<h2c_transfer> transfer_places_{65536, *this};
  fifo<h2c_transfer, &h2c_transfer::next> transfers_;
  host_command* receiving_ = nullptr;  // whose C2HData is arriving
};

}  // namespace nvmf::tcp
