// SPDX-License-Identifier: BSD-2-Clause
#include "session.hpp"

#include "core/spare_memory.hpp"
#include "limits.hpp"
#include "termreq.hpp"

namespace nvmf::tcp {

session::session(session_setup setup)
    : params_(std::move(setup.params)),
      agreed_(setup.agreed),
      strict_(setup.strict),
      memory_(std::move(setup.memory)),
      tx_(memory_),
      events_(params_.watched_by, setup.on, setup.id),
      qid_(params_.qid),
      queue_size_(params_.queue_size),
      sq_flow_control_(params_.sq_flow_control),
      turn_(*setup.on) {
  who_.id = setup.id;
  who_.side = params_.side;
  who_.caps.offset_sgl = true;
  who_.peer = std::move(setup.peer);
  who_.local = std::move(setup.local);
  who_.runs_on = setup.on;
  who_.watched_by = params_.watched_by;
  const bool host = params_.side == role::host;
  rx_.rules.side = params_.side;
  rx_.rules.header_digest = agreed_.header_digest;
  rx_.rules.data_digest = agreed_.data_digest;
  rx_.rules.alignment = host ? agreed_.host_alignment : agreed_.controller_alignment;
  send_rules_ = {.header_digest = agreed_.header_digest,
                 .data_digest = agreed_.data_digest,
                 .alignment = host ? agreed_.controller_alignment : agreed_.host_alignment};
  events_.set_qid(qid_);
}

void session::start(qpair_callbacks callbacks) {
  assert(!started_ && callbacks.on_receive && callbacks.on_error);
  callbacks_ = std::move(callbacks);
  started_ = true;
  link_->begin();
}

void session::set_queue(std::uint16_t qid, std::uint32_t queue_size, bool sq_flow_control) {
  qid_ = qid;
  queue_size_ = queue_size;
  sq_flow_control_ = sq_flow_control;
  events_.set_qid(qid);
}

qpair_limits session::limits() const {
  return {.queue_size = queue_size_,
          .max_transfer = 0,
          .max_in_capsule = qid_ == 0 ? admin_in_capsule : max_in_capsule_,
          .max_h2c_data = agreed_.max_h2c_data,
          .max_r2t = agreed_.max_r2t,
          .host_alignment = agreed_.host_alignment,
          .controller_alignment = agreed_.controller_alignment,
          .header_digest = agreed_.header_digest,
          .data_digest = agreed_.data_digest,
          .sq_flow_control = sq_flow_control_};
}

void session::defer(task t) {
  // Whoever runs a turn keeps the session alive; a drain that is posted must do so itself.
  turn_.add(std::move(t), turn_.in_turn() ? nullptr : shared_from_this());
  if (held_up_ != nullptr && held_up_->steps.waits_for_action()) [[unlikely]]
    run_owed();
}

void session::consume(std::span<const std::byte> in) {
  const bool one = one_by_one();
  const std::size_t before = one ? begin_receiving() : 0;
  events_.count(event_type::received, in.size());
  quiet_ = 0;
  rx_.consume(in);
  if (one) end_receiving(before + in.size());
}

void session::took_direct(std::size_t n) {
  if (n == 0) return;
  const bool one = one_by_one();
  const std::size_t before = one ? begin_receiving() : 0;
  events_.count(event_type::received, n);
  quiet_ = 0;
  rx_.took_direct(n);
  if (one) end_receiving(before + n);
}

void session::sent(std::size_t n) {
  if (held_up_ != nullptr) [[unlikely]]
    return sent_held_up(n);
  sent_now(n);
}

void session::sent_now(std::size_t n) {
  events_.count(event_type::sent, n);
  quiet_ = 0;
  tx_.sent(n, [this](tx_pdu& pdu) { on_sent(pdu); });
  if (!congested_ || tx_.bytes() >= high_water() / 2) return;
  congested_ = false;
  on_room();
}

void session::end_of_input() {
  if (rx_.ended()) return;
  if (held_up_ != nullptr) held_up_->steps.begin(action_kind::receive);
  fail({.code = rx_.at_boundary() ? std::error_code{} : make_error_code(errc::reset)});
  if (held_up_ != nullptr) held_up_->steps.finished({.kind = action_kind::end});
}

void session::broken(std::error_code why) {
  if (held_up_ != nullptr) held_up_->steps.begin(action_kind::receive);
  break_off(why);
  if (held_up_ != nullptr) held_up_->steps.finished({.kind = action_kind::end});
}

void session::break_off(std::error_code why) {
  tx_.drop_all();
  after_ = aftermath::drop;
  if (why == std::errc::connection_reset || why == std::errc::broken_pipe) why = errc::reset;
  fail({.code = why});
}

void session::fail(qpair_error why) {
  rx_.end();
  if (failed_ || closed_) return;
  failed_ = true;
  why_ = why;
  complete_in_flight(why.code ? why.code : make_error_code(errc::closed));
  events_.text(event_type::disconnected, why.violation.reason, 0, 0, why.code);
  defer([this] { tell_error(why_); });
}

void session::tell_error(const qpair_error& why) {
  if (closed_) return;
  events_.text(event_type::error_callback, why.violation.reason, 0, 0, why.code);
  callbacks_.on_error(why);
}

void session::watch_for_stall() {
  if (stall_timer_ != 0 || params_.side == role::host || params_.options.stall_timeout.count() == 0)
    return;
  if (failed_ || closed_ || deaf_ || !waits_for_peer()) return;
  quiet_ = 0;
  arm_stall_timer();
}

void session::arm_stall_timer() {
  const time_point next =
      who_.runs_on->now() + duration(params_.options.stall_timeout) / stall_looks;
  stall_timer_ = who_.runs_on->start_timer(next, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->on_stall_time();
  });
}

void session::on_stall_time() {
  stall_timer_ = 0;
  if (failed_ || closed_ || deaf_ || !waits_for_peer()) return;
  if (++quiet_ <= stall_looks) return arm_stall_timer();
  events_.text(event_type::limit, "stall timeout", 0,
               static_cast<std::uint64_t>(params_.options.stall_timeout.count()));
  enter_turn();
  broken(errc::timed_out);
  leave_turn();
}

void session::on_grown() {
  if (rest_timer_ != 0 || closed_) return;
  rest_timer_ =
      who_.runs_on->start_timer(who_.runs_on->now() + rest_after, [weak = weak_from_this()] {
        if (const auto self = weak.lock()) self->on_rest_time();
      });
}

void session::on_rest_time() {
  rest_timer_ = 0;
  if (closed_) return;
  rested now = rest();
  if (now.bytes > 0) now.bytes += turn_.shrink();
  note_spare_memory(now.bytes);
  if (now.grown) on_grown();
}

bool session::violated(const protocol_error& error, std::span<const std::byte> header) {
  if (failed_ || closed_) return false;
  events_.violation(error, header);
  // Encoded first: `header` may lie in what is let go of below.
  tx_pdu* termreq = nullptr;
  if (error.fes != 0) {
    termreq = tx_.make();
    encode_termreq(*termreq, params_.side, error, header);
  }
  fail({.code = errc::protocol_violation, .violation = error});
  tx_.drop_unbegun();
  after_ = termreq != nullptr ? aftermath::await_peer : aftermath::drop;
  if (termreq != nullptr) push_urgent(termreq);
  return false;
}

bool session::on_termreq(std::span<const std::byte> header, std::span<const std::byte> data) {
  events_.pdu_in({.data = static_cast<std::uint32_t>(data.size())}, header);
  fail({.code = errc::terminated, .violation = read_termreq(header, data)});
  tx_.drop_all();
  after_ = aftermath::drop;
  return false;
}

std::error_code session::gone() const {
  if (why_.code) return why_.code;
  return errc::closed;
}

void session::push(tx_pdu* pdu) {
  if (tamperer_ != nullptr) return queue_tampered(pdu, false);
  queue(pdu, false);
}

void session::push_urgent(tx_pdu* pdu) {
  if (tamperer_ != nullptr) return queue_tampered(pdu, true);
  queue(pdu, true);
}

void session::queue(tx_pdu* pdu, bool urgent) {
  events_.pdu_out(*pdu);
  if (urgent)
    tx_.push_urgent(pdu);
  else
    tx_.push(pdu);
  wake();
}

bool session::deliver(capsule_slot* slot) {
  if (closed_) return false;
  capsule handle = make_handle(slot);
  const std::span<const std::byte> entry{slot->entry};
  events_.entry(event_type::receive_callback, handle.cid(), entry.first(slot->command ? 64 : 16));
  callbacks_.on_receive(std::move(handle));
  return true;
}

void session::close(bool clean) {
  if (closed_) return;
  // A TermReq is owed to the peer however the owner leaves (NVMe/TCP 3.5); nothing else is queued.
  clean = clean || after_ == aftermath::await_peer;
  if (stall_timer_ != 0) who_.runs_on->cancel_timer(std::exchange(stall_timer_, 0));
  if (rest_timer_ != 0) who_.runs_on->cancel_timer(std::exchange(rest_timer_, 0));
  turn_.enter();
  if (held_up_ != nullptr) {
    held_up_->steps.end();
    defer([this] { held_up_->steps.tell(); });
  }
  rx_.end();
  if (!failed_) complete_in_flight(errc::aborted);
  if (!failed_) events_.text(event_type::disconnected, "closed by this end", 1, 0, {});
  abandon_unsent();
  closed_ = true;
  tamperer_ = nullptr;
  if (clean)
    tx_.detach(close_copy_max);
  else
    tx_.drop_all();
  const auto link = std::exchange(link_, nullptr);
  link->finish(clean);
  // Last of all: what the callbacks own may be what made this call.
  defer([this] { callbacks_ = {}; });
  turn_.leave();
}

}  // namespace nvmf::tcp
