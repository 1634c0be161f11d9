// SPDX-License-Identifier: BSD-2-Clause
// What a host's and a controller's end have in common: the way out, what arrives, the ending.
#pragma once

#include <atomic>

#include "core/paced_qpair.hpp"
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

class end : public paced_qpair, outlet {
 public:
  ~end() override { setup_.alive->fetch_sub(1, std::memory_order_relaxed); }

  void close(bool clean) final;
  std::error_code misbehave(misdeed what, std::uint16_t fes) final;
  void drain() final;

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

  bool open() const final { return !lost_ && !closed(); }
  std::error_code lost() const { return lost_code_; }
  bool side_is(role r) const { return who().side == r; }
  void send(message&& m);
  // Forgets what has not left of a command's fetched data.
  void forget_fetched(std::uint16_t cid);
  // By lot, when callbacks are to be shuffled.
  bool put_off() { return options().shuffle_callbacks && lots_.coin(); }
  // The peer broke the protocol: both ends lose the connection.
  void violate(const protocol_error& what);
  // With data that lies in memory; or without, of `bytes` in all.
  void emit_data(event_type type, std::uint16_t cid, std::uint32_t bytes, std::uint32_t offset,
                 std::span<const std::byte> data = {}) {
    emit(type, cid, {}, bytes, offset, {}, {}, data);
  }
  void emit_capsule(event_type type, std::uint16_t cid, std::span<const std::byte> sqe,
                    std::uint64_t bytes, bool in_capsule, std::span<const std::byte> data) {
    emit(type, cid, sqe, bytes, in_capsule ? 1u : 0u, {}, {}, data);
  }

  const loop_options& options() const { return *setup_.options; }
  const qpair_params& params() const { return setup_.params; }
  link& wire() { return *setup_.wire; }
  lots& by_lot() { return lots_; }

 private:
  // --- Stepping: stepping.cpp ---
  qpair_action next_to_leave() const final;
  bool leave_next() final;
  void leave_all() final;
  qpair_action next_arrival() const final;
  void show_out(qpair_inside& show) const final;
  void take_one(message& m);

  void depart(message& m);
  void take(message& m);
  void clean_up() final;

  void send_altered(message& m);
  void send_as_is(message& m);
  void terminate(std::uint16_t fes);
  void leave(message m) final;
  void cut(bool clean) final;
  role peer_side() const { return side_is(role::host) ? role::controller : role::host; }
  // The connection is gone: at most once.
  void lose(const qpair_error& why);

  end_setup setup_;
  outbox out_;
  lots lots_;
  std::vector<message> inbox_;
  std::size_t next_in_ = 0;      // of them
  std::vector<message> parked_;  // held back by stepping
  bool lost_ = false;
  bool cut_ = false;  // a hook has cut the connection: what is sent goes nowhere
  std::error_code lost_code_;
};

}  // namespace nvmf::loop
