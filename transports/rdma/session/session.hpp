// SPDX-License-Identifier: BSD-2-Clause
// One NVMe/RDMA queue as a machine over a link (../verbs.hpp): work requests out, completions in,
// callbacks. It touches no device and no clock. What the two ends have in common is here: the order
// of what leaves, the books of what is posted, and the end.
//
// The end comes in this order, whatever its cause: the queue is marked as dying and disconnected;
// all that is posted is flushed, and awaited for a bounded time; the link is destroyed; what was in
// flight completes; the error is told, once. Users' memory is never touched by the device (see
// block_pool.hpp), nor by us after its callback.
#pragma once

#include <array>
#include <atomic>
#include <nvmf/transport.hpp>
#include <optional>

#include "core/paced_qpair.hpp"
#include "send_queue.hpp"

namespace nvmf::rdma {

// Capsules without their data.
inline constexpr std::uint32_t sqe_size = 64, cqe_size = 16;

// Named limits, each with its default.
struct session_limits {
  std::size_t pool_bytes = std::size_t{64} << 20;  // registered for data, per queue
  std::uint32_t piece_bytes = 128 * 1024;          // of one RDMA READ or WRITE
  std::uint32_t queue_max = 1024;                  // entries of an I/O queue
  std::uint32_t admin_queue_max = 128;             // entries of an Admin Queue
  std::uint16_t qid_max = 65535;
  std::uint8_t reads_out = 16;                     // RDMA READs outstanding, if the devices can
  std::chrono::milliseconds drain_timeout{2'000};  // for what is posted to be flushed
  std::chrono::milliseconds cause_timeout{200};    // flushed: for the connection manager to say why
};

struct session_setup {
  executor* on = nullptr;
  std::unique_ptr<link> wire;                       // has a device
  std::shared_ptr<std::atomic<std::size_t>> alive;  // qpairs of the transport
  qpair_params params;
  session_limits limits;
  std::uint32_t id = 0;             // next_qpair_id()
  std::uint32_t receives = 0;       // that we post: responses, or commands
  std::uint32_t peer_receives = 0;  // that the peer posts; a host learns of it later
  std::uint32_t reads_out = 0;      // controller: RDMA READs that may be outstanding
};

class session : public paced_qpair, protected link_events {
 public:
  ~session() override;

  // Makes the queue pair and posts the receives, so that nothing of the peer's can come too early.
  std::error_code prepare();
  link& wire() { return *link_; }
  // What the connection manager says until `up` is called goes there.
  void greet(std::move_only_function<void(const cm_event&)> by) { greeter_ = std::move(by); }
  // The connection is established. Host: with so many receives at the controller; a controller has
  // known the host's since it was made.
  void up(std::uint32_t peer_receives = 0);

  void close(bool clean) final;
  std::error_code misbehave(misdeed what, std::uint16_t fes) final;

 protected:
  explicit session(session_setup setup, access pool_rights);

  // What has come and waits to be taken.
  struct arrival {
    enum class kind : std::uint8_t { capsule, read, end } what = kind::capsule;
    std::uint32_t index = 0;  // of the receive; of the transfer
    std::uint32_t bytes = 0;
    block memory{};  // read
  };

  // --- What a host and a controller do differently -----------------------------------------------
  virtual queue_shape shape() const = 0;
  virtual std::error_code make_places() = 0;  // after the queue pair; posts the receives
  virtual void take(const arrival& a) = 0;
  virtual qpair_action describe(const arrival& a) const = 0;
  // A receive has completed with data. False: keep it back, it is pushed later.
  virtual bool admit(const completion&) { return true; }
  // A receive has been flushed, or what came in it is not wanted any more.
  virtual void drop_receive(std::uint32_t index) = 0;
  // A work request is done; ok: with success, else it failed or was flushed.
  virtual void on_done(const posted_work& work, bool ok) = 0;
  // What waits to leave: the first that could do so now; and lets it.
  virtual qpair_action next_out() const = 0;
  virtual void leave_one() = 0;
  virtual bool has_out() const = 0;
  // Something waits for work requests to be done that need not be told of.
  virtual bool awaits_sends() const = 0;
  // close: what may not leave any more, since its memory is not ours.
  virtual void keep_sendable(bool clean) = 0;
  // There is no link any more: takes what had come whole and waited for the device to let go of its
  // memory.
  virtual void take_held_back() {}
  // Completes all data that is in flight; with `attached` also that of capsules not transmitted.
  virtual void end_all(std::error_code why, bool attached) = 0;
  // A status of a work request that the peer is to blame for; nothing: it is not.
  virtual std::optional<protocol_error> blame(const completion& c) const = 0;

  // Calls are accepted until the end has been taken: what came before it may still be answered,
  // though the answer goes nowhere.
  bool open() const final { return (state_ == state::up || state_ == state::dying) && !closed(); }
  bool running() const { return state_ == state::up; }
  std::error_code lost() const { return closed() ? make_error_code(errc::aborted) : lost_code_; }
  // Lets leave what can.
  void pump();
  // False: no memory now; what wants it waits, or the queue is dying.
  bool take_block(std::uint32_t bytes, block& out);
  void give_block(block& b) {
    const block back = std::exchange(b, {});
    if (!back || link_ == nullptr) return;
    pool_.give(back);
    starved_ = false;
  }
  // Memory for capsules, for as long as the session lives, or why there is none.
  std::expected<region*, std::error_code> make_place(std::size_t bytes, access rights);
  // There was no memory; there may be when a block is given back.
  bool starved() const { return starved_; }
  // It leaves at the end of the visit, together with the others. False: the queue is at its end.
  bool post(const work_request& work, const posted_work& what);
  bool post_receive(std::uint32_t index, const piece& into);
  void push(const arrival& a);
  std::uint32_t receives_posted() const { return receives_posted_; }
  std::uint32_t max_inline() const { return inline_; }

  void violate(const protocol_error& what);
  void fail(std::error_code why, std::string_view reason);
  tamperer* tampers() const { return tamperer_; }

  const session_setup& setup() const { return setup_; }
  const qpair_params& params() const { return setup_.params; }
  bool flow_control_ = true;
  send_queue sent_;
  std::uint32_t peer_receives_;

 private:
  enum class state : std::uint8_t {
    opening,  // the connection manager has not said that it is up
    up,
    dying,  // disconnected; what is posted is awaited
    over,   // there is no link any more
  };

  void on_cm(const cm_event& e) final;
  void on_completions() final { visit(); }
  void visit();
  void plan_visit();
  bool take_turn();
  bool take_completions();
  void submit();
  bool must_hear_of_sends() const;
  void on_completion(const completion& c);
  void on_receive(const completion& c);
  void tell_posted(const work_request& work, const posted_work& what);
  void tell_done(const posted_work& work, work_status status);
  void trouble(const completion& c);
  void found_cause(const completion& c);
  void die(const qpair_error& why, bool cause_unknown = false);
  void await_flush();
  enum class claim : std::uint8_t { none, owns };
  void start_timer(duration after, void (session::*then)(), claim on_this = claim::none);
  void push_end();
  void take_end();
  void drop_link();
  void end_linger();
  bool settled() const { return sent_.empty() && !has_out(); }
  void stop_timer();

  void drain() final;
  void take_now(const arrival& a);
  void clean_up() final;

  // --- Stepping: stepping.cpp ---
  bool may_leave() const { return closed() || may(action_kind::send); }
  qpair_action next_to_leave() const final {
    return running() && !closed() ? next_out() : qpair_action{};
  }
  bool leave_next() final;
  void leave_all() final { pump(); }
  qpair_action next_arrival() const final;
  qpair_action about(const arrival& a) const;

  session_setup setup_;
  // The link goes before what its device may touch.
  std::vector<std::unique_ptr<region>> places_;
  block_pool pool_;
  std::unique_ptr<link> link_;
  std::move_only_function<void(const cm_event&)> greeter_;
  ring<arrival> inbox_;
  qpair_error why_{};
  std::error_code lost_code_;
  timer_id timer_ = 0;
  std::uint32_t receives_posted_ = 0;
  std::uint32_t inline_ = 0;
  state state_ = state::opening;
  bool cause_unknown_ = false;  // flushed, and nobody has said why
  bool end_pushed_ = false;
  bool starved_ = false;
  bool pumping_ = false;
  bool visiting_ = false, visit_planned_ = false;
  bool lingers_ = false;  // closed, and something leaves still; the timer owns this
};

}  // namespace nvmf::rdma
