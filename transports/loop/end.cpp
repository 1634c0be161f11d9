// SPDX-License-Identifier: BSD-2-Clause
#include "end.hpp"

namespace nvmf::loop {

end::end(end_setup setup)
    : paced_qpair(setup.who, setup.params.qid, setup.params.queue_size),
      setup_(std::move(setup)),
      out_(*setup_.who.runs_on, *setup_.options, setup_.seed, *this),
      lots_(setup_.seed + 1) {
  setup_.alive->fetch_add(1, std::memory_order_relaxed);
}

void end::drain() {
  if (!takes() && !closed()) return;
  wire().take(who_.side, inbox_);
  if (!started() && !closed()) return;
  const auto self = shared_from_this();
  enter_turn();
  // Callbacks may close or pause this end, but nothing adds to the inbox meanwhile.
  while (next_in_ < inbox_.size() && (closed() || takes())) {
    message& m = inbox_[next_in_++];
    if (routes() && open())
      take_one(m);
    else
      take(m);
  }
  if (next_in_ == inbox_.size()) {
    inbox_.clear();
    next_in_ = 0;
  }
  fire();
  leave_turn();
}

void end::take(message& m) {
  if (!open()) return dispose(m);
  if (m.kind == loop_kind::ending)
    lose(m.ending);
  else
    handle(m);
  if (!put_off()) fire();
}

void end::send(message&& m) {
  if (!open() || cut_) return;
  if (paused() || !parked_.empty()) [[unlikely]] {
    parked_.push_back(std::move(m));
    if (waits_for(action_kind::send)) post_advance();
    return;
  }
  depart(m);
}

void end::depart(message& m) {
  if (!departing(m)) return;
  if (tamperer_ != nullptr) return send_altered(m);
  send_as_is(m);
}

void end::send_as_is(message& m) {
  loop_message seen{.kind = m.kind,
                    .from = who_.side,
                    .qpair = who_.id,
                    .qid = qid_,
                    .number = 0,
                    .cid = m.cid,
                    .offset = m.offset,
                    .length = m.length,
                    .last = m.last};
  if (m.kind == loop_kind::command) seen.entry = m.entry;
  if (m.kind == loop_kind::response) seen.entry = std::span{m.entry}.first(16);
  out_.send(m, seen);
}

void end::leave(message m) {
  stamp(m);
  wire().push(peer_side(), std::move(m));
}

void end::cut(bool clean) {
  out_.flush();
  message last;
  last.kind = loop_kind::ending;
  if (!clean) last.ending.code = errc::reset;
  wire().push(peer_side(), last.duplicate());
  // This end is in the middle of sending something, so it learns of it later.
  cut_ = true;
  parked_.clear();
  who_.runs_on->post([this, self = shared_from_this(), m = std::move(last)]() mutable {
    inbox_.push_back(std::move(m));
    drain();
  });
}

void end::violate(const protocol_error& what) {
  emit(event_type::violation, -1, {}, what.fes, what.fei, {}, what.reason);
  out_.drop();
  message last;
  last.kind = loop_kind::ending;
  last.ending = {.code = errc::terminated, .violation = what};
  wire().push(peer_side(), std::move(last));
  lose({.code = errc::protocol_violation, .violation = what});
}

void end::lose(const qpair_error& why) {
  if (!open()) return;
  lost_ = true;
  lost_code_ = why.code ? why.code : make_error_code(errc::closed);
  out_.drop();
  parked_.clear();
  emit(event_type::disconnected, -1, {}, 0, 0, why.code);
  if (!put_off()) {
    end_all(lost_code_, false);
    fire();
  }
  tell_error(why);
}

void end::close(bool clean) {
  if (!mark_closed()) return;
  end_stepping();
  if (clean && !lost_ && !cut_) leave_all();
  parked_.clear();
  tamperer_ = nullptr;
  if (!lost_ && !cut_) {
    if (clean)
      out_.flush();
    else
      out_.drop();
    message last;
    last.kind = loop_kind::ending;
    if (!clean) last.ending.code = errc::reset;
    wire().push(peer_side(), std::move(last));
  }
  for (message& m : wire().detach(who_.side)) dispose(m);
  end_all(errc::aborted, true);
  if (!lost_) emit(event_type::disconnected, -1, {}, 1);
  let_go();
}

void end::clean_up() {
  for (std::size_t i = next_in_; i < inbox_.size(); ++i) dispose(inbox_[i]);
  inbox_.clear();
  next_in_ = 0;
}

}  // namespace nvmf::loop
