// SPDX-License-Identifier: BSD-2-Clause
// Turns, callbacks, and what leaves. How it ends is in ending.cpp.
#include "session.hpp"

namespace nvmf::rdma {

session::session(session_setup setup, access pool_rights)
    : qid_(setup.params.qid),
      queue_size_(setup.params.queue_size),
      peer_receives_(setup.peer_receives),
      setup_(std::move(setup)),
      pool_(setup_.limits.pool_bytes, pool_rights),
      link_(std::move(setup_.wire)),
      turn_(*setup_.on) {
  who_ = {.id = setup_.id,
          .side = setup_.params.side,
          .caps = {.keyed_sgl = true,
                   .offset_sgl = true,
                   .always_needs_response = true,
                   .unseen_data = true,
                   .unseen_cause = true,
                   .admin_in_capsule = 0},
          .peer = link_->peer(),
          .local = link_->local(),
          .runs_on = setup_.on,
          .watched_by = setup_.params.watched_by};
  watcher_ = who_.watched_by;
  setup_.alive->fetch_add(1, std::memory_order_relaxed);
}

session::~session() {
  stop_timer();
  drop_link();
  setup_.alive->fetch_sub(1, std::memory_order_relaxed);
}

std::error_code session::prepare() {
  const queue_shape wanted = shape();
  if (const auto error = link_->make_queue(wanted)) return error;
  sent_.open(wanted.sends);
  inline_ = wanted.inlined;
  link_->tell(this);
  if (const auto error = make_places()) return error;
  link_->arm();
  return {};
}

void session::up(std::uint32_t peer_receives) {
  if (state_ != state::opening) return;
  state_ = state::up;
  greeter_ = {};
  if (who_.side == role::host) peer_receives_ = peer_receives;
  // Names are known for certain now.
  who_.peer = link_->peer();
  who_.local = link_->local();
  drain();
  pump();
}

void session::start(qpair_callbacks callbacks) {
  assert(!started_ && !closed_ && callbacks.on_receive && callbacks.on_error);
  started_ = true;
  calls_ = std::move(callbacks);
  if (held_up_ != nullptr) on_stepping();
  // What came before waits in the inbox.
  who_.runs_on->post([self = shared_from_this()] { self->drain(); });
}

// --- What leaves --------------------------------------------------------------------------------

void session::pump() {
  // A work request that fails, or a break point, comes back here.
  if (!running() || std::exchange(pumping_, true)) return;
  while (running() && may_leave() && next_out().kind == action_kind::send) {
    if (held_up_ != nullptr && held_up_->steps.paused() && !closed_) break;  // step_send does it
    leave_one();
  }
  pumping_ = false;
  if (held_up_ != nullptr && held_up_->steps.waits_for(action_kind::send) && running() &&
      next_out().kind == action_kind::send)
    post_advance();
  if (lingers_ && settled()) end_linger();
}

std::expected<region*, std::error_code> session::make_place(std::size_t bytes, access rights) {
  if (link_ == nullptr) return std::unexpected(lost());
  auto made = link_->allocate(bytes, rights);
  if (!made) return std::unexpected(made.error());
  places_.push_back(std::move(*made));
  return places_.back().get();
}

bool session::take_block(std::uint32_t bytes, block& out) {
  const auto got = pool_.take(*link_, bytes);
  if (got) {
    out = *got;
    return true;
  }
  starved_ = true;
  if (got.error() != errc::busy) fail(got.error(), "no registered memory for data");
  return false;
}

bool session::post(const work_request& work, const posted_work& what) {
  if (const auto error = sent_.post(*link_, work, what)) {
    fail(error, "a work request could not be posted");
    return false;
  }
  if (watcher_ != nullptr)
    emit(event_type::work_posted, what.cid, {}, what.bytes, work.remote_key, {},
         work_name(work.kind));
  return true;
}

bool session::post_receive(std::uint32_t index, const piece& into) {
  if (const auto error = link_->post_receive(index, into)) {
    if (state_ == state::up) fail(error, "a receive could not be posted");
    return false;
  }
  ++receives_posted_;
  return true;
}

// --- What comes ---------------------------------------------------------------------------------

void session::on_completions() {
  const auto self = shared_from_this();
  turn_.enter();
  if (link_ != nullptr) {
    link_->arm();
    take_completions();
  }
  drain();
  pump();  // though it be deaf or not started
  turn_.leave();
}

void session::take_completions() {
  std::array<completion, 16> some;
  while (link_ != nullptr) {
    const std::size_t n = link_->poll(some);
    for (std::size_t i = 0; i < n; ++i) on_completion(some[i]);
    if (n < some.size()) break;
  }
  if (state_ == state::dying) await_flush();
}

void session::on_completion(const completion& c) {
  if (link_ == nullptr) return;
  if (c.kind == work_kind::receive) return on_receive(c);
  sent_.complete(c.id, c.status);
  posted_work work;
  while (sent_.retire(work)) {
    if (watcher_ != nullptr) tell_done(work, work.status);
    on_done(work, work.status == work_status::success);
  }
  if (c.status != work_status::success) trouble(c);
}

void session::tell_done(const posted_work& work, work_status status) {
  const bool ok = status == work_status::success;
  emit(event_type::work_done, work.cid, {}, work.bytes, work.remote_key,
       ok ? std::error_code{} : error_of(status), ok ? work_name(work.kind) : status_name(status));
}

void session::on_receive(const completion& c) {
  --receives_posted_;
  const auto index = static_cast<std::uint32_t>(c.id);
  const bool wanted = state_ == state::up || state_ == state::opening;
  if (c.status != work_status::success) {
    drop_receive(index);
    return trouble(c);
  }
  if (!wanted || closed_) return drop_receive(index);
  if (admit(c)) push({.what = arrival::kind::capsule, .index = index, .bytes = c.length});
}

void session::push(const arrival& a) {
  inbox_.push_back(a);
  if (held_up_ != nullptr && held_up_->steps.waits_for(action_kind::receive)) post_advance();
}

void session::drain() {
  if ((!started_ || !takes()) && !closed_) return;
  if (state_ == state::opening) return;
  const auto self = shared_from_this();
  turn_.enter();
  // Callbacks may close or pause this end.
  while (!inbox_.empty() && (closed_ || takes())) {
    const arrival a = inbox_.front();
    inbox_.pop_front();
    if (routes() && !closed_)
      take_one(a);
    else
      take_now(a);
  }
  fire();
  pump();
  turn_.leave();
}

void session::take_now(const arrival& a) {
  if (a.what == arrival::kind::end) return take_end();
  take(a);
  fire();
}

// --- Callbacks ----------------------------------------------------------------------------------

void session::add_deferred(task t) { turn_.add(std::move(t), shared_from_this()); }

void session::defer(task t) {
  if (routes()) return route(std::move(t));
  add_deferred(std::move(t));
}

void session::receive(capsule_slot* slot) {
  if (routes()) return route([this, slot] { hand_on(slot); });
  hand_on(slot);
}

void session::hand_on(capsule_slot* slot) {
  if (closed_) return release(slot);
  capsule handle = make_handle(slot);
  const std::size_t size = slot->command ? 64 : 16;
  emit(event_type::receive_callback, handle.cid(), std::span{slot->entry}.first(size));
  calls_.on_receive(std::move(handle));
}

void session::complete(std::uint16_t cid, data_callback done, std::size_t bytes,
                       std::error_code error) {
  if (!done) return;
  if (routes())
    return route(
        [this, c = owed_completion{cid, std::move(done), bytes, error}]() mutable { call(c); });
  due_.push_back({cid, std::move(done), bytes, error});
  if (std::exchange(fire_planned_, true)) return;
  add_deferred([this] {
    fire_planned_ = false;
    fire();
  });
}

void session::fire() {
  if (!started_ && !closed_) return;
  if (!firing_.empty()) return;  // a completion is on the way up the stack: it goes on
  while (!due_.empty()) {
    firing_.swap(due_);
    // One of them may pause this end, and the rest is called later.
    while (next_firing_ < firing_.size()) call(firing_[next_firing_++]);
    firing_.clear();
    next_firing_ = 0;
  }
}

void session::call(owed_completion& c) {
  emit(event_type::data_callback, c.cid, {}, c.bytes, 0, c.error);
  c.done(c.bytes, c.error);
}

void session::emit(event_type type, int cid, std::span<const std::byte> header, std::uint64_t a,
                   std::uint64_t b, std::error_code error, std::string_view text) {
  if (watcher_ == nullptr) return;
  watcher_->on_event({.type = type,
                      .at = who_.runs_on->now(),
                      .qpair = who_.id,
                      .qid = qid_,
                      .cid = static_cast<std::uint16_t>(cid < 0 ? 0 : cid),
                      .has_cid = cid >= 0,
                      .header = header,
                      .a = a,
                      .b = b,
                      .error = error,
                      .text = text});
}

}  // namespace nvmf::rdma
