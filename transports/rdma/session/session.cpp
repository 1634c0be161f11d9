// SPDX-License-Identifier: BSD-2-Clause
// Visits of the reactor, what leaves and what comes. How it ends is in ending.cpp.
#include "session.hpp"

namespace nvmf::rdma {

namespace {

transport_qpair::identity identity_of(const session_setup& setup) {
  return {.id = setup.id,
          .side = setup.params.side,
          .caps = {.keyed_sgl = true,
                   .offset_sgl = true,
                   .always_needs_response = true,
                   .unseen_data = true,
                   .unseen_cause = true,
                   .admin_in_capsule = 0},
          .peer = setup.wire->peer(),
          .local = setup.wire->local(),
          .runs_on = setup.on,
          .watched_by = setup.params.watched_by};
}

}  // namespace

session::session(session_setup setup, access pool_rights)
    : paced_qpair(identity_of(setup), setup.params.qid, setup.params.queue_size),
      peer_receives_(setup.peer_receives),
      setup_(std::move(setup)),
      pool_(setup_.limits.pool_bytes, pool_rights),
      link_(std::move(setup_.wire)) {
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

// --- What leaves --------------------------------------------------------------------------------

void session::pump() {
  // A work request that fails, or a break point, comes back here.
  if (!running() || std::exchange(pumping_, true)) return;
  while (running() && may_leave() && next_out().kind == action_kind::send) {
    if (paused() && !closed()) break;  // leave_next does it
    leave_one();
  }
  pumping_ = false;
  if (waits_for(action_kind::send) && running() && next_out().kind == action_kind::send)
    post_advance();
  if (lingers_ && settled()) end_linger();
  // Made outside of a visit, by a call of the user's.
  if (sent_.chained() || must_hear_of_sends()) plan_visit();
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
  if (link_ == nullptr || state_ == state::dying) return false;
  if (sent_.chain_full()) submit();
  if (!running()) return false;
  sent_.add(work, what);
  plan_visit();
  if (watched()) tell_posted(work, what);
  return true;
}

// To post is a system call on many a device, or at the least the ringing of a doorbell.
void session::submit() {
  if (link_ == nullptr || !sent_.chained()) return;
  const auto error = sent_.submit(*link_);
  if (!error) return;
  posted_work work;
  while (sent_.take_refused(work)) {
    if (watched()) tell_done(work, work_status::local_queue);
    on_done(work, false);
  }
  fail(error, "a work request could not be posted");
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

// A visit of the reactor. All that has come is taken, then all that is due leaves at once, and only
// when there is nothing more is the device asked to tell of what comes next: both are system calls.
void session::visit() {
  constexpr int rounds = 4;  // others live on this reactor, too
  const auto self = shared_from_this();
  visit_planned_ = false;
  if (std::exchange(visiting_, true)) return;
  for (int i = 0; i < rounds && take_turn(); ++i) {
  }
  if (link_ != nullptr) {
    const bool sends = must_hear_of_sends();
    link_->arm();
    if (sends) link_->arm_sends();
    // What has come before that is told by nobody.
    take_turn();
    visiting_ = false;
    if (!sends && must_hear_of_sends()) plan_visit();
  }
  visiting_ = false;
}

void session::plan_visit() {
  if (visiting_ || std::exchange(visit_planned_, true)) return;
  who_.runs_on->post([this, self = shared_from_this()] {
    if (visit_planned_) visit();
  });
}

bool session::take_turn() {
  enter_turn();
  const bool any = take_completions();
  drain();
  pump();  // though it be deaf or not started
  leave_turn();
  submit();
  return any;
}

// As a rule work requests are told of with what is received. Not so when somebody waits for them or
// watches, or when there is no receive that would be flushed, should one of them fail.
bool session::must_hear_of_sends() const {
  if (link_ == nullptr || sent_.empty()) return false;
  return closed() || !running() || sent_.awaited() != 0 || receives_posted_ == 0 || watched() ||
         awaits_sends();
}

bool session::take_completions() {
  std::array<completion, 16> some;
  bool any = false;
  while (link_ != nullptr) {
    const std::size_t n = link_->poll(some);
    if (n == 0) break;
    any = true;
    for (std::size_t i = 0; i < n; ++i) on_completion(some[i]);
  }
  if (state_ == state::dying) await_flush();
  return any;
}

void session::on_completion(const completion& c) {
  if (link_ == nullptr) return;
  if (c.kind == work_kind::receive) return on_receive(c);
  sent_.complete(c.id, c.status);
  posted_work work;
  while (sent_.retire(work)) {
    if (watched()) tell_done(work, work.status);
    on_done(work, work.status == work_status::success);
  }
  if (c.status != work_status::success) trouble(c);
}

void session::on_receive(const completion& c) {
  --receives_posted_;
  const auto index = static_cast<std::uint32_t>(c.id);
  const bool wanted = state_ == state::up || state_ == state::opening;
  if (c.status != work_status::success) {
    drop_receive(index);
    return trouble(c);
  }
  if (!wanted || closed()) return drop_receive(index);
  if (admit(c)) push({.what = arrival::kind::capsule, .index = index, .bytes = c.length});
}

void session::push(const arrival& a) {
  inbox_.push_back(a);
  if (waits_for(action_kind::receive)) post_advance();
}

void session::drain() {
  if ((!started() || !takes()) && !closed()) return;
  if (state_ == state::opening) return;
  const auto self = shared_from_this();
  enter_turn();
  // Callbacks may close or pause this end.
  while (!inbox_.empty() && (closed() || takes())) {
    const arrival a = inbox_.front();
    inbox_.pop_front();
    if (routes() && !closed())
      take_as_action(about(a), [&] { take_now(a); });
    else
      take_now(a);
  }
  fire();
  pump();
  leave_turn();
}

void session::take_now(const arrival& a) {
  if (a.what == arrival::kind::end) return take_end();
  take(a);
  fire();
}

}  // namespace nvmf::rdma
