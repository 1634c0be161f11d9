// SPDX-License-Identifier: BSD-2-Clause
// The life of an association between its bring-up (bring_up.cpp) and its end (end.cpp): commands,
// Abort and Keep Alive.
#include "association.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "engine/host/commands.hpp"

namespace nvmf {

using std::chrono::milliseconds;

namespace {

class handle final : public association {
 public:
  explicit handle(std::shared_ptr<host_core> core) : core_(std::move(core)) {}
  ~handle() override { core_->release(); }

  void submit(std::uint16_t qid, std::span<const std::byte, 64> sqe, const memdesc& mem,
              direction way, milliseconds timeout, command_callback done) override {
    core_->submit(qid, sqe, mem, way, timeout, std::move(done));
  }
  void shutdown(std::move_only_function<void(std::error_code)> done) override {
    core_->shutdown(std::move(done));
  }
  bool up() const override { return core_->up(); }
  std::uint16_t controller_id() const override { return core_->facts().cntlid; }
  std::uint32_t io_queues() const override { return core_->io_queues(); }
  qpair_limits queue_limits(std::uint16_t qid) const override {
    const host_queue* q = std::as_const(*core_).queue(qid);
    return q == nullptr || !q->pair() ? qpair_limits{} : q->pair().limits();
  }
  qpair* queue(std::uint16_t qid) override {
    host_queue* q = core_->queue(qid);
    return q == nullptr || !q->pair() ? nullptr : &q->pair();
  }
  std::span<const std::byte> identify_controller() const override {
    return core_->facts().identify;
  }
  const std::vector<namespace_info>& namespaces() const override { return core_->namespaces(); }
  std::vector<limit_row> limits() const override { return host_limits(*core_); }
  std::uint64_t max_transfer() const override { return host_max_transfer(*core_); }

 private:
  std::shared_ptr<host_core> core_;
};

}  // namespace

std::unique_ptr<association> association::start(const transport_registry& registry, executor& on,
                                                association_options options, callbacks calls) {
  auto core = std::make_shared<host_core>(registry, on, std::move(options), std::move(calls));
  core->start();
  return std::make_unique<handle>(std::move(core));
}

host_core::host_core(const transport_registry& registry, executor& on, association_options options,
                     association::callbacks calls)
    : registry_(registry),
      on_(on),
      options_(std::move(options)),
      calls_(std::move(calls)),
      events_(*this) {
  life_.ended = &host_core::settled;
  life_.context = this;
}

host_queue* host_core::queue(std::uint16_t qid) {
  if (qid == 0) return admin_.get();
  return qid <= io_.size() ? io_[qid - 1u].get() : nullptr;
}

const host_queue* host_core::queue(std::uint16_t qid) const {
  return const_cast<host_core*>(this)->queue(qid);
}

const engine::bring_up_facts& host_core::facts() const {
  return machine_ ? machine_->facts() : nothing_;
}

void host_core::emit(event e) {
  if (options_.watched_by == nullptr) return;
  e.at = on_.now();
  options_.watched_by->on_event(e);
}

// ---- commands -------------------------------------------------------------------------------

void host_core::submit(std::uint16_t qid, std::span<const std::byte, 64> sqe, const memdesc& mem,
                       direction way, milliseconds timeout, command_callback done) {
  host_queue* q = state_ == state::up ? queue(qid) : nullptr;
  if (q == nullptr)
    return refuse(std::move(done), state_ == state::up ? errc::invalid_argument : errc::aborted);
  if (timeout.count() == 0) timeout = options_.timeout;
  const time_point deadline = timeout.count() == 0 ? host_queue::never : on_.now() + timeout;
  q->submit(sqe, mem, way, deadline, std::move(done));
}

void host_core::refuse(command_callback&& done, std::error_code why) {
  refused_.push_back({std::move(done), why});
  post_refused();
}

void host_core::post_refused() {
  if (std::exchange(refused_posted_, true)) return;
  on_.post([weak = weak_from_this()] {
    const auto self = weak.lock();
    if (!self) return;
    self->refused_posted_ = false;
    turn t(self->life_);
    self->tell_refused(self->refused_.size());
  });
}

// Not more than `count`: who sends another one from his callback hears of it a turn later.
void host_core::tell_refused(std::size_t count) {
  refused_before_end_ = 0;
  for (; count > 0 && !refused_.empty(); --count) {
    refused_command c = refused_.take(0);
    command_result r;
    r.error = c.why;
    c.done(r);
  }
  if (!refused_.empty()) post_refused();
}

struct host_core::own_command {
  engine::send_command command;
  std::vector<std::byte> received;
  sqe_bytes sent{};
  std::move_only_function<void(const engine::reply&)> done;
};

void host_core::send(engine::send_command command, milliseconds timeout,
                     std::move_only_function<void(const engine::reply&)> done) {
  auto own = std::make_unique<own_command>();
  own->command = std::move(command);
  own->received.resize(own->command.receive);
  own->sent = own->command.sqe;
  own->done = std::move(done);
  own_command& o = *own;
  memdesc mem;
  direction way = direction::none;
  if (!o.command.send.empty()) {
    mem = memdesc::of(std::span<const std::byte>(o.command.send));
    way = direction::send;
  } else if (!o.received.empty()) {
    mem = memdesc::of(std::span(o.received));
    way = direction::receive;
  }
  const time_point deadline = timeout.count() == 0 ? host_queue::never : on_.now() + timeout;
  queue(o.command.qid)
      ->submit(
          o.command.sqe, mem, way, deadline,
          [own = std::move(own)](const command_result& r) mutable {
            engine::reply got{r, {}, own->sent};
            if (got.result.ok() && r.bytes < own->received.size())
              got.result.error = errc::data_incomplete;
            got.data = std::span(own->received).first(std::min(r.bytes, own->received.size()));
            own->done(got);
          },
          &o.sent);
}

// ---- Abort ----------------------------------------------------------------------------------

bool host_core::abort(host_queue& q, std::uint16_t cid) {
  if (state_ != state::up || facts().reached < host_stage::enable) return false;
  // An Abort that is late itself: nobody is there.
  if (q.qid() == 0 && q.opcode(cid) == static_cast<std::uint8_t>(wire::admin_opcode::abort))
    return false;
  aborts_waiting_.push_back({q.qid(), cid});
  send_aborts();
  return true;
}

void host_core::send_aborts() {
  while (!aborts_waiting_.empty() && aborts_out_ < facts().controller.aborts) {
    const late_command late = aborts_waiting_.take(0);
    if (queue(late.qid)->answered(late.cid)) {
      queue(late.qid)->abort_done(late.cid);
      continue;
    }
    ++aborts_out_;
    admin_->submit(engine::abort_request(late.qid, late.cid), {}, direction::none,
                   on_.now() + options_.timeout,
                   [this, late](const command_result& r) { abort_answered(late, r); });
  }
}

void host_core::abort_answered(late_command late, const command_result& result) {
  if (state_ == state::down) return;
  --aborts_out_;
  if (result.error) {
    host_failure f;
    f.stage = host_stage::ready;
    f.code = result.error;
    f.opcode = static_cast<std::uint8_t>(wire::admin_opcode::abort);
    f.detail = fmt::format(
        "a command on queue {} (CID {}) was not answered in time, and neither was its Abort: {}",
        late.qid, late.cid, result.error.message());
    return fail(std::move(f));
  }
  // Whatever the answer says, from now on no Abort names that CID.
  queue(late.qid)->abort_done(late.cid);
  if (state_ != state::down) send_aborts();
}

// ---- Keep Alive -----------------------------------------------------------------------------

void host_core::start_keep_alive() {
  const auto& f = facts();
  if (options_.keep_alive.count() == 0 || f.reached < host_stage::enable) return;
  if (!keep_alive_) keep_alive_.emplace(options_.keep_alive, on_.now());
  if (!refined_ && f.reached >= host_stage::identify) {
    refined_ = true;
    keep_alive_->refine(f.controller.keep_alive_granularity, f.controller.traffic_keeps_alive,
                        on_.now());
  }
  arm_keep_alive();
}

void host_core::arm_keep_alive() {
  if (keep_alive_timer_ != 0) on_.cancel_timer(std::exchange(keep_alive_timer_, 0));
  if (!keep_alive_->active()) return;
  keep_alive_timer_ = on_.start_timer(keep_alive_->next(), [this] {
    keep_alive_timer_ = 0;
    on_keep_alive_time();
  });
}

void host_core::on_keep_alive_time() {
  turn t(life_);
  const bool traffic = std::exchange(life_.heard, false) && life_.spoke;
  life_.spoke = false;
  switch (keep_alive_->on_time(on_.now(), traffic)) {
    case engine::keep_alive::act::none:
      break;
    case engine::keep_alive::act::send:
      emit({.type = event_type::keep_alive, .text = "sent"});
      admin_->submit(engine::keep_alive_request(), {}, direction::none, host_queue::never,
                     [this](const command_result& r) { keep_alive_answered(r); });
      break;
    case engine::keep_alive::act::lost: {
      emit({.type = event_type::keep_alive, .error = errc::timed_out, .text = "expired"});
      host_failure f;
      f.stage = machine_ && state_ == state::starting ? machine_->stage() : host_stage::ready;
      f.code = errc::timed_out;
      f.opcode = static_cast<std::uint8_t>(wire::admin_opcode::keep_alive);
      f.detail = fmt::format("Keep Alive was not answered within KATO ({} ms)",
                             keep_alive_->rounded().count());
      return fail(std::move(f));
    }
  }
  arm_keep_alive();
}

void host_core::keep_alive_answered(const command_result& r) {
  if (state_ == state::down || r.error) return;
  keep_alive_->on_answer(on_.now());
  emit({.type = event_type::keep_alive, .text = r.status.ok() ? "answered" : "refused"});
  // Old discovery controllers take a KATO and do not know the command.
  if (r.status.is(wire::status_code::invalid_opcode)) keep_alive_->stop();
  arm_keep_alive();
}

}  // namespace nvmf
