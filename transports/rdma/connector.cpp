// SPDX-License-Identifier: BSD-2-Clause
#include "connector.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace nvmf::rdma {
namespace {

std::string text_of(const endpoint& at) { return fmt::format("{}:{}", at.host, at.port); }

}  // namespace

connector::connector(std::shared_ptr<verbs> device, const session_limits& limits,
                     std::shared_ptr<std::atomic<std::size_t>> alive, executor& on, endpoint to,
                     qpair_params params, connect_callback done)
    : device_(std::move(device)),
      limits_(limits),
      alive_(std::move(alive)),
      on_(on),
      to_(std::move(to)),
      params_(std::move(params)),
      done_(std::move(done)) {
  params_.side = role::host;
}

void connector::begin() {
  if (!done_) return;
  since_ = on_.now();
  if (const auto good = check(params_); !good)
    return fail(errc::invalid_argument, std::string{good.error()});
  // The timer also keeps this, until it is done.
  timer_ =
      on_.start_timer(on_.now() + params_.options.connect_timeout, [self = shared_from_this()] {
        self->timer_ = 0;
        self->fail(errc::timed_out, fmt::format("{} does not answer", text_of(self->to_)));
      });
  auto opened = device_->open(on_);
  if (!opened) {
    stage_ = connect_stage::connect;
    return fail(opened.error(), opened.error().message());
  }
  link_ = std::move(*opened);
  link_->tell(this);
  link_->resolve(to_, params_.options.source_address, params_.options.connect_timeout);
}

void connector::cancel() {
  if (!done_) return;
  // Not from within this call.
  on_.post([self = shared_from_this()] { self->fail(errc::aborted, "the connect was cancelled"); });
}

void connector::on_cm(const cm_event& e) {
  const auto self = shared_from_this();
  if (!done_) return;
  switch (e.kind) {
    case cm_event_kind::resolved:
      return on_resolved();
    case cm_event_kind::established:
      return on_established(e);
    case cm_event_kind::rejected:
      return on_rejected(e);
    case cm_event_kind::failed:
      // The name is known, the way to it is not.
      if (!e.name && stage_ == connect_stage::resolve) stage_ = connect_stage::connect;
      [[fallthrough]];
    case cm_event_kind::disconnected:
    case cm_event_kind::removed:
      return fail(
          e.error ? e.error : make_error_code(errc::closed),
          fmt::format("{}: {}", text_of(to_),
                      e.text.empty() ? std::string_view{"the connection is gone"} : e.text));
  }
}

void connector::on_resolved() {
  step("resolve", {{"address", link_->peer()}, {"from", link_->local()}});
  stage_ = connect_stage::connect;
  const device_limits device = link_->limits();
  const std::uint32_t depth = std::min(params_.queue_size, std::uint32_t{0xffff});
  if (const auto why = host_session::beyond(device, depth); !why.empty())
    return fail(std::make_error_code(std::errc::value_too_large), why);
  asked_ = {.qid = params_.qid, .receives = depth, .sends = depth};
  session_ = std::make_shared<host_session>(session_setup{.on = &on_,
                                                          .wire = std::move(link_),
                                                          .alive = alive_,
                                                          .params = params_,
                                                          .limits = limits_,
                                                          .id = next_qpair_id(),
                                                          .receives = depth});
  session_->greet([self = shared_from_this()](const cm_event& e) { self->on_cm(e); });
  if (const auto error = session_->prepare())
    return fail(error, "the device has no room for a queue of this size");
  const auto data = encode(asked_);
  const auto reads = static_cast<std::uint8_t>(std::min<std::uint32_t>(device.max_reads_in, 255));
  if (const auto error = session_->wire().connect({.private_data = data, .reads_in = reads}))
    fail(error, fmt::format("cannot connect to {}", text_of(to_)));
}

void connector::on_established(const cm_event& e) {
  stage_ = connect_stage::exchange;
  const auto receives = parse_accept(e.terms.private_data);
  if (!receives)
    return fail(errc::protocol_violation,
                fmt::format("RDMA_CM_ACCEPT: {}", receives.error().reason), receives.error());
  step("cm", {{"QID", fmt::to_string(asked_.qid)},
              {"HRQSIZE", fmt::to_string(asked_.receives)},
              {"HSQSIZE", fmt::format("{} ({} entries)", asked_.sends - 1, asked_.sends)},
              {"CRQSIZE", fmt::to_string(*receives)}});
  const auto up = std::move(session_);
  up->up(*receives);
  connected result{.queue = qpair(up), .steps = std::move(steps_), .reached = up->wire().reached()};
  if (auto* by = params_.watched_by)
    by->on_event({.type = event_type::connected,
                  .at = on_.now(),
                  .qpair = result.queue.id(),
                  .qid = params_.qid,
                  .text = result.queue.peer()});
  finish(std::move(result));
}

void connector::on_rejected(const cm_event& e) {
  if (e.refused_by == cm_refusal::nobody)
    return fail(make_error_code(std::errc::connection_refused),
                fmt::format("nobody listens at {}", text_of(to_)));
  stage_ = connect_stage::exchange;
  const auto data = e.terms.private_data;
  const auto why = explain_reject(data);
  if (!why)
    return fail(errc::refused,
                fmt::format("{} rejects the queue and does not say why", text_of(to_)),
                why.error());
  fail(errc::refused, fmt::format("{} rejects the queue: {}", text_of(to_), *why));
}

void connector::step(std::string_view name,
                     std::vector<std::pair<std::string, std::string>> values) {
  steps_.push_back({.name = name, .took = on_.now() - since_, .values = std::move(values)});
  since_ = on_.now();
}

void connector::fail(std::error_code code, std::string detail, const protocol_error& violation) {
  finish(std::unexpected(connect_error{.stage = stage_,
                                       .code = code,
                                       .violation = violation,
                                       .detail = std::move(detail),
                                       .steps = std::move(steps_),
                                       .took = on_.now() - since_}));
}

void connector::finish(std::expected<connected, connect_error> result) {
  if (!done_) return;
  stop_timer();
  if (link_ != nullptr) link_->tell(nullptr);
  link_.reset();
  if (const auto failed = std::exchange(session_, nullptr)) {
    failed->greet({});
    failed->close(false);
  }
  std::exchange(done_, {})(std::move(result));
}

void connector::stop_timer() {
  if (timer_ != 0) on_.cancel_timer(std::exchange(timer_, 0));
}

}  // namespace nvmf::rdma
