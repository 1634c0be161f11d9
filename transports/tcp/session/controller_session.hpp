// SPDX-License-Identifier: BSD-2-Clause
// The controller's side of a connection: command capsules delivered, data fetched by R2T and
// H2CData under transfer tags, data sent as C2HData, responses in their order.
#pragma once

#include "core/command_data.hpp"
#include "pool.hpp"
#include "session.hpp"

namespace nvmf::tcp {

struct command_slot;

// One receive_controller_data; its index is the transfer tag when it asks the host by R2T.
struct transfer {
  transfer* next = nullptr;
  command_slot* command = nullptr;
  std::uint16_t index = 0;
  bool taken = false;
  bool open = false;  // its R2T is out and not all its data has come
  bool digest_failed = false;
  std::uint32_t offset = 0;
  std::uint32_t length = 0;
  std::uint32_t arrived = 0;  // bytes received
  std::uint32_t good = 0;     // of them before any digest failed
  memdesc to{};
  data_callback done{};
  std::error_code error{};
};

// A command that a host has sent.
struct command_slot : capsule_slot {
  command_slot* next = nullptr;       // free list, or of those that are held
  command_slot* same_hash = nullptr;  // see cid_map
  bool listed = false;                // its CID is taken: not answered, or the answer has not left
  bool digest_failed = false;         // of its in-capsule data
  bool all_sent = false;              // the last of its data was given to us
  std::uint16_t cid = 0;
  std::uint32_t carried = 0;   // bytes of in-capsule data
  std::byte* block = nullptr;  // where they are
  std::uint32_t sent = 0;      // send_controller_data: bytes given so far
  std::uint32_t fetched = 0;   // bytes that came in H2CData
  time_point since{};          // its arrival, when somebody watched it
  std::uint32_t open_r2ts = 0;
  std::uint32_t users = 0;                    // PDUs, tasks and transfers that point here
  fifo<transfer, &transfer::next> waiting{};  // for an R2T to become free
};

struct controller_response : capsule_slot {
  controller_response* next = nullptr;
};

// The CIDs that are taken. Hosts choose any 16 bits; this grows with how many are out at once.
class cid_map {
 public:
  command_slot* find(std::uint16_t cid) const;
  void add(command_slot* c);
  void remove(command_slot* c);
  std::uint32_t size() const { return size_; }
  // Without CIDs: without memory.
  void shrink() {
    if (size_ == 0) std::exchange(buckets_, {});
  }

 private:
  std::size_t bucket(std::uint16_t cid) const { return cid & (buckets_.size() - 1); }

  std::vector<command_slot*> buckets_{};
  std::uint32_t size_ = 0;
};

class controller_session final : public session {
 public:
  explicit controller_session(session_setup setup);
  ~controller_session() override;

  void set_queue(std::uint16_t qid, std::uint32_t queue_size, bool sq_flow_control) override;
  void set_max_in_capsule(std::uint32_t bytes) override;
  capsule_slot* allocate(bool command) override;
  void release(capsule_slot* slot) noexcept override;
  std::error_code transmit(capsule_slot* slot) override;
  std::error_code withdraw_data(capsule_slot* slot, std::error_code error) override;

  nvme_status validate_command(const capsule_slot* slot) const override;
  std::span<const std::byte> in_capsule_data(const capsule_slot* slot) const override;
  std::error_code receive_controller_data(capsule_slot* slot, std::uint32_t offset,
                                          const memdesc& mem, std::uint32_t length,
                                          data_callback done) override;
  send_answer send_controller_data(capsule_slot* slot, std::uint32_t offset, buffer data,
                                   bool last) override;

 private:
  void complete_in_flight(std::error_code why) override;
  void on_sent(tx_pdu& pdu) override;
  bool waits_for_peer() const override { return open_transfers_ > 0 || session::waits_for_peer(); }
  void on_room() override;
  void show_commands(qpair_inside& show) const override;
  rested rest() override;

  bool on_header(const pdu_shape& shape, std::span<const std::byte> header,
                 receiver::target& to) override;
  void on_pdu(const pdu_shape& shape, bool digest_good) override;
  bool on_command_header(const pdu_shape& shape, std::span<const std::byte> header,
                         receiver::target& to);
  void on_command(const pdu_shape& shape, bool digest_good);
  bool on_h2c_header(const pdu_shape& shape, std::span<const std::byte> header,
                     receiver::target& to);
  void on_h2c_data(const pdu_shape& shape, bool digest_good);

  // Commands that may be out at once.
  std::uint32_t most_commands() const;
  void refuse_duplicate(std::uint16_t cid);
  void arrived(command_slot* c);
  void deliver_held();
  void deliver_command(command_slot* c);
  void unlist(command_slot& c);
  void give_block(command_slot& c);
  void recycle(command_slot& c);

  transfer* open_transfer(std::uint64_t ttag) const;
  void ask(transfer& t);
  void finish(transfer& t, std::error_code error);
  void call_back(transfer* t);

  void queue_data(command_slot& c, std::uint32_t offset, buffer data, bool last, bool success);
  // In what waits to be sent PDUs add up; see tx_high_water.
  void note_queued() { congested_ = congested_ || tx_.bytes() > high_water(); }

  slot_pool<command_slot> commands_{65536, *this};
  slot_pool<controller_response> responses_{65536, *this};
  slot_pool<transfer> transfers_{65536, *this};
  cid_map cids_;
  std::uint32_t refusals_ = 0;  // conflict responses that have not left
  sq_head sq_head_;
  fifo<command_slot, &command_slot::next> held_{};  // until the host reads its answers
  command_slot* receiving_ = nullptr;               // whose capsule is arriving
  std::uint32_t open_transfers_ = 0;
  transfer* filling_ = nullptr;  // whose H2CData is arriving
};

}  // namespace nvmf::tcp
