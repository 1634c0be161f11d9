// SPDX-License-Identifier: BSD-2-Clause
// What a qpair does whatever carries its units, be they messages or work requests: turns of the
// reactor; callbacks, in their order and never from within the call that causes them; events; and
// standing still on purpose (nvmf/step.hpp). A transport derives from it, says what may leave and
// what has arrived, and does one of each when told to.
#pragma once

#include <nvmf/transport.hpp>

#include "deferred.hpp"
#include "stepping.hpp"

namespace nvmf {

class paced_qpair : public transport_qpair,
                    public std::enable_shared_from_this<paced_qpair>,
                    stepping::owner {
 public:
  void start(qpair_callbacks callbacks) final;
  void defer(task t) final;
  std::error_code tamper(tamperer* by) final;
  std::error_code pause() final;
  std::error_code resume() final;
  bool paused() const final { return held_up_ != nullptr && held_up_->steps.paused(); }
  qpair_action next_action() const final;
  std::error_code step(pause_callback done, action_kind which) final;
  std::error_code break_when(break_condition when, pause_callback told) final;
  void show_inside(qpair_inside& show) const final;

  // On the executor: handles what has arrived, as far as takes() allows.
  virtual void drain() = 0;

 protected:
  paced_qpair(identity who, std::uint16_t qid, std::uint32_t queue_size);

  // --- What a transport does its own way ---------------------------------------------------------
  // Calls are accepted.
  virtual bool open() const = 0;
  // What may leave now and is first, if it is held back by stepping alone; and lets it leave.
  // False: it could not after all, and is first still.
  virtual qpair_action next_to_leave() const = 0;
  virtual bool leave_next() = 0;
  virtual void leave_all() = 0;
  // What has arrived and is first.
  virtual qpair_action next_arrival() const = 0;
  // Commands and fetches; what waits to leave.
  virtual void show_commands(qpair_inside& show) const = 0;
  virtual void show_out(qpair_inside& show) const = 0;
  // It has been closed, and nobody is on the way up the stack.
  virtual void clean_up() = 0;

  // --- Turns -------------------------------------------------------------------------------------
  // Brackets what is done in one visit of the reactor.
  void enter_turn() { turn_.enter(); }
  void leave_turn() { turn_.leave(); }
  void add_deferred(task t) { turn_.add(std::move(t), shared_from_this()); }
  bool started() const { return started_; }
  bool closed() const { return closed_; }
  // For close: false when it has been called before.
  bool mark_closed() { return !std::exchange(closed_, true); }
  // The last of close: clean_up runs as soon as it may.
  void let_go();

  // --- Callbacks ---------------------------------------------------------------------------------
  void receive(capsule_slot* slot);  // hands it to the user
  // Runs `done(bytes, error)` as soon as the rules allow.
  void complete(std::uint16_t cid, data_callback done, std::size_t bytes, std::error_code error);
  // Runs completions now; only when called by drain.
  void fire();
  void tell_error(const qpair_error& why);

  // --- Events ------------------------------------------------------------------------------------
  bool watched() const { return watcher_ != nullptr; }
  // For the ages of commands; 0 when nobody watches.
  time_point watched_now() const { return watched() ? who_.runs_on->now() : time_point{}; }
  // cid < 0: of no command.
  void emit(event_type type, int cid, std::span<const std::byte> header, std::uint64_t a = 0,
            std::uint64_t b = 0, std::error_code error = {}, std::string_view text = {},
            std::span<const std::byte> data = {});

  // --- Standing still ----------------------------------------------------------------------------
  // Something is set up: every unit is an action of its own, and every callback waits its turn.
  bool routes() const {
    return held_up_ != nullptr && (held_up_->steps.armed() || !held_up_->callbacks.empty());
  }
  bool takes() const { return !deaf_ && may(action_kind::receive); }
  bool may(action_kind kind) const { return held_up_ == nullptr || held_up_->steps.may(kind); }
  // A step has been asked for, and waits for such a unit.
  bool waits_for(action_kind kind) const {
    return held_up_ != nullptr && held_up_->steps.waits_for(kind);
  }
  // That unit is there now.
  void post_advance();
  // Handles one arrival as an action of its own; only when routes().
  template <class Take>
  void take_as_action(const qpair_action& what, Take take) {
    held_up_->steps.begin(action_kind::receive);
    take();
    finish_action(what);
  }
  // For close: no break point any more, nothing is held back.
  void end_stepping();
  // On purpose: what arrives is left where it is.
  void turn_deaf(bool on);

  std::uint16_t qid_;
  std::uint32_t queue_size_;
  tamperer* tamperer_ = nullptr;

 private:
  struct owed_completion {
    std::uint16_t cid = 0;
    data_callback done;
    std::size_t bytes = 0;
    std::error_code error;
  };
  // What a debugger has set up; most never have one. While it is armed every callback waits in
  // `callbacks`.
  struct hold_up {
    explicit hold_up(paced_qpair& of)
        : steps(of, of.who().watched_by), callbacks(*of.who().runs_on) {}
    stepping steps;
    deferred callbacks;
  };

  void call(owed_completion& c);
  void hand_on(capsule_slot* slot);
  void tell_error_now(const qpair_error& why);

  hold_up& held_up();
  void route(task callback);
  void move_to_callbacks();
  void on_stepping() final;
  void emit_paused(std::string_view why, const qpair_action& done, event_type hit) final;
  void advance();
  void step_callback();
  void step_send();
  void finish_action(const qpair_action& what);

  deferred turn_;
  qpair_callbacks calls_;
  std::vector<owed_completion> due_, firing_;
  std::size_t next_firing_ = 0;  // of them
  std::unique_ptr<hold_up> held_up_;
  observer* watcher_ = nullptr;
  bool fire_planned_ = false;
  bool deaf_ = false;
  bool started_ = false;
  bool closed_ = false;
};

}  // namespace nvmf
