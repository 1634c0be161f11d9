// SPDX-License-Identifier: BSD-2-Clause
// One NVMe/TCP connection after its IC exchange, as a machine: bytes in, bytes out, callbacks. It
// touches no socket and no clock. Whoever has the socket (../driver.hpp, or a test) feeds it
// and carries away what it has to send; host_session and controller_session know what the PDUs
// mean.
#pragma once

#include <deque>
#include <memory>
#include <nvmf/transport.hpp>

#include "core/deferred.hpp"
#include "core/stepping.hpp"
#include "emitter.hpp"
#include "encode.hpp"
#include "receive.hpp"
#include "strictness.hpp"
#include "transmit.hpp"

namespace nvmf::tcp {

// What the IC exchange settled.
struct negotiated {
  bool header_digest = false;
  bool data_digest = false;
  std::uint32_t host_alignment = 4;        // bytes: HPDA, of data to the host
  std::uint32_t controller_alignment = 4;  // bytes: CPDA, of data to the controller
  std::uint32_t max_r2t = 1;               // 1's based
  std::uint32_t max_h2c_data = 0;          // bytes
};

// What a session asks of whoever moves its bytes. Calls come on the session's executor.
class wire_link {
 public:
  virtual ~wire_link() = default;
  // The qpair has been started: bytes may be read.
  virtual void begin() = 0;
  // There is something to send. Also called while bytes are being moved; harmless then.
  virtual void wake() noexcept = 0;
  // The qpair is closed and lives on only until the link lets go of it. clean: what is queued may
  // leave first, for a bounded time.
  virtual void finish(bool clean) = 0;
  // The connection is broken off: what has not left is lost, and the peer is told so rudely.
  virtual void reset() = 0;
  // Nothing more will be sent.
  virtual void half_close() = 0;
  // Copies what has arrived and not been read, as far as it fits; it stays where it is.
  struct arrival {
    std::size_t bytes = 0;
    bool ended = false;  // nothing comes behind what is there
  };
  virtual arrival peek(std::span<std::byte> into) {
    static_cast<void>(into);
    return {};
  }
};

struct session_setup {
  executor* on = nullptr;
  std::shared_ptr<memory_pool> memory;
  qpair_params params;
  negotiated agreed;
  strictness strict{};
  std::uint32_t id = 0;  // next_qpair_id()
  std::string peer, local;
};

class session : public transport_qpair,
                public std::enable_shared_from_this<session>,
                protected receiver::handler,
                protected pool_owner,
                private stepping::owner {
 public:
  explicit session(session_setup setup);
  session(const session&) = delete;
  session& operator=(const session&) = delete;

  // Before anything else. The session keeps the link until the qpair is closed; from then on the
  // link keeps the session, for as long as it needs it.
  void attach(std::shared_ptr<wire_link> link) { link_ = std::move(link); }

  // --- For the link -------------------------------------------------------------------------
  // Every visit is a turn: between enter and leave bytes are moved, leave runs the callbacks.
  void enter_turn() { turn_.enter(); }
  void leave_turn() {
    turn_.leave();
    if (held_up_ != nullptr) [[unlikely]]
      after_turn();
    watch_for_stall();
  }
  void abandon_turn() { turn_.abandon_turn(); }
  // Callbacks wait to be run.
  bool turn_has_work() const { return !turn_.empty(); }

  // True while bytes are welcome. False before start, after the end, and while too much waits to
  // be sent to a peer that does not read, or while the qpair is paused.
  bool wants_input() const { return started_ && !rx_.ended() && !congested_ && !deaf_; }
  // Bytes, at most, that a turn may bring, whether by took_direct or consume: while PDUs are taken
  // one by one no more than surely belongs to one.
  std::size_t input_room() const {
    if (held_up_ != nullptr && one_by_one()) [[unlikely]]
      return rx_.wanted();
    return SIZE_MAX;
  }
  // Takes all of `in`; what follows a violation in it is dropped.
  void consume(std::span<const std::byte> in);
  // See receiver. To be asked before each read.
  std::size_t direct(std::span<segment> out) const { return rx_.direct(out); }
  void took_direct(std::size_t n);
  // The peer closed its side; everything before it has been consumed.
  void end_of_input();
  // The connection is broken.
  void broken(std::error_code why);

  // Something waits to leave; and may do so now.
  bool has_queued() const { return !tx_.empty() || more_output(); }
  bool has_output() const { return !mute_ && has_queued(); }
  // See transmit_queue. May come to nothing.
  std::size_t gather(std::span<segment> out, std::size_t most) {
    make_output();
    if (held_up_ != nullptr) [[unlikely]]
      most = room_to_send(most);
    return most == 0 ? 0 : tx_.gather(out, most);
  }
  void sent(std::size_t n);
  // The connection takes no more bytes, but may have some to be read.
  void cannot_send();
  // Paused, or in the middle of a step.
  bool paused() const override { return held_up_ != nullptr && held_up_->steps.paused(); }

  // Over: nothing is received any more. What becomes of the connection then:
  enum class aftermath : std::uint8_t {
    flush,       // what is queued leaves, then the owner of the qpair closes it
    await_peer,  // a TermReq of ours leaves, and the peer is given time to close (NVMe/TCP 3.5)
    drop,        // there is nobody to talk to, or nothing may be said: close at once
  };
  bool over() const { return rx_.ended(); }
  aftermath after() const { return after_; }
  const qpair_params& params() const { return params_; }
  emitter& events() { return events_; }

  // --- transport_qpair ----------------------------------------------------------------------
  void start(qpair_callbacks callbacks) override;
  void set_queue(std::uint16_t qid, std::uint32_t queue_size, bool sq_flow_control) override;
  void set_max_in_capsule(std::uint32_t bytes) override { max_in_capsule_ = bytes; }
  qpair_limits limits() const override;
  void close(bool clean) override;
  void defer(task t) override;
  std::error_code tamper(tamperer* by) override;
  std::error_code misbehave(misdeed what, std::uint16_t fes) override;
  std::error_code pause() override;
  std::error_code resume() override;
  qpair_action next_action() const override;
  std::error_code step(pause_callback done, action_kind which) override;
  std::error_code break_when(break_condition when, pause_callback told) override;
  std::error_code send_raw(std::span<const std::byte> bytes) override;
  std::error_code cut_writes(std::span<const std::size_t> sizes) override;
  void show_inside(qpair_inside& show) const override;

 protected:
  // Ends the connection for a reason that is not the peer's breach.
  void fail(qpair_error why);
  // Ends it for a breach: TermReq, then fail. Returns false, for the handlers' sake.
  bool violated(const protocol_error& error, std::span<const std::byte> header);

  // Completes everything in flight with `why` and lets go of all user memory.
  virtual void complete_in_flight(std::error_code why) = 0;
  // The qpair is being closed: capsules that were never transmitted complete too.
  virtual void abandon_unsent() {}
  // A PDU has left entirely.
  virtual void on_sent(tx_pdu& pdu) = 0;
  // We are in the middle of something that only the peer can bring to its end.
  virtual bool waits_for_peer() const { return !rx_.at_boundary() || has_output(); }
  // The peer reads again: `congested_` has ended.
  virtual void on_room() {}
  // PDUs are made as they are about to leave, where that can wait; and there are some to be made.
  virtual void make_output() {}
  virtual bool more_output() const { return false; }
  // What the first of them will be.
  virtual qpair_action next_made() const { return {}; }
  // Fills in commands and R2Ts.
  virtual void show_commands(qpair_inside& show) const = 0;

  // Asks the pools to rest; see slot_pool.
  struct rested {
    std::size_t bytes = 0;  // given back
    bool grown = false;     // some pool is large still
  };
  virtual rested rest() = 0;
  template <class... Pools>
  static rested rest_all(Pools&... pools) {
    const std::size_t bytes = (pools.rest() + ...);
    return {bytes, (pools.grown() || ...)};
  }
  void on_grown() override;

  bool one_by_one() const { return held_up_ != nullptr && held_up_->steps.armed(); }
  // For the ages of commands; 0 when nobody watches.
  time_point watched_now() const { return events_.on() ? who_.runs_on->now() : time_point{}; }

  std::size_t high_water() const { return qid_ == 0 ? admin_tx_high_water : tx_high_water; }
  // Queues a PDU that is encoded.
  void push(tx_pdu* pdu);
  void push_urgent(tx_pdu* pdu);
  void wake() noexcept {
    if (link_) link_->wake();
  }
  // Calls on_receive with a handle of `slot`, unless the qpair is closed by then. False: it is.
  bool deliver(capsule_slot* slot);
  // The error that calls get once the connection is over.
  std::error_code gone() const;

  bool on_termreq(std::span<const std::byte> header, std::span<const std::byte> data) override;
  void on_violation(const protocol_error& error, std::span<const std::byte> header) override {
    violated(error, header);
  }

  const qpair_params params_;
  const negotiated agreed_;
  const strictness strict_;
  std::shared_ptr<memory_pool> memory_;
  receiver rx_{*this};
  transmit_queue tx_;
  send_rules send_rules_;
  emitter events_;
  std::uint16_t qid_;
  std::uint32_t queue_size_;
  bool sq_flow_control_;
  std::uint32_t max_in_capsule_ = 0;
  bool congested_ = false;
  bool closed_ = false;

 private:
  void tell_error(const qpair_error& why);
  void queue(tx_pdu* pdu, bool urgent);
  void queue_tampered(tx_pdu* pdu, bool urgent);
  void terminate(std::uint16_t fes);
  void watch_for_stall();
  void arm_stall_timer();
  void on_stall_time();
  void on_rest_time();

  // --- Stepping: stepping.cpp ---
  // What a debugger has set up; most qpairs never have one.
  struct hold_up {
    explicit hold_up(session& of) : steps(of, of.params_.watched_by) {}
    stepping steps;
    std::deque<std::size_t> cuts;  // what is left of them
    bool cannot_send = false;
  };
  hold_up& held_up();
  void admit();
  void on_stepping() override;
  void emit_paused(std::string_view why, const qpair_action& done, event_type hit) override;
  void after_turn();
  std::size_t room_to_send(std::size_t most);
  void sent_held_up(std::size_t n);
  void sent_now(std::size_t n);
  // Bytes are about to be taken, and have been.
  std::size_t begin_receiving();
  void end_receiving(std::size_t size);
  void break_off(std::error_code why);
  void run_owed();
  qpair_action next_to_send() const;
  qpair_action next_to_receive() const;

  deferred turn_;
  std::shared_ptr<wire_link> link_;
  qpair_callbacks callbacks_{};
  qpair_error why_{};
  tamperer* tamperer_ = nullptr;
  std::unique_ptr<hold_up> held_up_;
  bool deaf_ = false;             // on purpose, or paused: the peer's bytes are not taken
  bool reading_stopped_ = false;  // on purpose
  bool mute_ = false;             // paused: nothing leaves
  bool started_ = false;
  bool failed_ = false;
  aftermath after_ = aftermath::flush;
  // See transport_options::stall_timeout. Looked at four times in its course, so that a byte costs
  // no timer: it ends the connection at most a quarter later.
  timer_id stall_timer_ = 0;
  int quiet_ = 0;  // looks since a byte has moved
  // Runs from when a pool has grown until all are small again.
  timer_id rest_timer_ = 0;
};

}  // namespace nvmf::tcp
