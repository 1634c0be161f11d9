// SPDX-License-Identifier: BSD-2-Clause
#include "queue.hpp"

#include <algorithm>

#include "wire/layouts/entries.hpp"

namespace nvmf {

namespace {
// How long a late command may keep memory that the transport cannot take back (RDMA).
constexpr auto memory_grace = std::chrono::seconds(10);
}  // namespace

host_queue::host_queue(owner& of, lifeline& life, executor& on, qpair q, std::uint16_t qid,
                       std::uint32_t depth)
    : owner_(of), life_(life), on_(on), qpair_(std::move(q)), qid_(qid), depth_(depth) {
  assert(depth_ >= 1);
  slots_.resize(depth_);
}

host_queue::~host_queue() {
  assert(settled());
  if (timer_ != 0) on_.cancel_timer(timer_);
}

void host_queue::start() {
  qpair_.start({.on_receive = [this](capsule c) { on_receive(std::move(c)); },
                .on_error =
                    [this](const qpair_error& e) {
                      turn t(life_);
                      if (!closed_) owner_.queue_failed(*this, e);
                    }});
}

void host_queue::configure(std::uint32_t entries, bool sq_flow_control, std::uint32_t depth) {
  depth_ = depth;
  const auto bad = qpair_.set_queue(qid_, entries, sq_flow_control);
  assert(!bad);
  (void)bad;
}

// ---- sending --------------------------------------------------------------------------------

void host_queue::submit(std::span<const std::byte, 64> sqe, const memdesc& mem, direction way,
                        time_point deadline, command_callback&& done, sqe_bytes* as_sent) {
  if (closed_) return owner_.refuse(std::move(done), why_);
  if (waiting_.empty() && send(sqe, mem, way, deadline, std::move(done), as_sent)) return;
  waiting_command w{
      .mem = mem, .way = way, .deadline = deadline, .done = std::move(done), .as_sent = as_sent};
  std::ranges::copy(sqe, w.sqe.begin());
  waiting_.push_back(std::move(w));
  wake_at(deadline);
}

// False: there is no room now; `done` is untouched.
bool host_queue::send(std::span<const std::byte, 64> sqe, const memdesc& mem, direction way,
                      time_point deadline, command_callback&& done, sqe_bytes* as_sent) {
  if (active_ >= depth_) return false;
  auto command = qpair_.allocate_command(sqe);
  if (!command) {
    if (command.error() == errc::queue_full && active_ > 0) return false;
    owner_.refuse(std::move(done), command.error());
    return true;
  }
  const std::uint16_t cid = command->cid();
  if (cid >= slots_.size()) slots_.resize(std::size_t{cid} + 1);
  slot& s = slots_[cid];
  assert(!s.active);
  s.data = way == direction::none || mem.empty();
  if (!s.data) {
    const auto error = qpair_.append_data(
        *command, mem, mem.size(), way,
        [this, cid](std::size_t bytes, std::error_code e) { on_data(cid, bytes, e); });
    if (error) {
      owner_.refuse(std::move(done), error);
      return true;
    }
  }
  s.command = std::move(*command);
  s.done = std::move(done);
  s.result = {};
  s.deadline = deadline;
  s.active = true;
  s.cqe = s.late = s.abort_pending = false;
  ++active_;
  if (const auto error = qpair_.transmit(s.command)) {
    fail_sent(cid, error);
    return true;
  }
  if (as_sent != nullptr) std::ranges::copy(s.command.sqe(), as_sent->begin());
  life_.spoke = true;
  wake_at(deadline);
  return true;
}

void host_queue::fail_sent(std::uint16_t cid, std::error_code why) {
  slot& s = slots_[cid];
  s.cqe = true;  // none will come
  s.result.error = why;
  if (!s.data) return qpair_.abort_data(s.command, why);  // on_data ends it
  command_callback done = std::move(s.done);
  release(s);
  owner_.refuse(std::move(done), why);
}

void host_queue::pump() {
  while (!closed_ && !waiting_.empty()) {
    waiting_command& w = waiting_.front();
    if (!send(w.sqe, w.mem, w.way, w.deadline, std::move(w.done), w.as_sent)) return;
    waiting_.pop_front();
  }
}

// ---- answers --------------------------------------------------------------------------------

void host_queue::on_receive(capsule response) {
  turn t(life_);
  if (closed_) return;
  const std::uint16_t cid = response.cid();
  if (cid >= slots_.size() || !slots_[cid].active || slots_[cid].cqe) {
    constexpr wire::field at = wire::field_of<wire::cqe_layout, "cid">();
    return owner_.queue_failed(
        *this, {.code = errc::protocol_violation,
                .violation = {.structure = wire::cqe_layout.name,
                              .offset = at.offset,
                              .reason = "a response to a command that is not outstanding",
                              .value = cid}});
  }
  slot& s = slots_[cid];
  s.cqe = true;
  command_result& r = s.result;
  std::ranges::copy(response.cqe(), r.cqe.begin());
  r.has_cqe = true;
  r.sqhd_valid = response.sqhd_valid();
  r.status = nvme_status::from_cqe_word(static_cast<std::uint16_t>(wire::load_le(r.cqe, 14, 2)));
  response.reset();
  life_.heard = true;
  settle(cid);
}

void host_queue::on_data(std::uint16_t cid, std::size_t bytes, std::error_code error) {
  turn t(life_);
  slot& s = slots_[cid];
  assert(s.active && !s.data);
  s.data = true;
  s.result.bytes = bytes;
  if (error && !s.result.error) s.result.error = error;
  settle(cid);
}

// Ends the command if it has: tells its owner once, and frees the CID when nothing holds it.
void host_queue::settle(std::uint16_t cid) {
  slot& s = slots_[cid];
  // A late command is told of as soon as its memory is the caller's again.
  if (!s.data || !(s.cqe || s.late)) return;
  command_callback done = std::move(s.done);
  s.done = nullptr;
  command_result result = s.result;
  if (s.late) {
    result = {};
    result.error = errc::timed_out;
    result.bytes = s.result.bytes;
  }
  if (s.cqe && !s.abort_pending) {
    release(s);
    pump();
  }
  if (done) done(result);
}

void host_queue::release(slot& s) {
  s.command.reset();
  s.deadline = never;
  s.active = false;
  --active_;
}

std::uint8_t host_queue::opcode(std::uint16_t cid) const {
  return std::to_integer<std::uint8_t>(slots_[cid].command.sqe()[0]);
}

void host_queue::abort_done(std::uint16_t cid) {
  if (closed_) return;
  slot& s = slots_[cid];
  assert(s.active && s.abort_pending);
  s.abort_pending = false;
  settle(cid);
}

// ---- deadlines ------------------------------------------------------------------------------
// One timer for the whole queue, set to a time at or before the first deadline: commands of equal
// timeouts, the usual case, never move it. When it fires the queue is looked through.

void host_queue::wake_at(time_point deadline) {
  if (deadline >= timer_at_) return;
  if (timer_ != 0) on_.cancel_timer(timer_);
  timer_at_ = deadline;
  timer_ = on_.start_timer(deadline, [this] { on_timer(); });
}

void host_queue::on_timer() {
  turn t(life_);
  timer_ = 0;
  timer_at_ = never;
  const time_point now = on_.now();
  // By index, and size() again each time: callbacks may send, and the table may grow.
  for (std::size_t cid = 0; cid < slots_.size() && !closed_; ++cid)
    if (slots_[cid].active && slots_[cid].deadline <= now) expire(static_cast<std::uint16_t>(cid));
  if (!closed_) expire_waiting(now);
  if (closed_) return;
  time_point next = never;
  for (const slot& s : slots_)
    if (s.active) next = std::min(next, s.deadline);
  for (std::size_t i = 0; i < waiting_.size(); ++i) next = std::min(next, waiting_[i].deadline);
  wake_at(next);
}

void host_queue::expire(std::uint16_t cid) {
  if (slots_[cid].late) {
    // Told to stop, and still it holds memory that cannot be taken back from the peer: the only
    // safe way left is to end the connection.
    owner_.queue_failed(*this, {.code = errc::timed_out, .violation = {}});
    return;
  }
  slots_[cid].late = true;
  slots_[cid].deadline = never;
  // The Abort may be sent on this very queue, and the table grow.
  const bool aborting = !slots_[cid].cqe && owner_.abort(*this, cid);
  if (closed_) return;
  slot& s = slots_[cid];
  s.abort_pending = aborting;
  if (!s.data && qpair_.withdraw_data(s.command, errc::timed_out)) {
    s.deadline = on_.now() + memory_grace;
    return;
  }
  settle(cid);
}

void host_queue::expire_waiting(time_point now) {
  for (std::size_t i = 0; i < waiting_.size() && !closed_;) {
    if (waiting_[i].deadline > now) {
      ++i;
      continue;
    }
    waiting_command w = waiting_.take(i);
    command_result r;
    r.error = errc::timed_out;
    w.done(r);
  }
}

// ---- the end --------------------------------------------------------------------------------

void host_queue::close(std::error_code why, bool clean) {
  if (closed_) return;
  turn t(life_);
  closed_ = true;
  why_ = why;
  if (timer_ != 0) on_.cancel_timer(std::exchange(timer_, 0));
  for (slot& s : slots_) {
    if (!s.active) continue;
    s.abort_pending = false;
    if (!s.cqe && !s.result.error) s.result.error = why;
  }
  qpair_.close(clean);
  for (std::size_t cid = 0; cid < slots_.size(); ++cid) {
    slot& s = slots_[cid];
    if (!s.active) continue;
    s.cqe = true;
    s.abort_pending = false;
    settle(static_cast<std::uint16_t>(cid));
  }
  while (!waiting_.empty()) {
    waiting_command w = waiting_.take(0);
    command_result r;
    r.error = why;
    w.done(r);
  }
}

}  // namespace nvmf
