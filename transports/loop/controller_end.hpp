// SPDX-License-Identifier: BSD-2-Clause
// The controller's end: commands as they came, fetches of host data, SQHD and the SUCCESS flag.
#pragma once

#include "core/command_data.hpp"
#include "end.hpp"

namespace nvmf::loop {

class controller_end final : public end {
 public:
  explicit controller_end(end_setup setup);

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
  static constexpr std::uint32_t no_tag = ~0u;

  struct command_slot : capsule_slot {
    std::uint32_t number = 0;      // in slots_
    std::vector<std::byte> block;  // in-capsule data
    bool conflict = false;         // its CID was outstanding already when it came
    bool bad_digest = false;
    bool starved = false;                                         // waits for a tag
    std::uint32_t fetches = 0;                                    // not ended, started or not
    std::uint32_t open = 0;                                       // started and not ended
    std::uint32_t first_waiting = no_tag, last_waiting = no_tag;  // in call order
    std::uint32_t sent = 0;                                       // bytes of read data
    time_point since{};      // its arrival, when somebody watched it
    bool data_done = false;  // nothing more may be sent
  };
  // A receive_controller_data; its index is its tag.
  struct fetch {
    command_slot* slot = nullptr;
    memdesc mem;
    std::uint32_t offset = 0;
    std::uint32_t length = 0;
    std::uint32_t got = 0;
    std::uint32_t next = no_tag;
    std::uint32_t generation = 0;
    bool used = false;
    bool started = false;
    data_callback done;  // empty once called, while the rest of the data is awaited
  };

  void handle(message& m) override;
  void dispose(message& m) override;
  void end_all(std::error_code why, bool attached) override;
  void show_commands(qpair_inside& show) const override;
  void stamp(message& m) override;

  void on_command(message& m);
  void on_fetched(const message& m);
  fetch* fetch_of(const message& m);
  void take_fetched(fetch& f, const message& m);
  command_slot& take_slot();
  void recycle(command_slot& slot);
  void respond(std::uint16_t cid);
  std::uint32_t take_tag();
  void start_waiting(command_slot& slot);
  void start_fetch(std::uint32_t tag);
  void end_fetch(std::uint32_t tag);
  void give_up(std::uint32_t tag, std::error_code why);
  void abandon_fetches(std::uint16_t cid);
  void send_pieces(message whole, buffer data);
  static std::uint16_t cid_of(const capsule_slot& slot);

  std::deque<command_slot> slots_;
  std::vector<std::uint32_t> free_;
  std::deque<capsule_slot> responses_;
  std::vector<std::uint16_t> free_responses_;
  std::vector<std::uint16_t> outstanding_;  // by CID: commands without a response
  std::uint32_t all_outstanding_ = 0;
  std::deque<fetch> fetches_;
  std::vector<std::uint32_t> free_tags_;
  std::uint32_t open_fetches_ = 0;
  std::deque<command_slot*> starved_;
  sq_head head_;
  std::uint32_t max_in_capsule_;
  bool flow_control_ = true;  // until Connect says otherwise
};

}  // namespace nvmf::loop
