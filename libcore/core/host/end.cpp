// SPDX-License-Identifier: BSD-2-Clause
// The end of an association: shutdown, loss, and letting go.
#include <fmt/format.h>

#include <algorithm>

#include "association.hpp"
#include "engine/termreq_text.hpp"

namespace nvmf {

using std::chrono::milliseconds;

namespace {

std::string reason_text(const host_failure& f) {
  if (!f.violation) return {};
  if (f.code == errc::terminated) return ": " + engine::termreq_text(*f.violation);
  return fmt::format(" ({} byte {}: {})", f.violation->structure, f.violation->offset,
                     f.violation->reason);
}

}  // namespace

// ---- shutdown -------------------------------------------------------------------------------

void host_core::shutdown(std::move_only_function<void(std::error_code)> done) {
  if (state_ == state::down && shutdown_calls_.empty()) shutdown_result_ = errc::closed;
  shutdown_calls_.push_back(std::move(done));
  if (state_ == state::down && quiet()) return post_shutdown();
  if (state_ == state::stopping || state_ == state::down) return;
  // Not inside this call: nothing that the caller has given us may run before it returns.
  if (state_ == state::starting) {
    state_ = state::stopping;
    shutdown_began_ = on_.now();
    if (step_timer_ != 0) on_.cancel_timer(std::exchange(step_timer_, 0));
    host_failure f;
    f.stage = machine_ ? machine_->stage() : host_stage::connect;
    f.code = errc::aborted;
    f.detail = "the bring-up was stopped";
    failure_ = std::move(f);
    on_.post([weak = weak_from_this()] {
      const auto self = weak.lock();
      if (self && self->state_ == state::stopping) self->shutdown_over({}, "ok");
    });
    return;
  }
  state_ = state::stopping;
  shutdown_began_ = on_.now();
  if (facts().reached >= host_stage::enable) {
    shutdown_.emplace(facts().properties.cc, on_.now() + options_.timeout);
    return drive_shutdown(shutdown_->start());
  }
  on_.post([weak = weak_from_this()] {
    const auto self = weak.lock();
    if (self && self->state_ == state::stopping) self->shutdown_over({}, "ok");
  });
}

// There is nothing to shut down any more. Who lets go before it is told hears of it when he does.
void host_core::post_shutdown() {
  if (std::exchange(shutdown_posted_, true)) return;
  on_.post([weak = weak_from_this()] {
    const auto self = weak.lock();
    if (!self) return;
    const turn t(self->life_);
    self->shutdown_posted_ = false;
  });
}

void host_core::drive_shutdown(engine::action next) {
  if (auto* c = std::get_if<engine::send_command>(&next)) {
    // What is left of the time that the whole shutdown has.
    const auto left = shutdown_began_ + options_.timeout - on_.now();
    const auto bound = std::max(std::chrono::ceil<milliseconds>(left), milliseconds(1));
    return send(std::move(*c), bound, [this](const engine::reply& got) {
      if (state_ == state::stopping) drive_shutdown(shutdown_->on_reply(got, on_.now()));
    });
  }
  if (auto* w = std::get_if<engine::wait_for>(&next)) {
    step_timer_ = on_.start_timer(on_.now() + w->time, [this] {
      turn t(life_);
      step_timer_ = 0;
      drive_shutdown(shutdown_->on_time(on_.now()));
    });
    return;
  }
  if (auto* f = std::get_if<engine::failed>(&next))
    return shutdown_over(f->why.code ? f->why.code : make_error_code(errc::refused), f->why.detail);
  shutdown_over({}, "ok");
}

void host_core::shutdown_over(std::error_code result, std::string verdict) {
  turn t(life_);
  stage_report r{.stage = host_stage::shutdown,
                 .took = on_.now() - shutdown_began_,
                 .sent = {},
                 .got = {},
                 .verdict = std::move(verdict),
                 .failed = static_cast<bool>(result)};
  if (shutdown_) {
    r.sent.emplace_back("CC", fmt::format("{:08X}h", shutdown_->cc()));
    r.got.emplace_back("CSTS", fmt::format("{:08X}h", shutdown_->csts()));
  }
  shutdown_result_ = result;
  report(std::move(r));
  if (state_ == state::down) return;  // by what the report led to
  end(errc::aborted, true);
}

// ---- the end --------------------------------------------------------------------------------

void host_core::queue_failed(host_queue& q, const qpair_error& why) {
  // A controller that shuts down may close its I/O queues before CSTS.SHST says that it is done;
  // some send RST after their FIN.
  if (state_ == state::stopping && q.qid() != 0 && (!why.code || why.code == errc::reset))
    return q.close(errc::closed, true);
  host_failure f;
  f.stage = machine_ && state_ == state::starting ? machine_->stage() : host_stage::ready;
  f.code = why.code ? why.code : make_error_code(errc::closed);
  if (f.code == errc::protocol_violation || f.code == errc::terminated) f.violation = why.violation;
  if (state_ == state::starting) {
    f.opcode = std::to_integer<std::uint8_t>(last_sent_.sqe[0]);
    if (f.opcode == wire::fabrics_opcode)
      f.fctype = std::to_integer<std::uint8_t>(last_sent_.sqe[4]);
    f.sent_sqe.assign(last_sent_.sqe.begin(), last_sent_.sqe.end());
    f.sent_data = last_sent_.send;
  }
  f.detail =
      fmt::format("{}: {}{}", q.qid() == 0 ? "admin queue" : fmt::format("I/O queue {}", q.qid()),
                  f.code.message(), reason_text(f));
  fail(std::move(f));
}

void host_core::fail(host_failure why, duration took) {
  if (state_ == state::down) return;
  turn t(life_);
  if (state_ == state::stopping) return shutdown_over(why.code, why.detail);
  const std::error_code code = why.code ? why.code : make_error_code(errc::refused);
  failure_ = std::move(why);
  failure_->transport = transport_text();
  // Down before anyone is told: who lets go from within the report must not start the end again.
  if (std::exchange(state_, state::down) == state::starting)
    report({.stage = failure_->stage,
            .took = machine_ ? on_.now() - machine_->stage_began() : took,
            .sent = {},
            .got = {},
            .verdict = failure_->detail,
            .failed = true});
  end(code, false);
}

void host_core::end(std::error_code why, bool clean) {
  state_ = state::down;
  life_.ending = true;
  refused_before_end_ = refused_.size();
  for (timer_id* timer : {&step_timer_, &keep_alive_timer_})
    if (*timer != 0) on_.cancel_timer(std::exchange(*timer, 0));
  if (attempt_) attempt_->cancel();
  for (const auto& q : io_) q->close(why, clean);
  if (admin_) admin_->close(why, clean);
}

void host_core::release() {
  turn t(life_);
  self_ = shared_from_this();
  released_ = true;
  life_.ending = true;
  if (state_ == state::starting) {
    host_failure f;
    f.stage = machine_ ? machine_->stage() : host_stage::connect;
    f.code = errc::aborted;
    f.detail = "the association was given up";
    failure_ = std::move(f);
  } else if (was_up_) {
    failure_.reset();  // who lets go does not lose
  }
  if (state_ != state::down) {
    shutdown_result_ = errc::aborted;
    end(errc::aborted, false);
  }
}

void host_core::settled(void* self) { static_cast<host_core*>(self)->settle(); }

bool host_core::quiet() const {
  return (!admin_ || admin_->settled()) &&
         std::ranges::all_of(io_, [](const auto& q) { return q->settled(); });
}

// No callback is running. When nothing is in flight either, tells what became of it all, and goes
// if nobody holds on to it.
void host_core::settle() {
  if (!quiet()) return;
  const auto keep = weak_from_this().lock();
  // Who has let go cannot send any more: all that there is.
  if (const std::size_t due = released_ ? refused_.size() : refused_before_end_; due > 0) {
    turn t(life_);
    tell_refused(due);
  }
  const bool shutdown_due = !shutdown_calls_.empty() && (released_ || !shutdown_posted_);
  if (failure_ || shutdown_due) notify();
  if (life_.turns == 0) self_.reset();
}

void host_core::notify() {
  turn t(life_);
  if (auto f = std::exchange(failure_, std::nullopt)) {
    if (!was_up_) {
      if (calls_.on_up) calls_.on_up(std::unexpected(*f));
    } else if (calls_.on_lost) {
      calls_.on_lost(*f);
    }
  }
  const std::error_code result = shutdown_result_;
  for (auto& done : std::exchange(shutdown_calls_, {})) done(result);
}

}  // namespace nvmf
