// SPDX-License-Identifier: BSD-2-Clause
// A qpair that is paused or moves step by step (nvmf/step.hpp).
#include <algorithm>

#include "paced_qpair.hpp"

namespace nvmf {

paced_qpair::hold_up& paced_qpair::held_up() {
  if (held_up_ == nullptr) held_up_ = std::make_unique<hold_up>(*this);
  return *held_up_;
}

// --- What the user asks -------------------------------------------------------------------------

std::error_code paced_qpair::pause() {
  held_up().steps.pause();
  return {};
}

std::error_code paced_qpair::resume() {
  if (paused()) held_up_->steps.resume();
  return {};
}

std::error_code paced_qpair::step(pause_callback done, action_kind which) {
  if (!paused()) return errc::invalid_argument;
  const bool owed = !held_up_->callbacks.empty();
  if (owed && which != action_kind::nothing) return errc::busy;
  action_kind only = which != action_kind::nothing ? which : next_action().kind;
  if (only == action_kind::end) only = action_kind::receive;
  return held_up_->steps.grant(only, std::move(done));
}

std::error_code paced_qpair::break_when(break_condition when, pause_callback told) {
  held_up().steps.break_when(std::move(when), std::move(told));
  return {};
}

// --- What that changes --------------------------------------------------------------------------

void paced_qpair::on_stepping() {
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
void paced_qpair::move_to_callbacks() {
  const auto move = [this](std::vector<owed_completion>& from, std::size_t first) {
    for (std::size_t i = first; i < from.size(); ++i)
      route([this, c = std::move(from[i])]() mutable { call(c); });
    from.resize(first);
  };
  move(firing_, next_firing_);
  move(due_, 0);
}

void paced_qpair::route(task callback) {
  held_up_->callbacks.add(std::move(callback), shared_from_this());
  if (held_up_->steps.waits_for_action()) post_advance();
}

void paced_qpair::emit_paused(std::string_view why, const qpair_action& done, event_type hit) {
  emit(event_type::paused, -1, {}, static_cast<std::uint64_t>(done.kind),
       static_cast<std::uint64_t>(hit), {}, why);
}

void paced_qpair::post_advance() {
  who_.runs_on->post([self = shared_from_this()] { self->advance(); });
}

void paced_qpair::advance() {
  if (closed_) return;
  stepping& steps = held_up_->steps;
  if (!steps.paused()) {
    held_up_->callbacks.run();
    leave_all();
    return drain();
  }
  if (!held_up_->callbacks.empty()) {
    if (started_ && steps.waits_for(action_kind::call_back)) step_callback();
  } else if (steps.waits_for(action_kind::send) && next_to_leave().kind == action_kind::send) {
    step_send();
  } else {
    drain();
  }
}

void paced_qpair::step_callback() {
  stepping& steps = held_up_->steps;
  steps.begin(action_kind::call_back);
  steps.finished({.kind = action_kind::call_back});
  held_up_->callbacks.run_one();
  steps.settle();
}

void paced_qpair::step_send() {
  const qpair_action what = next_to_leave();
  held_up_->steps.begin(action_kind::send);
  if (!leave_next()) return held_up_->steps.leave();
  finish_action(what);
}

void paced_qpair::finish_action(const qpair_action& what) {
  held_up_->steps.finished(what);
  held_up_->callbacks.run();
  held_up_->steps.settle();
}

void paced_qpair::end_stepping() {
  if (held_up_ == nullptr) return;
  held_up_->steps.end();
  route([this] { held_up_->steps.tell(); });
}

void paced_qpair::turn_deaf(bool on) {
  const bool was = std::exchange(deaf_, on);
  if (was && !on) who_.runs_on->post([self = shared_from_this()] { self->drain(); });
}

// --- What it shows ------------------------------------------------------------------------------

qpair_action paced_qpair::next_action() const {
  if (held_up_ != nullptr && !held_up_->callbacks.empty()) return {.kind = action_kind::call_back};
  if (qpair_action out = next_to_leave(); out.kind != action_kind::nothing) return out;
  return next_arrival();
}

void paced_qpair::show_inside(qpair_inside& show) const {
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

}  // namespace nvmf
