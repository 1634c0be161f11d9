// SPDX-License-Identifier: BSD-2-Clause
// What a host's and a controller's end have in common: turns, callbacks, the way out, the ending.
#pragma once

#include <atomic>

#include "core/deferred.hpp"
#include "core/stepping.hpp"
#include "link.hpp"
#include "outbox.hpp"
#include "wire/tables.hpp"

namespace nvmf::loop {

// In-capsule data of the admin queue, whatever the transport (NVMe/TCP 3.2.4).
inline constexpr std::uint32_t admin_in_capsule = 8192;

inline protocol_error broken(std::string_view structure, std::uint32_t offset, wire::fes fes,
                             std::string_view reason, std::uint64_t value,
                             std::uint64_t limit = 0) {
  return {structure, offset, static_cast<std::uint16_t>(fes), offset, reason, value, limit};
}

// What the two ends of a connection are made from.
struct end_setup {
  std::shared_ptr<link> wire;
  std::shared_ptr<const loop_options> options;
  std::shared_ptr<std::atomic<std::size_t>> alive;  // qpairs of the transport
  transport_qpair::identity who;
  qpair_params params;
  std::uint64_t seed = 0;
};

class end : public transport_qpair,
            public std::enable_shared_from_this<end>,
            outlet,
            stepping::owner {
 public:
  ~end() override { setup_.alive->fetch_sub(1, std::memory_order_relaxed); }

  void start(qpair_callbacks callbacks) final;
  void close(bool clean) final;
  void defer(task t) final;
  std::error_code tamper(tamperer* by) final;
  std::error_code misbehave(misdeed what, std::uint16_t fes) final;
  std::error_code pause() final;
  std::error_code resume() final;
  bool paused() const final { return held_up_ != nullptr && held_up_->steps.paused(); }
  qpair_action next_action() const final;
  std::error_code step(pause_callback done, action_kind which) final;
  std::error_code break_when(break_condition when, pause_callback told) final;
  void show_inside(qpair_inside& show) const final;

  // On this end's executor: handles what has arrived.
  void drain();

 protected:
  explicit end(end_setup setup);

  virtual void handle(message& m) = 0;
  // A message that will not be handled: gives back what it holds.
  virtual void dispose(message& m) = 0;
  // Completes all data that is in flight; with `attached` also that of capsules not transmitted.
  virtual void end_all(std::error_code why, bool attached) = 0;
  // Fills in what depends on the order of leaving.
  virtual void stamp(message&) {}
  // It is about to leave. False: it is not to.
  virtual bool departing(message&) { return true; }
  // Commands and fetches.
  virtual void show_commands(qpair_inside& show) const = 0;

  bool open() const { return !lost_ && !closed_; }
  std::error_code lost() const { return lost_code_; }
  bool side_is(role r) const { return who().side == r; }
  void send(message&& m);
  // Forgets what has not left of a command's fetched data.
  void forget_fetched(std::uint16_t cid);
  // For the ages of commands; 0 when nobody watches.
  time_point watched_now() const {
    return watcher_ != nullptr ? who().runs_on->now() : time_point{};
  }
  void receive(capsule_slot* slot);  // hands it to the user
  // Runs `done(bytes, error)` as soon as the rules allow.
  void complete(std::uint16_t cid, data_callback done, std::size_t bytes, std::error_code error);
  // Runs completions now; only when called by drain.
  void fire();
  // By lot, when callbacks are to be shuffled.
  bool put_off() { return options().shuffle_callbacks && lots_.coin(); }
  // The peer broke the protocol: both ends lose the connection.
  void violate(const protocol_error& what);
  // cid < 0: of no command.
  void emit(event_type type, int cid, std::span<const std::byte> header, std::uint64_t a = 0,
            std::uint64_t b = 0, std::error_code error = {}, std::string_view text = {});
  // With data that lies in memory; or without, of `bytes` in all.
  void emit_data(event_type type, std::uint16_t cid, std::uint32_t bytes, std::uint32_t offset,
                 std::span<const std::byte> data = {});
  void emit_capsule(event_type type, std::uint16_t cid, std::span<const std::byte> sqe,
                    std::uint64_t bytes, bool in_capsule, std::span<const std::byte> data);

  const loop_options& options() const { return *setup_.options; }
  const qpair_params& params() const { return setup_.params; }
  link& wire() { return *setup_.wire; }
  lots& by_lot() { return lots_; }
  std::uint16_t qid_;
  std::uint32_t queue_size_;

 private:
  struct completion {
    std::uint16_t cid;
    data_callback done;
    std::size_t bytes;
    std::error_code error;
  };

  // What a debugger has set up; most ends never have one. While it is armed every callback waits in
  // `callbacks`, and while it is paused every message in `parked`.
  struct hold_up {
    explicit hold_up(end& of) : steps(of, of.who().watched_by), callbacks(*of.who().runs_on) {}
    stepping steps;
    deferred callbacks;
    std::deque<message> parked;
  };
  hold_up& held_up();
  bool routes() const {
    return held_up_ != nullptr && (held_up_->steps.armed() || !held_up_->callbacks.empty());
  }
  bool takes() const {
    return !deaf_ && (held_up_ == nullptr || held_up_->steps.may(action_kind::receive));
  }
  void route(task callback);
  void move_to_callbacks();
  void on_stepping() final;
  void emit_paused(std::string_view why, const qpair_action& done, event_type hit) final;
  void advance();
  void post_advance();
  void step_callback();
  void step_send();
  void take_one(message& m);
  void flush_parked();
  void end_hold_up(bool clean);

  void depart(message& m);
  void take(message& m);
  void hand_on(capsule_slot* slot);
  void tell_error(const qpair_error& why);
  void call(completion& c);
  void clean_up();

  void send_altered(message& m);
  void send_as_is(message& m);
  void terminate(std::uint16_t fes);
  void leave(message m) final;
  void cut(bool clean) final;
  role peer_side() const { return side_is(role::host) ? role::controller : role::host; }
  // The connection is gone: at most once.
  void lose(const qpair_error& why);
  void add_deferred(task t);

  end_setup setup_;
  deferred deferred_;
  outbox out_;
  lots lots_;
  qpair_callbacks calls_;
  std::vector<message> inbox_;
  std::size_t next_in_ = 0;  // of them
  std::vector<completion> due_, firing_;
  std::size_t next_firing_ = 0;  // of them
  std::unique_ptr<hold_up> held_up_;
  observer* watcher_ = nullptr;
  tamperer* tamperer_ = nullptr;
  bool fire_planned_ = false;
  bool deaf_ = false;  // on purpose: what arrives is left where it is
  bool started_ = false;
  bool lost_ = false;
  bool closed_ = false;
  bool cut_ = false;  // a hook has cut the connection: what is sent goes nowhere
  std::error_code lost_code_;
};

}  // namespace nvmf::loop
