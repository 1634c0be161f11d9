// SPDX-License-Identifier: BSD-2-Clause
// A session that is paused or moves step by step (nvmf/step.hpp). An action is a work request that
// leaves, or the completion of a receive or of an RDMA READ; that a send is done is nobody's.
#include "core/stepping.hpp"

#include <algorithm>

#include "session.hpp"

namespace nvmf::rdma {

session::hold_up& session::held_up() {
  if (held_up_ == nullptr) held_up_ = std::make_unique<hold_up>(*this);
  return *held_up_;
}

// --- What the user asks -------------------------------------------------------------------------

std::error_code session::pause() {
  held_up().steps.pause();
  return {};
}

std::error_code session::resume() {
  if (paused()) held_up_->steps.resume();
  return {};
}

std::error_code session::step(pause_callback done, action_kind which) {
  if (!paused()) return errc::invalid_argument;
  const bool owed = !held_up_->callbacks.empty();
  if (owed && which != action_kind::nothing) return errc::busy;
  action_kind only = which != action_kind::nothing ? which : next_action().kind;
  if (only == action_kind::end) only = action_kind::receive;
  return held_up_->steps.grant(only, std::move(done));
}

std::error_code session::break_when(break_condition when, pause_callback told) {
  held_up().steps.break_when(std::move(when), std::move(told));
  return {};
}

// --- What that changes --------------------------------------------------------------------------

void session::on_stepping() {
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
void session::move_to_callbacks() {
  const auto move = [this](std::vector<owed_completion>& from, std::size_t first) {
    for (std::size_t i = first; i < from.size(); ++i)
      route([this, c = std::move(from[i])]() mutable { call(c); });
    from.resize(first);
  };
  move(firing_, next_firing_);
  move(due_, 0);
}

void session::route(task callback) {
  held_up_->callbacks.add(std::move(callback), shared_from_this());
  if (held_up_->steps.waits_for_action()) post_advance();
}

void session::emit_paused(std::string_view why, const qpair_action& done, event_type hit) {
  emit(event_type::paused, -1, {}, static_cast<std::uint64_t>(done.kind),
       static_cast<std::uint64_t>(hit), {}, why);
}

void session::post_advance() {
  who_.runs_on->post([self = shared_from_this()] { self->advance(); });
}

void session::advance() {
  if (closed_) return;
  stepping& steps = held_up_->steps;
  if (!steps.paused()) {
    held_up_->callbacks.run();
    pump();
    return drain();
  }
  if (!held_up_->callbacks.empty()) {
    if (started_ && steps.waits_for(action_kind::call_back)) step_callback();
  } else if (running() && steps.waits_for(action_kind::send) &&
             next_out().kind == action_kind::send) {
    step_send();
  } else {
    drain();
  }
}

void session::step_callback() {
  stepping& steps = held_up_->steps;
  steps.begin(action_kind::call_back);
  steps.finished({.kind = action_kind::call_back});
  held_up_->callbacks.run_one();
  steps.settle();
}

void session::step_send() {
  stepping& steps = held_up_->steps;
  const qpair_action done = next_out();
  steps.begin(action_kind::send);
  leave_one();
  submit();
  if (starved_) return steps.leave();  // it has not left
  steps.finished(done);
  held_up_->callbacks.run();
  steps.settle();
}

// One arrival as an action of its own.
void session::take_one(const arrival& a) {
  stepping& steps = held_up_->steps;
  qpair_action done{.kind = action_kind::end};
  if (a.what != arrival::kind::end) done = describe(a);
  steps.begin(action_kind::receive);
  take_now(a);
  steps.finished(done);
  held_up_->callbacks.run();
  steps.settle();
}

void session::end_hold_up() {
  held_up_->steps.end();
  route([this] { held_up_->steps.tell(); });
}

// --- What it shows ------------------------------------------------------------------------------

qpair_action session::next_action() const {
  if (held_up_ != nullptr && !held_up_->callbacks.empty()) return {.kind = action_kind::call_back};
  if (running() && !closed_)
    if (qpair_action out = next_out(); out.kind == action_kind::send) return out;
  if (closed_ || inbox_.empty() || state_ == state::opening) return {};
  const arrival& first = inbox_.front();
  if (first.what == arrival::kind::end) return {.kind = action_kind::end};
  return describe(first);
}

void session::show_inside(qpair_inside& show) const {
  show.qid = qid_;
  show.started = started_;
  show.over = !open();
  show.reading = !deaf_;
  show_commands(show);
  std::ranges::sort(show.commands, {}, &command_inside::cid);
  show_out(show);
  for (const unit_inside& u : show.to_send) show.bytes_to_send += u.size;
  if (held_up_ == nullptr) return;
  show.break_point = held_up_->steps.breaks();
  show.callbacks_owed = held_up_->callbacks.size();
}

}  // namespace nvmf::rdma
