// SPDX-License-Identifier: BSD-2-Clause
// How a session ends: by the peer, by an error of a work request, by a breach, or closed by its
// user.
#include "session.hpp"

namespace nvmf::rdma {
namespace {

protocol_error words_of(const completion& c) {
  return {.structure = work_name(c.kind), .reason = status_name(c.status)};
}

}  // namespace

void session::on_cm(const cm_event& e) {
  const auto self = shared_from_this();
  if (state_ == state::opening) {
    if (!greeter_) return;
    // It may call up, which lets go of it.
    auto by = std::move(greeter_);
    by(e);
    if (state_ == state::opening) greeter_ = std::move(by);
    return;
  }
  enter_turn();
  if (e.kind == cm_event_kind::disconnected) {
    // What came before it is there already.
    take_completions();
    if (state_ == state::up) {
      closed() ? end_linger() : die({});
    } else if (state_ == state::dying && std::exchange(cause_unknown_, false)) {
      why_ = {};
      lost_code_ = errc::closed;
      await_flush();
    }
  } else if (e.kind == cm_event_kind::removed) {
    fail(std::make_error_code(std::errc::no_such_device), "the device or its address is gone");
  }
  drain();
  leave_turn();
}

void session::trouble(const completion& c) {
  const bool flushed = c.status == work_status::flushed;
  if (state_ == state::dying && cause_unknown_ && !flushed) return found_cause(c);
  if (state_ != state::up) return;
  if (closed()) return end_linger();
  if (const auto breach = blame(c)) return violate(*breach);
  // The first that is flushed says only that something else has happened.
  die({.code = error_of(c.status), .violation = words_of(c)}, flushed);
}

// What has failed may be told after what was flushed because of it: receives and work requests have
// a completion queue each.
void session::found_cause(const completion& c) {
  cause_unknown_ = false;
  why_ = {.code = error_of(c.status), .violation = words_of(c)};
  if (const auto breach = blame(c)) {
    emit(event_type::violation, -1, {}, breach->fes, breach->fei, {}, breach->reason);
    why_ = {.code = errc::protocol_violation, .violation = *breach};
  }
  lost_code_ = why_.code;
  link_->disconnect();
}

void session::fail(std::error_code why, std::string_view reason) {
  if (state_ != state::up) return;
  if (closed()) return end_linger();
  die({.code = why, .violation = {.structure = "rdma", .reason = reason}});
}

void session::violate(const protocol_error& what) {
  if (state_ != state::up || closed()) return;
  emit(event_type::violation, -1, {}, what.fes, what.fei, {}, what.reason);
  die({.code = errc::protocol_violation, .violation = what});
}

void session::die(const qpair_error& why, bool cause_unknown) {
  submit();
  if (state_ != state::up) return;  // that failed, too
  state_ = state::dying;
  why_ = why;
  lost_code_ = why.code ? why.code : make_error_code(errc::closed);
  cause_unknown_ = cause_unknown;
  // If the peer has disconnected that is yet to be told, and must not be mistaken for our own
  // doing.
  cause_unknown ? link_->fail() : link_->disconnect();
  start_timer(setup_.limits.drain_timeout, &session::push_end);
  await_flush();
  if (must_hear_of_sends()) plan_visit();
}

void session::await_flush() {
  if (end_pushed_ || !sent_.empty() || receives_posted_ != 0) return;
  if (cause_unknown_) return start_timer(setup_.limits.cause_timeout, &session::push_end);
  push_end();
}

void session::push_end() {
  if (state_ != state::dying || std::exchange(end_pushed_, true)) return;
  stop_timer();
  push({.what = arrival::kind::end});
  who_.runs_on->post([self = shared_from_this()] { self->drain(); });
}

void session::take_end() {
  if (closed()) return;
  drop_link();
  take_held_back();
  if (closed()) return;
  emit(event_type::disconnected, -1, {}, 0, 0, why_.code);
  keep_sendable(false);
  end_all(lost_code_, false);
  fire();
  tell_error(why_);
}

void session::drop_link() {
  state_ = state::over;
  stop_timer();
  if (link_ == nullptr) return;
  link_->tell(nullptr);
  link_.reset();
  receives_posted_ = 0;
}

void session::close(bool clean) {
  if (!mark_closed()) return;
  if (state_ == state::up || state_ == state::dying) emit(event_type::disconnected, -1, {}, 1);
  const auto self = shared_from_this();
  end_stepping();
  tamperer_ = nullptr;
  const bool may_linger = clean && state_ == state::up;
  if (may_linger) {
    pump();
    submit();
  }
  keep_sendable(may_linger);
  const bool lingers = may_linger && state_ == state::up && !settled();
  if (!lingers) drop_link();
  end_all(errc::aborted, true);
  if (lingers) {
    lingers_ = true;
    start_timer(params().options.linger, &session::end_linger, claim::owns);
  }
  let_go();
}

void session::clean_up() {
  while (!inbox_.empty()) inbox_.pop_front();
}

void session::end_linger() {
  if (!std::exchange(lingers_, false)) return;
  // Whoever is on the way up the stack may be in the middle of something.
  who_.runs_on->post([self = shared_from_this()] {});
  drop_link();
  keep_sendable(false);
}

// Who owns nothing but itself would outlive an executor that is destroyed before the timer is due.
void session::start_timer(duration after, void (session::*then)(), claim on_this) {
  stop_timer();
  auto owned = on_this == claim::owns ? shared_from_this() : nullptr;
  timer_ =
      who_.runs_on->start_timer(who_.runs_on->now() + after, [this, then, keep = std::move(owned)] {
        const auto self = shared_from_this();
        timer_ = 0;
        (this->*then)();
      });
}

void session::stop_timer() {
  if (timer_ != 0) who_.runs_on->cancel_timer(std::exchange(timer_, 0));
}

// --- Misbehaving on purpose ---------------------------------------------------------------------

std::error_code session::misbehave(misdeed what, std::uint16_t) {
  if (!running() || closed()) return lost_code_ ? lost_code_ : make_error_code(errc::closed);
  switch (what) {
    case misdeed::terminate:
      // There is no message for it: the peer sees that the connection goes.
      die({.code = errc::aborted,
           .violation = {.structure = "rdma",
                         .reason = "the connection was terminated on purpose"}});
      return {};
    case misdeed::reset:
      turn_deaf(false);
      die({.code = errc::reset});
      return {};
    case misdeed::half_close:
      return errc::not_supported;
    case misdeed::stop_reading:
    case misdeed::resume_reading:
      turn_deaf(what == misdeed::stop_reading);
      return {};
  }
  return errc::invalid_argument;
}

}  // namespace nvmf::rdma
