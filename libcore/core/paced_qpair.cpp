// SPDX-License-Identifier: BSD-2-Clause
// Turns, callbacks and events. Standing still is in paced_steps.cpp.
#include "paced_qpair.hpp"

#include <cassert>

namespace nvmf {

paced_qpair::paced_qpair(identity who, std::uint16_t qid, std::uint32_t queue_size)
    : qid_(qid), queue_size_(queue_size), turn_(*who.runs_on), watcher_(who.watched_by) {
  who_ = std::move(who);
}

void paced_qpair::start(qpair_callbacks callbacks) {
  assert(!started_ && !closed_ && callbacks.on_receive && callbacks.on_error);
  started_ = true;
  calls_ = std::move(callbacks);
  if (held_up_ != nullptr) on_stepping();
  // What came before waits to be taken.
  who_.runs_on->post([self = shared_from_this()] { self->drain(); });
}

void paced_qpair::defer(task t) {
  if (routes()) return route(std::move(t));
  add_deferred(std::move(t));
}

std::error_code paced_qpair::tamper(tamperer* by) {
  tamperer_ = by;
  return {};
}

// Later when in a turn: what has arrived is being walked then, and a callback of the user's that
// runs just now must not lose what it owns.
void paced_qpair::let_go() {
  add_deferred([this] {
    clean_up();
    calls_ = {};
  });
  if (held_up_ != nullptr && held_up_->callbacks.in_turn()) {
    if (!turn_.in_turn()) route([this] { turn_.run(); });
  } else if (!turn_.in_turn()) {
    if (held_up_ != nullptr) held_up_->callbacks.run();
    turn_.run();
  }
}

// --- Callbacks ----------------------------------------------------------------------------------

void paced_qpair::receive(capsule_slot* slot) {
  if (routes()) return route([this, slot] { hand_on(slot); });
  hand_on(slot);
}

void paced_qpair::hand_on(capsule_slot* slot) {
  if (closed_) return release(slot);
  capsule handle = make_handle(slot);
  const std::size_t size = slot->command ? 64 : 16;
  emit(event_type::receive_callback, handle.cid(), std::span{slot->entry}.first(size));
  calls_.on_receive(std::move(handle));
}

void paced_qpair::complete(std::uint16_t cid, data_callback done, std::size_t bytes,
                           std::error_code error) {
  if (!done) return;
  if (routes())
    return route(
        [this, c = owed_completion{cid, std::move(done), bytes, error}]() mutable { call(c); });
  due_.push_back({cid, std::move(done), bytes, error});
  if (std::exchange(fire_planned_, true)) return;
  add_deferred([this] {
    fire_planned_ = false;
    fire();
  });
}

void paced_qpair::fire() {
  if (!started_ && !closed_) return;
  if (!firing_.empty()) return;  // a completion is on the way up the stack: it goes on
  while (!due_.empty()) {
    firing_.swap(due_);
    // One of them may pause this end, and the rest is called later.
    while (next_firing_ < firing_.size()) call(firing_[next_firing_++]);
    firing_.clear();
    next_firing_ = 0;
  }
}

void paced_qpair::call(owed_completion& c) {
  emit(event_type::data_callback, c.cid, {}, c.bytes, 0, c.error);
  c.done(c.bytes, c.error);
}

void paced_qpair::tell_error(const qpair_error& why) {
  if (routes()) return route([this, why] { tell_error_now(why); });
  tell_error_now(why);
}

void paced_qpair::tell_error_now(const qpair_error& why) {
  // A completion may have closed this end.
  if (closed_) return;
  emit(event_type::error_callback, -1, {}, 0, 0, why.code, why.violation.reason);
  calls_.on_error(why);
}

// --- Events -------------------------------------------------------------------------------------

void paced_qpair::emit(event_type type, int cid, std::span<const std::byte> header, std::uint64_t a,
                       std::uint64_t b, std::error_code error, std::string_view text,
                       std::span<const std::byte> data) {
  if (watcher_ == nullptr) return;
  // Observers read only.
  const segment piece{const_cast<std::byte*>(data.data()), data.size()};
  watcher_->on_event({.type = type,
                      .at = who_.runs_on->now(),
                      .qpair = who_.id,
                      .qid = qid_,
                      .cid = static_cast<std::uint16_t>(cid < 0 ? 0 : cid),
                      .has_cid = cid >= 0,
                      .header = header,
                      .data = std::span{&piece, data.empty() ? 0u : 1u},
                      .a = a,
                      .b = b,
                      .error = error,
                      .text = text});
}

}  // namespace nvmf
