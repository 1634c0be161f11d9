// SPDX-License-Identifier: BSD-2-Clause
// One queue of the host: its qpair, the commands that are out, and those that wait for a place.
//
// A command ends when two things have: its CQE has come and its data is settled. Its CID is free
// again when, beyond that, no Abort that names it is under way. A command that takes longer than
// its deadline loses its memory to the caller at once (withdraw_data), is named in an Abort, and
// keeps its CID until its CQE comes: a late answer finds a place that expects it and no memory.
#pragma once

#include <cstdint>
#include <nvmf/host.hpp>
#include <vector>

#include "ring.hpp"

namespace nvmf {

// Guards what callbacks run in against being destroyed by them: everything that calls out holds a
// turn, and what is to go, goes when the last turn ends.
struct lifeline {
  int turns = 0;
  bool ending = false;
  bool heard = false;                      // a command was answered since this was last cleared
  bool spoke = false;                      // a command was sent
  void (*ended)(void* context) = nullptr;  // no turn is open, and `ending` is set
  void* context = nullptr;
};
class turn {
 public:
  explicit turn(lifeline& life) : life_(life) { ++life_.turns; }
  ~turn() {
    if (--life_.turns == 0 && life_.ending) life_.ended(life_.context);
  }
  turn(const turn&) = delete;
  turn& operator=(const turn&) = delete;

 private:
  lifeline& life_;
};

class host_queue {
 public:
  static constexpr time_point never = time_point::max();

  // What the queue asks of its association.
  class owner {
   public:
    virtual ~owner() = default;
    // The qpair has failed, or the peer answered what was not asked. The queue still holds its
    // commands: close() it.
    virtual void queue_failed(host_queue& queue, const qpair_error& why) = 0;
    // The command `cid` is late. True: an Abort is on its way, and abort_done follows.
    virtual bool abort(host_queue& queue, std::uint16_t cid) = 0;
    // A command could not be sent. Whoever asked is still in the middle of asking and hears of it
    // later, but before the association is gone.
    virtual void refuse(command_callback&& done, std::error_code why) = 0;
  };

  // `depth`: commands that may be out at once.
  host_queue(owner& of, lifeline& life, executor& on, qpair q, std::uint16_t qid,
             std::uint32_t depth);
  ~host_queue();
  host_queue(const host_queue&) = delete;
  host_queue& operator=(const host_queue&) = delete;

  void start();
  // What Connect has settled.
  void configure(std::uint32_t entries, bool sq_flow_control, std::uint32_t depth);
  void set_max_in_capsule(std::uint32_t bytes) { qpair_.set_max_in_capsule(bytes); }

  // See association::submit. `deadline`: never for none. `as_sent`, if any, receives the SQE with
  // its CID and SGL; it is valid until `done`.
  void submit(std::span<const std::byte, 64> sqe, const memdesc& mem, direction way,
              time_point deadline, command_callback&& done, sqe_bytes* as_sent = nullptr);
  // Of a command that is out: what it is, and whether its CQE has come.
  std::uint8_t opcode(std::uint16_t cid) const;
  bool answered(std::uint16_t cid) const { return closed_ || slots_[cid].cqe; }
  // No Abort names `cid` any more.
  void abort_done(std::uint16_t cid);

  // Ends the queue: every command completes with `why`, unless its data is still held by a
  // transport that is in the middle of a callback: then right after that.
  void close(std::error_code why, bool clean);
  bool settled() const { return active_ == 0 && waiting_.empty(); }

  std::uint16_t qid() const { return qid_; }
  std::uint32_t depth() const { return depth_; }
  // CIDs taken, and commands waiting.
  std::size_t outstanding() const { return active_; }
  std::size_t waiting() const { return waiting_.size(); }
  qpair& pair() { return qpair_; }
  const qpair& pair() const { return qpair_; }

 private:
  struct slot {
    capsule command;
    command_callback done;
    command_result result;
    time_point deadline = never;
    bool active = false;
    bool cqe = false;            // no CQE will come any more
    bool data = false;           // no data is out
    bool late = false;           // its deadline has passed
    bool abort_pending = false;  // an Abort names it
  };
  struct waiting_command {
    sqe_bytes sqe{};
    memdesc mem;
    direction way = direction::none;
    time_point deadline = never;
    command_callback done;
    sqe_bytes* as_sent = nullptr;
  };

  bool send(std::span<const std::byte, 64> sqe, const memdesc& mem, direction way,
            time_point deadline, command_callback&& done, sqe_bytes* as_sent);
  void fail_sent(std::uint16_t cid, std::error_code why);
  void on_receive(capsule response);
  void on_data(std::uint16_t cid, std::size_t bytes, std::error_code error);
  void settle(std::uint16_t cid);
  void release(slot& s);
  void pump();
  void wake_at(time_point deadline);
  void on_timer();
  void expire(std::uint16_t cid);
  void expire_waiting(time_point now);

  owner& owner_;
  lifeline& life_;
  executor& on_;
  qpair qpair_;
  std::uint16_t qid_;
  std::uint32_t depth_;
  std::vector<slot> slots_;  // by CID
  std::size_t active_ = 0;
  ring<waiting_command> waiting_;
  timer_id timer_ = 0;
  time_point timer_at_ = never;
  bool closed_ = false;
  std::error_code why_;
};

}  // namespace nvmf
