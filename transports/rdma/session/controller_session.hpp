// SPDX-License-Identifier: BSD-2-Clause
// The controller's end: commands as they came, RDMA READs and WRITEs of their data, SQHD, and the
// host's keys, which a response takes back when the host has asked for it.
#pragma once

#include <deque>

#include "core/command_data.hpp"
#include "index_chain.hpp"
#include "session.hpp"

namespace nvmf::rdma {

class controller_session final : public session {
 public:
  explicit controller_session(session_setup setup);

  void set_queue(std::uint16_t qid, std::uint32_t queue_size, bool sq_flow_control) override;
  void set_max_in_capsule(std::uint32_t bytes) override;
  qpair_limits limits() const override;
  capsule_slot* allocate(bool command) override;
  void release(capsule_slot* slot) noexcept override;
  std::error_code transmit(capsule_slot* slot) override;
  // Host only: class qpair has refused it.
  std::error_code withdraw_data(capsule_slot*, std::error_code) override;

  nvme_status validate_command(const capsule_slot* slot) const override;
  std::span<const std::byte> in_capsule_data(const capsule_slot* slot) const override;
  std::error_code receive_controller_data(capsule_slot* slot, std::uint32_t offset,
                                          const memdesc& mem, std::uint32_t length,
                                          data_callback done) override;
  send_answer send_controller_data(capsule_slot* slot, std::uint32_t offset, buffer data,
                                   bool last) override;

 private:
  struct command_slot : capsule_slot {
    std::uint32_t number = 0;     // in slots_
    std::byte* memory = nullptr;  // registered; a capsule is received there
    std::uint32_t key = 0;        // of it
    std::uint32_t carried = 0;    // bytes of data in the capsule
    bool conflict = false;        // its CID was outstanding already when it came
    bool taken = false;           // a command is here
    std::uint32_t fetches = 0;    // not ended
    std::uint32_t sent = 0;       // bytes of read data
    bool data_done = false;       // nothing more may be sent
    time_point since{};           // its arrival, when somebody watched it
  };
  // A receive_controller_data.
  struct fetch {
    command_slot* slot = nullptr;
    memdesc mem;
    std::uint32_t offset = 0;
    std::uint32_t length = 0;
    std::uint32_t asked = 0;   // bytes for which an RDMA READ has left
    std::uint32_t landed = 0;  // bytes whose READ is done, taken or not
    std::uint32_t got = 0;
    bool used = false;
    bool given_up = false;  // its callback has run
    data_callback done;
    chain_link of_command, to_ask;
  };
  // What a host is told, or sent, in the order of the calls.
  struct unit {
    bool response = true;
    std::uint16_t cid = 0;
    cqe_bytes entry{};
    buffer data{};              // read data
    std::uint32_t offset = 0;   // of it, within the command's data
    std::uint32_t at = 0;       // bytes of it that have left
    std::uint64_t address = 0;  // of the host's memory for all of the command's data
    std::uint32_t key = 0;
    bool last = false;
  };
  // By CID.
  struct outstanding {
    std::uint16_t count = 0;  // commands without a response
    bool take_back = false;   // the response is to invalidate `key`
    std::uint32_t key = 0;
    index_chain fetches;  // tags that are in use
  };
  // Of a tag, in the chain of its command and in reads_.
  auto of_command() {
    return [this](std::uint32_t tag) -> chain_link& { return fetches_[tag].of_command; };
  }
  auto to_ask() {
    return [this](std::uint32_t tag) -> chain_link& { return fetches_[tag].to_ask; };
  }
  void ask_no_more() {
    while (!reads_.empty()) reads_.remove(reads_.front(), to_ask());
  }

  queue_shape shape() const override;
  std::error_code make_places() override;
  void take(const arrival& a) override;
  qpair_action describe(const arrival& a) const override;
  void drop_receive(std::uint32_t index) override;
  void on_done(const posted_work& work, bool ok) override;
  qpair_action next_out() const override;
  void leave_one() override;
  bool has_out() const override { return !out_.empty(); }
  bool awaits_sends() const override { return !out_.empty() || !reads_.empty(); }
  void keep_sendable(bool clean) override;
  void end_all(std::error_code why, bool attached) override;
  void show_commands(qpair_inside& show) const override;
  void show_out(qpair_inside& show) const override;
  std::optional<protocol_error> blame(const completion& c) const override;

  std::uint32_t capsule_bytes() const { return 64 + in_capsule_max_; }
  std::error_code add_slots(std::uint32_t count);
  bool post_one_receive();
  void recycle(command_slot& slot);
  void take_command(const arrival& a);
  void take_read(const arrival& a);
  std::uint32_t take_tag();
  void give_up(std::uint32_t tag, std::error_code why);
  void abandon_fetches(std::uint16_t cid);
  void end_fetch(std::uint32_t tag);
  bool unit_may_leave() const;
  void leave_response();
  bool send_response(const unit& u, const cqe_bytes& cqe);
  void respond_in_place(std::uint16_t cid);
  void leave_data();
  bool write(const unit& u, std::uint32_t at, std::span<const std::byte> bytes);
  void leave_read();
  std::uint32_t piece_of(std::uint32_t left) const {
    return std::min(left, setup().limits.piece_bytes);
  }
  static std::uint16_t cid_of(const capsule_slot& slot);

  const std::uint32_t in_capsule_max_;  // that receives have room for
  std::deque<command_slot> slots_;
  std::vector<std::uint32_t> free_;
  std::deque<capsule_slot> responses_;
  std::vector<std::uint16_t> free_responses_;
  region* cqes_ = nullptr;  // 16 bytes for each response on its way
  std::vector<std::uint32_t> free_cqes_;
  std::vector<outstanding> outstanding_;
  std::uint32_t all_outstanding_ = 0;
  std::deque<fetch> fetches_;
  std::vector<std::uint32_t> free_tags_;
  ring<unit> out_;
  index_chain reads_;  // tags with bytes that have not been asked for
  std::uint32_t reads_in_flight_ = 0;
  sq_head head_;
  std::uint32_t max_in_capsule_;
};

}  // namespace nvmf::rdma
