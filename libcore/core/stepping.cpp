// SPDX-License-Identifier: BSD-2-Clause
#include "stepping.hpp"

#include <nvmf/error.hpp>

namespace nvmf {
namespace {

std::string_view text_of(pause_cause why) {
  switch (why) {
    case pause_cause::asked:
      return "asked";
    case pause_cause::stepped:
      return "stepped";
    case pause_cause::break_point:
      return "break point";
  }
  return "";
}

}  // namespace

void stepping::pause() {
  if (state_ == state::paused) return;
  halt();
}

void stepping::resume() {
  if (state_ == state::granted)
    report_step({.cause = finished_ ? pause_cause::stepped : pause_cause::asked, .done = done_});
  state_ = state::running;
  hit_.reset();
  owner_.on_stepping();
}

std::error_code stepping::grant(action_kind only, pause_callback done) {
  if (state_ == state::running) return errc::invalid_argument;
  if (state_ == state::granted) return errc::busy;
  state_ = state::granted;
  only_ = only;
  step_done_ = std::move(done);
  owner_.on_stepping();
  return {};
}

void stepping::break_when(break_condition when, pause_callback told) {
  when_ = std::move(when);
  told_ = when_ && told ? std::make_shared<pause_callback>(std::move(told)) : nullptr;
  owner_.on_stepping();
}

void stepping::end() {
  if (state_ == state::granted) report_step({.cause = pause_cause::asked, .done = {}});
  when_ = nullptr;
  told_.reset();
  state_ = state::running;
  finished_ = false;
  hit_.reset();
  owner_.on_stepping();
}

bool stepping::may(action_kind kind) const {
  if (state_ == state::running) return true;
  if (state_ == state::paused || finished_) return false;
  return only_ == action_kind::nothing || only_ == kind;
}

void stepping::begin(action_kind kind) {
  if (state_ == state::paused) return;
  working_ = kind;
  if (state_ == state::granted && only_ != kind) {
    only_ = kind;
    owner_.on_stepping();
  }
}

void stepping::leave() {
  if (!finished_) working_ = action_kind::nothing;
}

void stepping::finished(const qpair_action& done) {
  if (state_ == state::paused) return;
  done_ = done;
  finished_ = true;
  if (state_ == state::granted) owner_.on_stepping();
}

void stepping::settle() {
  if (!finished_) return;
  if (state_ == state::granted) return halt();
  finished_ = false;
  working_ = action_kind::nothing;
}

void stepping::halt() {
  pause_report what{.cause = finished_ ? pause_cause::stepped : pause_cause::asked,
                    .done = finished_ ? done_ : qpair_action{}};
  if (hit_) {
    what.cause = pause_cause::break_point;
    what.event = *hit_;
  }
  if (state_ == state::granted) report_step(what);
  if (hit_ && told_) reports_.push_back({.once = {}, .told = told_, .what = what});
  state_ = state::paused;
  only_ = working_ = action_kind::nothing;
  finished_ = false;
  hit_.reset();
  owner_.on_stepping();
  owner_.emit_paused(text_of(what.cause), what.done, what.event);
}

void stepping::report_step(const pause_report& what) {
  if (!step_done_) return;
  reports_.push_back({.once = std::move(step_done_), .told = {}, .what = what});
  step_done_ = nullptr;
}

void stepping::tell() {
  // One of them may pause, step or close the qpair.
  std::vector<report> now = std::exchange(reports_, {});
  for (report& r : now) {
    if (r.once) r.once(r.what);
    if (const auto told = r.told.lock()) (*told)(r.what);
  }
}

void stepping::on_event(const event& e) noexcept {
  if (watched_by_ != nullptr) watched_by_->on_event(e);
  if (e.type == event_type::pdu_in && !e.header.empty())
    seen_ = {.type = e.header[0], .cid = e.cid, .has_cid = e.has_cid, .any = true};
  if (!when_ || state_ == state::paused || hit_ || e.type == event_type::paused) return;
  if (!when_(e)) return;
  hit_ = e.type;
  if (working_ == action_kind::nothing) return halt();
  // The action comes to its end first, and nothing else is begun.
  if (state_ == state::running) {
    state_ = state::granted;
    only_ = working_;
    owner_.on_stepping();
  }
}

}  // namespace nvmf
