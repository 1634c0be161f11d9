// SPDX-License-Identifier: BSD-2-Clause
#include "host_session.hpp"

#include <fmt/format.h>

#include "context.hpp"
#include "failure.hpp"
#include "loop_target.hpp"

namespace nvmf::cli {

host_session::host_session(context& ctx, host_plan plan, hooks calls)
    : ctx_(ctx), plan_(std::move(plan)), calls_(std::move(calls)) {}

host_session::~host_session() = default;

result host_session::run() {
  const bool loop = plan_.uri.transport == wire::uri_transport::loop;
  auto transports =
      faulty_transports::for_host(ctx_.transports, plan_.faults, plan_.target_faults, loop);
  if (!transports) return result::fail(exit_status::usage, transports.error());
  transports_ = std::move(*transports);
  result r = run_to_end();
  transports_.report(ctx_);
  return r;
}

result host_session::run_to_end() {
  if (event_log::wanted(*ctx_.log))
    plan_.options.watched_by = &log_.emplace(ctx_.log, plan_.options.watched_by);
  loop_.on_interrupt([this] { interrupted(); });
  association::callbacks on;
  on.on_stage = [this](const stage_report& s) {
    reached_ = s.name();
    if (calls_.on_stage) calls_.on_stage(s);
  };
  on.on_up = [this](std::expected<void, host_failure> up) {
    if (!up) return fail(std::move(up.error()));
    state_ = state::up;
    calls_.on_up();
  };
  on.on_lost = [this](const host_failure& f) { fail(f); };
  on.on_async_event = [this](std::uint32_t dw0, std::span<const std::byte> log) {
    if (calls_.on_async_event) calls_.on_async_event(dw0, log);
  };
  if (plan_.uri.transport == wire::uri_transport::loop) {
    auto made = make_loop_target(transports_.registry(), loop_.executor(), plan_);
    if (!made) return result::fail(exit_status::usage, "loop: " + made.error());
    loop_target_ = std::move(*made);
  }
  association_ =
      association::start(transports_.registry(), loop_.executor(), plan_.options, std::move(on));
  if (state_ != state::done) loop_.run();
  // What is in flight ends now, on this thread, before anything that it borrows goes away.
  association_.reset();
  // A TermReq or a FIN of ours is on its way; leaving now could turn it into a reset.
  loop_.drain(plan_.options.transport_settings.linger);
  return std::move(result_);
}

void host_session::finish(result r) {
  if (state_ != state::up) return;
  state_ = state::closing;
  result_ = std::move(r);
  association_->shutdown([this](std::error_code error) {
    // The work was done; that the goodbye failed is worth a word, not a failure.
    if (error && state_ == state::closing && !failure_)
      ctx_.warn(fmt::format("the shutdown was not clean: {}", error.message()));
    end(std::move(result_));
  });
}

void host_session::end(result r) {
  if (state_ == state::done) return;
  state_ = state::done;
  result_ = std::move(r);
  loop_.stop();
}

void host_session::fail(host_failure f) {
  if (state_ == state::done) return;
  if (state_ == state::closing) return lost_while_closing(std::move(f));
  result r = result::fail(status_of(f), explained(f, plan_.options, state_ == state::up, causes_));
  failure_ = std::move(f);
  end(std::move(r));
}

// A command that ended with the association knows that it did; why, only the association knows.
void host_session::lost_while_closing(host_failure f) {
  if (failure_ || result_.error.empty() || result_.status == exit_status::interrupted) return;
  const std::string why = explained(f, plan_.options, true, causes_);
  // The error itself and the advice behind it, where that is all that is told.
  if (const auto at = result_.error.find(f.code.message()); at != std::string::npos)
    result_.error.replace(at, std::string::npos, why);
  else
    result_.error += fmt::format(" ({})", why);
  if (!result_.document.empty()) result_.document["failure"] = failure_json(f);
  failure_ = std::move(f);
}

void host_session::interrupted() {
  const result stopped = result::fail(
      exit_status::interrupted,
      reached_.empty() ? "interrupted" : fmt::format("interrupted after {}", reached_));
  if (state_ != state::up) return end(stopped);
  if (calls_.on_interrupt) return calls_.on_interrupt();
  finish(stopped);
}

}  // namespace nvmf::cli
