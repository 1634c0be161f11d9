// SPDX-License-Identifier: BSD-2-Clause
// Runs the bring-up machine: transport connections, commands and pauses as it asks for them.
#include <fmt/format.h>

#include <algorithm>

#include "association.hpp"

namespace nvmf {

using std::chrono::milliseconds;
using depth = association_options::depth;

namespace {

host_stage stage_of(connect_stage s) {
  switch (s) {
    case connect_stage::resolve:
      return host_stage::resolve;
    case connect_stage::connect:
      return host_stage::connect;
    case connect_stage::exchange:
      break;
  }
  return host_stage::exchange;
}

host_stage stage_of(std::string_view step) {
  if (step == stage_name(host_stage::resolve)) return host_stage::resolve;
  if (step == stage_name(host_stage::exchange)) return host_stage::exchange;
  return host_stage::connect;
}

}  // namespace

// One that lives as long as the program, for reports that are kept.
std::string_view host_core::transport_text() const {
  return options_.transport == "rdma" ? "rdma" : "tcp";
}

void host_core::start() {
  on_.post([weak = weak_from_this()] {
    const auto self = weak.lock();
    if (self && self->state_ == state::starting) self->begin();
  });
}

void host_core::begin() {
  turn t(life_);
  if (auto wrong = engine::bring_up::check(options_)) return fail(std::move(*wrong));
  connect_transport(0, options_.admin_queue_size);
}

// ---- transport ------------------------------------------------------------------------------

void host_core::connect_transport(std::uint16_t qid, std::uint32_t entries) {
  qpair_params p;
  p.side = role::host;
  p.admin = qid == 0;
  p.qid = qid;
  p.queue_size = entries;
  p.sq_flow_control = !options_.disable_sq_flow_control;
  p.options = options_.transport_settings;
  p.watched_by = options_.watched_by;
  if (const auto ok = check(p); !ok) {
    return transport_failed(qid, {.stage = connect_stage::connect,
                                  .code = errc::invalid_argument,
                                  .violation = {},
                                  .detail = std::string(ok.error())});
  }
  if (!provider_) {
    auto found = registry_.find(options_.transport, p);
    if (!found)
      return transport_failed(
          qid, {.stage = connect_stage::connect,
                .code = found.error(),
                .violation = {},
                .detail = fmt::format("{}: {}", options_.transport, found.error().message())});
    provider_ = std::move(*found);
  }
  const endpoint& to = reached_.host.empty() ? options_.to : reached_;
  attempt_ = provider_->connect(
      on_, to, p,
      [weak = weak_from_this(), qid, entries](std::expected<connected, connect_error> got) {
        const auto self = weak.lock();
        if (self && self->state_ == state::starting)
          self->on_transport(qid, entries, std::move(got));
      });
}

void host_core::on_transport(std::uint16_t qid, std::uint32_t entries,
                             std::expected<connected, connect_error> got) {
  turn t(life_);
  attempt_.reset();
  if (!got) return transport_failed(qid, std::move(got.error()));
  const capabilities caps = got->queue.caps();
  auto q = std::make_unique<host_queue>(*this, life_, on_, std::move(got->queue), qid, entries - 1);
  if (qid != 0) {
    io_.push_back(std::move(q));
    io_.back()->start();
    return drive(machine_->on_queue(on_.now()));
  }
  admin_ = std::move(q);
  reached_ = std::move(got->reached);
  admin_->start();
  report_steps(got->steps);
  if (state_ != state::starting) return;  // the report made the user stop
  if (options_.until == depth::transport) return came_up();
  machine_.emplace(options_, caps, nullptr);
  drive(machine_->start(on_.now()));
}

void host_core::transport_failed(std::uint16_t qid, connect_error why) {
  turn t(life_);
  host_failure f;
  f.stage = qid == 0 ? stage_of(why.stage) : host_stage::io_queues;
  f.code = why.code;
  const bool unread = f.code == errc::refused && !why.violation.structure.empty();
  if (f.code == errc::protocol_violation || f.code == errc::terminated || unread)
    f.violation = why.violation;
  f.detail = qid == 0 ? std::move(why.detail) : fmt::format("I/O queue {}: {}", qid, why.detail);
  if (qid != 0) return fail(std::move(f));
  report_steps(why.steps);
  if (state_ == state::starting) fail(std::move(f), why.took);
}

void host_core::report_steps(const std::vector<connect_step>& steps) {
  for (const connect_step& s : steps)
    report({.stage = stage_of(s.name),
            .took = s.took,
            .sent = {},
            .got = s.values,
            .verdict = "ok",
            .failed = false});
}

// ---- the machine ----------------------------------------------------------------------------

void host_core::drive(engine::action next) {
  flush_reports();
  if (state_ != state::starting) return;
  apply_facts();
  start_keep_alive();
  if (auto* c = std::get_if<engine::send_command>(&next)) {
    last_sent_ = *c;
    return send(std::move(*c), options_.timeout, [this](const engine::reply& got) {
      if (state_ == state::starting) drive(machine_->on_reply(got, on_.now()));
    });
  }
  if (auto* w = std::get_if<engine::wait_for>(&next)) {
    step_timer_ = on_.start_timer(on_.now() + w->time, [this] {
      turn t(life_);
      step_timer_ = 0;
      drive(machine_->on_time(on_.now()));
    });
    return;
  }
  if (auto* o = std::get_if<engine::open_queue>(&next))
    return connect_transport(o->qid, o->entries);
  if (auto* f = std::get_if<engine::failed>(&next)) {
    if (f->why.code == errc::timed_out && !f->why.sent_sqe.empty())
      f->why.detail = fmt::format("no answer to {} within {} ms",
                                  engine::command_title(last_sent_.sqe), options_.timeout.count());
    return fail(std::move(f->why));
  }
  came_up();
}

// What Connect and Identify have settled for the queues.
void host_core::apply_facts() {
  const auto& f = facts();
  if (configured_ == 0 && f.admin.entries != 0) {
    admin_->configure(f.admin.entries, f.admin.sq_flow_control, f.admin.entries - 1);
    ++configured_;
  }
  for (; configured_ > 0 && configured_ - 1 < f.io.size(); ++configured_) {
    const engine::queue_facts& q = f.io[configured_ - 1];
    std::uint32_t room = q.entries - 1;
    if (f.controller.max_commands != 0) room = std::min(room, f.controller.max_commands);
    io_[configured_ - 1]->configure(q.entries, q.sq_flow_control, room);
    io_[configured_ - 1]->set_max_in_capsule(f.controller.max_in_capsule);
  }
}

void host_core::came_up() {
  state_ = state::up;
  was_up_ = true;
  namespaces_ = facts().namespaces;
  events_.start(events_wanted());
  emit({.type = event_type::state, .a = static_cast<std::uint64_t>(state_), .text = "up"});
  if (calls_.on_up) calls_.on_up({});
}

// How many Asynchronous Event Requests to keep out. Discovery controllers need not know them:
// those that send events say so.
std::uint32_t host_core::events_wanted() const {
  const auto& f = facts();
  if (f.reached != host_stage::ready) return 0;
  if (f.controller.kind == engine::controller_type::discovery && f.events_configured == 0) return 0;
  // One place in the admin queue stays free for everything else.
  return std::min({options_.async_events, f.controller.async_events, f.admin.entries - 2});
}

void host_core::report(stage_report r) {
  r.transport = transport_text();
  emit({.type = event_type::stage,
        .a = static_cast<std::uint64_t>(
            std::chrono::duration_cast<std::chrono::microseconds>(r.took).count()),
        .text = r.name()});
  if (calls_.on_stage) calls_.on_stage(r);
}

void host_core::flush_reports() {
  if (!machine_) return;
  for (stage_report& r : machine_->take_reports()) report(std::move(r));
}

}  // namespace nvmf
