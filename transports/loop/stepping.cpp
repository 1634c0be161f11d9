// SPDX-License-Identifier: BSD-2-Clause
// An end that is paused or moves step by step (nvmf/step.hpp).
#include "core/stepping.hpp"

#include "end.hpp"

namespace nvmf::loop {
namespace {

// A buffer that comes home is nobody's action.
bool counts(const message& m) { return m.kind != loop_kind::returned; }

qpair_action describe(const message& m, action_kind kind) {
  if (m.kind == loop_kind::ending) return {.kind = action_kind::end};
  return {
      .kind = kind, .unit = kind_of(m.kind), .cid = m.cid, .has_cid = true, .bytes = payload(m)};
}

}  // namespace

end::hold_up& end::held_up() {
  if (held_up_ == nullptr) held_up_ = std::make_unique<hold_up>(*this);
  return *held_up_;
}

// --- What the user asks -------------------------------------------------------------------------

std::error_code end::pause() {
  held_up().steps.pause();
  return {};
}

std::error_code end::resume() {
  if (paused()) held_up_->steps.resume();
  return {};
}

std::error_code end::step(pause_callback done, action_kind which) {
  if (!paused()) return errc::invalid_argument;
  const bool owed = !held_up_->callbacks.empty();
  if (owed && which != action_kind::nothing) return errc::busy;
  action_kind only = which != action_kind::nothing ? which : next_action().kind;
  if (only == action_kind::end) only = action_kind::receive;
  return held_up_->steps.grant(only, std::move(done));
}

std::error_code end::break_when(break_condition when, pause_callback told) {
  held_up().steps.break_when(std::move(when), std::move(told));
  return {};
}

// --- What that changes --------------------------------------------------------------------------

void end::on_stepping() {
  stepping& steps = held_up_->steps;
  if (steps.armed() && watcher_ != &steps) {
    watcher_ = &steps;
    move_to_callbacks();
  } else if (!steps.armed()) {
    watcher_ = who_.watched_by;
  }
  held_up_->callbacks.hold(steps.holds_callbacks() || (!started_ && !closed_));
  if (steps.has_reports())
    who_.runs_on->post([self = shared_from_this()] { self->held_up_->steps.tell(); });
  if (steps.may(action_kind::receive) || steps.may(action_kind::send) ||
      steps.may(action_kind::call_back))
    post_advance();
}

// What is about to be called back, and now waits its turn.
void end::move_to_callbacks() {
  const auto move = [this](std::vector<completion>& from, std::size_t first) {
    for (std::size_t i = first; i < from.size(); ++i)
      route([this, c = std::move(from[i])]() mutable { call(c); });
    from.resize(first);
  };
  move(firing_, next_firing_);
  move(due_, 0);
}

void end::route(task callback) {
  held_up_->callbacks.add(std::move(callback), shared_from_this());
  if (held_up_->steps.waits_for_action()) post_advance();
}

void end::emit_paused(std::string_view why, const qpair_action& done, event_type hit) {
  emit(event_type::paused, -1, {}, static_cast<std::uint64_t>(done.kind),
       static_cast<std::uint64_t>(hit), {}, why);
}

void end::post_advance() {
  who_.runs_on->post([self = shared_from_this()] { self->advance(); });
}

void end::advance() {
  if (closed_) return;
  stepping& steps = held_up_->steps;
  if (!steps.paused()) {
    held_up_->callbacks.run();
    flush_parked();
    return drain();
  }
  if (!held_up_->callbacks.empty()) {
    if (started_ && steps.waits_for(action_kind::call_back)) step_callback();
  } else if (!held_up_->parked.empty() && steps.waits_for(action_kind::send)) {
    step_send();
  } else {
    drain();
  }
}

void end::step_callback() {
  stepping& steps = held_up_->steps;
  steps.begin(action_kind::call_back);
  steps.finished({.kind = action_kind::call_back});
  held_up_->callbacks.run_one();
  steps.settle();
}

void end::step_send() {
  stepping& steps = held_up_->steps;
  message m = std::move(held_up_->parked.front());
  held_up_->parked.pop_front();
  const qpair_action done = describe(m, action_kind::send);
  steps.begin(action_kind::send);
  depart(m);
  steps.finished(done);
  held_up_->callbacks.run();
  steps.settle();
}

// One message as an action of its own.
void end::take_one(message& m) {
  stepping& steps = held_up_->steps;
  if (!counts(m)) return take(m);
  const qpair_action done = describe(m, action_kind::receive);
  steps.begin(action_kind::receive);
  take(m);
  steps.finished(done);
  held_up_->callbacks.run();
  steps.settle();
}

void end::flush_parked() {
  while (!held_up_->parked.empty() && held_up_->steps.may(action_kind::send)) {
    message m = std::move(held_up_->parked.front());
    held_up_->parked.pop_front();
    depart(m);
  }
}

void end::forget_fetched(std::uint16_t cid) {
  if (held_up_ == nullptr) return;
  std::erase_if(held_up_->parked,
                [&](const message& m) { return m.kind == loop_kind::fetched && m.cid == cid; });
}

void end::end_hold_up(bool clean) {
  held_up_->steps.end();
  route([this] { held_up_->steps.tell(); });
  if (clean && !lost_ && !cut_) flush_parked();
  held_up_->parked.clear();
}

// --- What it shows ------------------------------------------------------------------------------

qpair_action end::next_action() const {
  if (held_up_ != nullptr && !held_up_->callbacks.empty()) return {.kind = action_kind::call_back};
  if (held_up_ != nullptr && !held_up_->parked.empty())
    return describe(held_up_->parked.front(), action_kind::send);
  qpair_action next;
  if (!open()) return next;
  for (std::size_t i = next_in_; i < inbox_.size(); ++i)
    if (counts(inbox_[i])) return describe(inbox_[i], action_kind::receive);
  setup_.wire->look(who_.side, counts,
                    [&](const message& m) { next = describe(m, action_kind::receive); });
  return next;
}

void end::show_inside(qpair_inside& show) const {
  show.qid = qid_;
  show.started = started_;
  show.over = !open();
  show.reading = !deaf_;
  show_commands(show);
  std::ranges::sort(show.commands, {}, &command_inside::cid);
  if (held_up_ == nullptr) return;
  show.break_point = held_up_->steps.breaks();
  for (const message& m : held_up_->parked) {
    show.to_send.push_back({.kind = kind_of(m.kind), .cid = m.cid, .size = payload(m)});
    show.bytes_to_send += payload(m);
  }
  show.callbacks_owed = held_up_->callbacks.size();
}

}  // namespace nvmf::loop
