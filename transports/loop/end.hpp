// SPDX-License-Identifier: BSD-2-Clause
// What a host's and a controller's end have in common: turns, callbacks, the way out, the ending.
#pragma once

#include <atomic>

#include "core/deferred.hpp"
#include "link.hpp"
#include "outbox.hpp"

namespace nvmf::loop {

// What the two ends of a connection are made from.
struct end_setup {
  std::shared_ptr<link> wire;
  std::shared_ptr<const loop_options> options;
  std::shared_ptr<std::atomic<std::size_t>> alive;  // qpairs of the transport
  transport_qpair::identity who;
  qpair_params params;
  std::uint64_t seed = 0;
};

class end : public transport_qpair, public std::enable_shared_from_this<end>, outlet {
 public:
  ~end() override { setup_.alive->fetch_sub(1, std::memory_order_relaxed); }

  void start(qpair_callbacks callbacks) final;
  void close(bool clean) final;
  void defer(task t) final;
  std::error_code tamper(tamperer* by) final;
  std::error_code misbehave(misdeed what, std::uint16_t fes) final;

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

  bool open() const { return !lost_ && !closed_; }
  std::error_code lost() const { return lost_code_; }
  bool side_is(role r) const { return who().side == r; }
  void send(message&& m);
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
  std::vector<completion> due_, firing_;
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
