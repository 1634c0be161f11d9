// SPDX-License-Identifier: BSD-2-Clause
#include "end.hpp"

namespace nvmf::loop {

end::end(end_setup setup)
    : qid_(setup.params.qid),
      queue_size_(setup.params.queue_size),
      setup_(std::move(setup)),
      deferred_(*setup_.who.runs_on),
      out_(*setup_.who.runs_on, *setup_.options, setup_.seed, *this),
      lots_(setup_.seed + 1) {
  who_ = setup_.who;
  watcher_ = who_.watched_by;
  setup_.alive->fetch_add(1, std::memory_order_relaxed);
}

void end::add_deferred(task t) { deferred_.add(std::move(t), shared_from_this()); }

void end::defer(task t) {
  if (routes()) return route(std::move(t));
  add_deferred(std::move(t));
}

void end::start(qpair_callbacks callbacks) {
  assert(!started_ && open() && callbacks.on_receive && callbacks.on_error);
  started_ = true;
  calls_ = std::move(callbacks);
  if (held_up_ != nullptr) on_stepping();
  // What came before waits in the inbox.
  who_.runs_on->post([self = shared_from_this()] { self->drain(); });
}

void end::drain() {
  if (!takes() && !closed_) return;
  wire().take(who_.side, inbox_);
  if (!started_ && !closed_) return;
  const auto self = shared_from_this();
  deferred_.enter();
  // Callbacks may close or pause this end, but nothing adds to the inbox meanwhile.
  while (next_in_ < inbox_.size() && (closed_ || takes())) {
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
  deferred_.leave();
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
  if (held_up_ != nullptr && (paused() || !held_up_->parked.empty())) [[unlikely]] {
    held_up_->parked.push_back(std::move(m));
    if (held_up_->steps.waits_for(action_kind::send)) post_advance();
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
  if (held_up_ != nullptr) held_up_->parked.clear();
  who_.runs_on->post([self = shared_from_this(), m = std::move(last)]() mutable {
    self->inbox_.push_back(std::move(m));
    self->drain();
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
  if (held_up_ != nullptr) held_up_->parked.clear();
  emit(event_type::disconnected, -1, {}, 0, 0, why.code);
  if (!put_off()) {
    end_all(lost_code_, false);
    fire();
  }
  if (routes()) return route([this, why] { tell_error(why); });
  tell_error(why);
}

void end::tell_error(const qpair_error& why) {
  // A completion may have closed this end.
  if (closed_) return;
  emit(event_type::error_callback, -1, {}, 0, 0, why.code, why.violation.reason);
  calls_.on_error(why);
}

void end::close(bool clean) {
  if (std::exchange(closed_, true)) return;
  if (held_up_ != nullptr) end_hold_up(clean);
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
  // Later when in a turn: the inbox is being walked then, and a callback of the user's that runs
  // just now must not lose what it owns.
  add_deferred([this] { clean_up(); });
  if (held_up_ != nullptr && held_up_->callbacks.in_turn()) {
    if (!deferred_.in_turn()) route([this] { deferred_.run(); });
  } else if (!deferred_.in_turn()) {
    if (held_up_ != nullptr) held_up_->callbacks.run();
    deferred_.run();
  }
}

void end::clean_up() {
  for (std::size_t i = next_in_; i < inbox_.size(); ++i) dispose(inbox_[i]);
  inbox_.clear();
  next_in_ = 0;
  calls_ = {};
}

void end::receive(capsule_slot* slot) {
  if (routes()) return route([this, slot] { hand_on(slot); });
  hand_on(slot);
}

void end::hand_on(capsule_slot* slot) {
  if (closed_) return release(slot);
  capsule handle = make_handle(slot);
  const std::size_t size = slot->command ? 64 : 16;
  emit(event_type::receive_callback, handle.cid(), std::span{slot->entry}.first(size));
  calls_.on_receive(std::move(handle));
}

void end::complete(std::uint16_t cid, data_callback done, std::size_t bytes,
                   std::error_code error) {
  if (!done) return;
  if (routes())
    return route([this, c = completion{cid, std::move(done), bytes, error}]() mutable { call(c); });
  due_.push_back({cid, std::move(done), bytes, error});
  if (std::exchange(fire_planned_, true)) return;
  add_deferred([this] {
    fire_planned_ = false;
    fire();
  });
}

void end::fire() {
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

void end::call(completion& c) {
  emit(event_type::data_callback, c.cid, {}, c.bytes, 0, c.error);
  c.done(c.bytes, c.error);
}

void end::emit(event_type type, int cid, std::span<const std::byte> header, std::uint64_t a,
               std::uint64_t b, std::error_code error, std::string_view text) {
  if (watcher_ == nullptr) return;
  watcher_->on_event({.type = type,
                      .at = who_.runs_on->now(),
                      .qpair = who_.id,
                      .qid = qid_,
                      .cid = static_cast<std::uint16_t>(cid < 0 ? 0 : cid),
                      .has_cid = cid >= 0,
                      .header = header,
                      .a = a,
                      .b = b,
                      .error = error,
                      .text = text});
}

void end::emit_data(event_type type, std::uint16_t cid, std::uint32_t bytes, std::uint32_t offset,
                    std::span<const std::byte> data) {
  if (watcher_ == nullptr) return;
  // Observers read only.
  const segment piece{const_cast<std::byte*>(data.data()), data.size()};
  watcher_->on_event({.type = type,
                      .at = who_.runs_on->now(),
                      .qpair = who_.id,
                      .qid = qid_,
                      .cid = cid,
                      .has_cid = true,
                      .data = std::span{&piece, data.empty() ? 0u : 1u},
                      .a = bytes,
                      .b = offset});
}

void end::emit_capsule(event_type type, std::uint16_t cid, std::span<const std::byte> sqe,
                       std::uint64_t bytes, bool in_capsule, std::span<const std::byte> data) {
  if (watcher_ == nullptr) return;
  const segment piece{const_cast<std::byte*>(data.data()), data.size()};
  watcher_->on_event({.type = type,
                      .at = who_.runs_on->now(),
                      .qpair = who_.id,
                      .qid = qid_,
                      .cid = cid,
                      .has_cid = true,
                      .header = sqe,
                      .data = std::span{&piece, data.empty() ? 0u : 1u},
                      .a = bytes,
                      .b = in_capsule ? 1u : 0u});
}

}  // namespace nvmf::loop
