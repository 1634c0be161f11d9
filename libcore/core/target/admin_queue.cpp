// SPDX-License-Identifier: BSD-2-Clause
#include "admin_queue.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "engine/controller/properties.hpp"

namespace nvmf {

using wire::status_code;

namespace {

engine::controller_config config_of(const subsystem& of, const engine::connect_request& r,
                                    std::uint16_t cntlid, session& s) {
  const subsystem_options& o = of.options();
  return {.kind = of.discovery() ? engine::controller_kind::discovery : engine::controller_kind::io,
          .cntlid = cntlid,
          .subsystem_nqn = o.nqn,
          .host_nqn = r.host_nqn,
          .host = r.host,
          .serial = o.serial,
          .model = o.model,
          .firmware = o.firmware,
          .static_model = o.static_controllers,
          .io_queues_max = o.max_io_queues,
          .io_queue_entries_max = o.max_io_queue_size,
          .mdts = o.mdts,
          .in_capsule_bytes = s.from().in_capsule_bytes,
          .keyed_sgl = s.queue().caps().keyed_sgl,
          .offset_sgl = s.queue().caps().offset_sgl,
          .kato_ms = r.kato_ms,
          .kato_max_ms = static_cast<std::uint32_t>(s.state().limits.keep_alive_max.count()),
          .trtype = s.from().trtype};
}

// Log pages may be large: they are not copied.
buffer owner_of(std::vector<std::byte> data) {
  auto held = std::make_unique<std::vector<std::byte>>(std::move(data));
  const std::span<const std::byte> bytes{*held};
  return {bytes,
          [](void* context, std::span<const std::byte>) noexcept {
            delete static_cast<std::vector<std::byte>*>(context);
          },
          held.release()};
}

}  // namespace

void io_link::tell_gone() {
  home->with_session(
      home_session, [self = shared_from_this()](session& s) { s.role()->admin()->on_gone(*self); });
}

void io_link::tell_fatal(std::string why) {
  home->with_session(home_session,
                     [text = std::move(why)](session& s) { s.role()->admin()->on_fatal(text); });
}

admin_queue::admin_queue(session& s, std::shared_ptr<subsystem> of,
                         const engine::connect_request& request, std::uint16_t cntlid)
    : session_(s),
      of_(std::move(of)),
      table_(of_->table()),
      controller_(config_of(*of_, request, cntlid, s), *this, s.home().on().now()) {
  session_.state().entries.put_row(
      session_.id(), {of_->options().nqn, request.host_nqn, session_.queue().peer(), cntlid, 0});
  arm_timer();
}

admin_queue::~admin_queue() { session_.home().on().cancel_timer(timer_); }

void admin_queue::on_command(capsule command) {
  const std::uint16_t cid = command.cid();
  if (const auto bad = session_.queue().validate_command(command); !bad.ok())
    return session_.respond(cid, bad);
  engine::answer r = controller_.on_command(command.sqe(), session_.queue().data_length(command),
                                            session_.home().on().now());
  if (!r.held) answer(command, std::move(r));
  command.reset();
  grant_wishes();
}

void admin_queue::answer(const capsule& command, engine::answer r) {
  const std::uint16_t cid = command.cid();
  if (!r.status.ok() || r.data.empty()) return session_.respond(cid, r.status, r.dw0, r.dw1);
  const auto sent =
      session_.queue().send_controller_data(command, 0, owner_of(std::move(r.data)), true);
  switch (sent.result) {
    case send_result::success_sent:
      return;
    case send_result::failed:
      return session_.respond(cid, sent.status);
    case send_result::success:
    case send_result::more:
      return session_.respond(cid, r.status, r.dw0, r.dw1);
  }
}

void admin_queue::grant_wishes() {
  while (const auto w = controller_.next_wish()) {
    switch (w->what) {
      case engine::wish::kind::complete:
        if (w->status.ok()) emit(event_type::async_event, w->dw0, {});
        if (!session_.ending()) session_.respond(w->cid, w->status, w->dw0);
        break;
      case engine::wish::kind::end_io_queues:
        end_io_queues(w->why);
        break;
      case engine::wish::kind::end_association:
        emit(event_type::state, 0, w->why);
        session_.end(w->why);
        break;
      case engine::wish::kind::write_cache:
        flags_->write_through.store(!w->on, std::memory_order_relaxed);
        break;
    }
  }
  arm_timer();
}

void admin_queue::end_io_queues(std::string_view why) {
  for (const auto& [qid, peer] : queues_)
    peer.where->with_session(peer.session, [why](session& s) { s.end(why); });
}

void admin_queue::arm_timer() {
  executor& on = session_.home().on();
  const auto due = controller_.deadline();
  // One that fires too early looks again; only a later one would be wrong.
  if (timer_ != 0 && due && armed_for_ <= *due) return;
  on.cancel_timer(std::exchange(timer_, 0));
  if (!due || session_.ending()) return;
  armed_for_ = *due;
  timer_ = on.start_timer(*due, [this] {
    timer_ = 0;
    controller_.on_time(session_.home().on().now());
    grant_wishes();
  });
}

void admin_queue::on_ending(std::string_view why) {
  ended_by_ = why;
  session_.home().on().cancel_timer(std::exchange(timer_, 0));
  end_io_queues(why);
}

void admin_queue::on_closed() {
  of_->release_cntlid(controller_.config().cntlid);
  session_.state().entries.drop_row(session_.id());
  const auto& failure = session_.failure();
  session_.state().notice(fmt::format(
      "{} left {}, controller {}: {}{}{}", controller_.config().host_nqn, of_->options().nqn,
      controller_.config().cntlid, fatal_.empty() ? ended_by_ : fatal_, failure.code ? ": " : "",
      failure.code ? failure.code.message() : ""));
}

std::expected<std::shared_ptr<io_link>, engine::refusal> admin_queue::join(
    const engine::connect_request& request, std::shared_ptr<shard> where, std::uint64_t id) {
  if (session_.ending()) return std::unexpected(engine::bad_cntlid("the controller is ending"));
  if (auto ok = controller_.on_io_connect(request); !ok) return std::unexpected(ok.error());
  auto link = std::make_shared<io_link>();
  link->qid = request.qid;
  link->home = session_.home().shared_from_this();
  link->home_session = session_.id();
  link->flags = flags_;
  const std::uint8_t mdts = controller_.config().mdts;
  link->transfer_max = mdts == 0 ? 0 : std::uint64_t{engine::page_size} << mdts;
  link->in_capsule_bytes = controller_.config().in_capsule_bytes;
  queues_.emplace(request.qid, io_peer{link, std::move(where), id});
  session_.state().entries.set_io_queues(session_.id(), controller_.io_queues());
  return link;
}

void admin_queue::on_gone(const io_link& link) {
  past_ += link.counters();
  past_traffic_ = past_traffic_ || link.traffic.load(std::memory_order_relaxed);
  queues_.erase(link.qid);
  controller_.on_io_queue_gone(link.qid, session_.home().on().now());
  session_.state().entries.set_io_queues(session_.id(), controller_.io_queues());
  if (!session_.ending()) grant_wishes();
  session_.role_idle();
}

void admin_queue::on_fatal(const std::string& why) {
  if (session_.ending()) return;
  fatal_ = why;
  controller_.on_fatal("an I/O queue broke down");
  grant_wishes();
}

void admin_queue::on_io_errors(std::span<const engine::error_record> errors, std::uint64_t missed) {
  for (const engine::error_record& e : errors) controller_.on_io_error(e, std::exchange(missed, 0));
}

void admin_queue::on_namespaces(const subsystem& of, const table_ptr& table,
                                std::span<const std::uint32_t> changed) {
  if (&of != of_.get()) return;
  table_ = table;
  if (session_.ending()) return;
  controller_.on_namespaces_changed(changed);
  grant_wishes();
}

void admin_queue::on_discovery_changed() {
  if (session_.ending()) return;
  controller_.on_discovery_changed();
  grant_wishes();
}

engine::io_counters admin_queue::counters() const {
  engine::io_counters sum = past_;
  for (const auto& [qid, peer] : queues_) sum += peer.link->counters();
  return sum;
}

bool admin_queue::io_traffic() {
  bool any = std::exchange(past_traffic_, false);
  for (const auto& [qid, peer] : queues_)
    any |= peer.link->traffic.exchange(false, std::memory_order_relaxed);
  return any;
}

std::vector<std::byte> admin_queue::discovery_log() const {
  return engine::discovery_page(*session_.state().entries.discovery(),
                                controller_.config().host_nqn, session_.queue().local());
}

void admin_queue::emit(event_type type, std::uint64_t a, std::string_view text) const {
  observer* watcher = session_.state().watched_by;
  if (watcher == nullptr) return;
  watcher->on_event({.type = type,
                     .at = session_.home().on().now(),
                     .qpair = session_.queue().id(),
                     .a = a,
                     .text = text});
}

}  // namespace nvmf
