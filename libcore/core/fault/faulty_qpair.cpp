// SPDX-License-Identifier: BSD-2-Clause
#include "faulty_qpair.hpp"

#include <algorithm>

#include "core/command_data.hpp"
#include "wire/layouts/entries.hpp"
#include "wire/layouts/fabrics.hpp"
#include "wire/nqn.hpp"

namespace nvmf {

using engine::fault_action;
using engine::fault_decision;
using engine::fault_step;
using wire::connect_command;
using wire::connect_data;
using wire::get;

namespace {

bool is_connect(const capsule_slot& c) {
  return get<connect_command, "opc">(c.entry) == wire::fabrics_opcode &&
         get<connect_command, "fctype">(c.entry) ==
             static_cast<std::uint8_t>(wire::fabrics_type::connect);
}

std::uint16_t cid_of(const capsule_slot& c) {
  return static_cast<std::uint16_t>(get<wire::sqe_layout, "cid">(c.entry));
}

}  // namespace

faulty_qpair::faulty_qpair(qpair inner, std::shared_ptr<plan_at_work> plan)
    : forwarding_qpair(std::move(inner)),
      plan_(std::move(plan)),
      connection_(plan_->next_connection()) {
  // A transport without a place for it obeys what concerns commands as a whole.
  (void)in().tamper(this);
}

faulty_qpair::~faulty_qpair() { close(false); }

void faulty_qpair::start(qpair_callbacks callbacks) {
  callbacks_ = std::move(callbacks);
  in().start({.on_receive = [this](capsule c) { on_received(std::move(c)); },
              .on_error = [this](const qpair_error& e) { on_lost(e); }});
}

void faulty_qpair::set_queue(std::uint16_t qid, std::uint32_t queue_size, bool sq_flow_control) {
  qid_ = qid;
  in().set_queue(qid, queue_size, sq_flow_control);
}

std::error_code faulty_qpair::tamper(tamperer* by) {
  other_ = by;
  return {};
}

// A delayed one is known to be let go.
void faulty_qpair::release(capsule_slot* slot) noexcept {
  if (const auto it = find_delayed(slot); it != delayed_.end()) {
    who_.runs_on->cancel_timer(it->timer);
    delayed_.erase(it);
    slot->transmitted = false;  // its data callback is owed
  }
  in().release(slot);
}

// --- Decisions ----------------------------------------------------------------------------------

fault_decision faulty_qpair::decide(const capsule_slot& command, std::uint32_t bytes) {
  std::uint16_t qid = qid_;
  if (is_connect(command)) {
    qid = static_cast<std::uint16_t>(get<connect_command, "qid">(command.entry));
    learn_host(command);
  }
  const fault_decision d = plan_->decide({.sqe = command.entry,
                                          .qid = qid,
                                          .connection = connection_,
                                          .host = host_,
                                          .bytes = bytes,
                                          .at = who_.runs_on->now()});
  for (const engine::fault_rule* rule : d) tell(*rule, cid_of(command));
  return d;
}

// Whose connection it is stands in the data of Connect.
void faulty_qpair::learn_host(const capsule_slot& command) {
  std::array<std::byte, connect_data.size> copy{};
  if (who_.side == role::host) {
    if (command.data.size() < copy.size()) return;
    command.data.copy_out(0, copy);
  } else {
    const auto here = in().in_capsule_data(&command);
    if (here.size() < copy.size()) return;
    std::ranges::copy(here.first(copy.size()), copy.begin());
  }
  const wire::byte_span data{copy};
  if (const auto nqn = wire::nqn_in_field(wire::bytes_of<connect_data, "hostnqn">(data), "NQN"))
    host_ = *nqn;
}

void faulty_qpair::tell(const engine::fault_rule& rule, std::uint16_t cid) {
  if (who_.watched_by == nullptr && when_ == nullptr) return;
  const event e{.type = event_type::fault,
                .at = who_.runs_on->now(),
                .qpair = who_.id,
                .qid = qid_,
                .cid = cid,
                .has_cid = true,
                .a = rule.number,
                .text = rule.source};
  if (who_.watched_by != nullptr) who_.watched_by->on_event(e);
  if (when_ == nullptr || in().paused() || !(*when_)(e)) return;
  (void)in().pause();
  if (told_ == nullptr) return;
  who_.runs_on->post([weak = std::weak_ptr(told_)] {
    if (const auto told = weak.lock())
      (*told)({.cause = pause_cause::break_point, .done = {}, .event = event_type::fault});
  });
}

// The condition is asked about what the plan does, too.
std::error_code faulty_qpair::break_when(break_condition when, pause_callback told) {
  when_ = when ? std::make_shared<break_condition>(std::move(when)) : nullptr;
  told_ = when_ && told ? std::make_shared<pause_callback>(std::move(told)) : nullptr;
  if (when_ == nullptr) return in().break_when({}, {});
  return in().break_when([w = when_](const event& e) noexcept { return (*w)(e); },
                         [weak = std::weak_ptr(told_)](const pause_report& r) {
                           if (const auto tell = weak.lock()) (*tell)(r);
                         });
}

// --- A controller's commands --------------------------------------------------------------------

void faulty_qpair::on_received(capsule c) {
  const auto self = shared_from_this();  // the callee may let go of the qpair
  if (!c.is_command()) {
    forget(c.cid());
    return callbacks_.on_receive(std::move(c));
  }
  const fault_decision d = decide(*c.slot(), sgl_length(c.sqe()));
  if (d.empty()) return callbacks_.on_receive(std::move(c));
  if (const fault_step* step = d.find(fault_action::delay))
    return delay(std::move(c), nullptr, d, step->time);
  deliver(std::move(c), d);
}

void faulty_qpair::deliver(capsule c, const fault_decision& d) {
  const std::uint16_t cid = c.cid();
  remember(d, cid, sgl_length(c.sqe()));
  const fault_step* status = d.find(fault_action::status);
  if (status != nullptr) answer(cid, status->status);
  if (break_connection(d) || status != nullptr) return;
  callbacks_.on_receive(std::move(c));
}

void faulty_qpair::answer(std::uint16_t cid, nvme_status status) {
  capsule_slot* slot = allocate(false);
  if (slot == nullptr) return;  // more answers than the queue has entries are on their way
  capsule response = make_handle(slot);
  std::ranges::fill(slot->entry, std::byte{0});
  slot->command = false;
  wire::set<wire::cqe_layout, "cid">(slot->entry, cid);
  wire::store_le(slot->entry, wire::offset_of<wire::cqe_layout, "sc">(), 2, status.cqe_word());
  (void)in().transmit(slot);
}

void faulty_qpair::on_lost(const qpair_error& why) {
  const auto self = shared_from_this();
  // A command that was received is not delivered any more; one to be sent is let go of by its
  // owner.
  std::erase_if(delayed_, [this](const delayed& d) {
    if (d.sent == nullptr) who_.runs_on->cancel_timer(d.timer);
    return d.sent == nullptr;
  });
  callbacks_.on_error(why);
}

// --- A host's commands --------------------------------------------------------------------------

std::error_code faulty_qpair::transmit(capsule_slot* slot) {
  if (!slot->command) return in().transmit(slot);
  const fault_decision d = decide(*slot, slot->length);
  if (d.empty()) return in().transmit(slot);
  if (const fault_step* step = d.find(fault_action::delay)) {
    slot->transmitted = true;  // once is enough
    delay({}, slot, d, step->time);
    return {};
  }
  return launch(slot, d);
}

std::error_code faulty_qpair::launch(capsule_slot* slot, const fault_decision& d) {
  remember(d, cid_of(*slot), slot->length);
  if (const auto error = in().transmit(slot)) return error;
  break_connection(d);
  return {};
}

std::error_code faulty_qpair::withdraw_data(capsule_slot* slot, std::error_code error) {
  if (const auto it = find_delayed(slot); it != delayed_.end()) {
    who_.runs_on->cancel_timer(it->timer);
    delay_over(it);
  }
  return in().withdraw_data(slot, error);
}

// --- Delays -------------------------------------------------------------------------------------

void faulty_qpair::delay(capsule received, capsule_slot* sent, const fault_decision& d,
                         duration by) {
  delayed_.push_back({.received = std::move(received), .sent = sent, .decision = d});
  const auto it = std::prev(delayed_.end());
  it->timer = who_.runs_on->start_timer(who_.runs_on->now() + by, [this, it] { delay_over(it); });
}

void faulty_qpair::delay_over(delayed_list::iterator which) {
  const auto self = shared_from_this();
  delayed now = std::move(*which);
  delayed_.erase(which);
  if (now.sent == nullptr) {
    if (!in().paused()) return deliver(std::move(now.received), now.decision);
    // Its time has come, but nothing is called back now.
    return in().defer([this, c = std::move(now.received), d = now.decision]() mutable {
      if (!closed_) deliver(std::move(c), d);
    });
  }
  now.sent->transmitted = false;
  (void)launch(now.sent, now.decision);  // a connection that is gone has told its owner
}

faulty_qpair::delayed_list::iterator faulty_qpair::find_delayed(const capsule_slot* sent) {
  return std::ranges::find_if(delayed_, [&](const delayed& d) { return d.sent == sent; });
}

void faulty_qpair::drop_delayed() {
  while (!delayed_.empty()) {
    who_.runs_on->cancel_timer(delayed_.front().timer);
    if (capsule_slot* slot = delayed_.front().sent) slot->transmitted = false;
    delayed_.pop_front();
  }
}

// --- What leaves --------------------------------------------------------------------------------

void faulty_qpair::remember(const fault_decision& d, std::uint16_t cid, std::uint32_t bytes) {
  forget(cid);
  const mischief m(d, who_.side, cid, bytes);
  if (!m.empty()) mischiefs_.push_back(m);
}

void faulty_qpair::forget(std::uint16_t cid) {
  std::erase_if(mischiefs_, [&](const mischief& m) { return m.cid() == cid; });
}

void faulty_qpair::on_outgoing(outgoing& o) noexcept {
  if (other_ != nullptr) other_->on_outgoing(o);
  if (silent_) o.drop = true;
  const auto it = std::ranges::find(mischiefs_, o.cid, &mischief::cid);
  if (it != mischiefs_.end() && it->apply(o)) mischiefs_.erase(it);
}

bool faulty_qpair::break_connection(const fault_decision& d) {
  if (const fault_step* step = d.find(fault_action::silence)) keep_silent(*step);
  if (const fault_step* step = d.find(fault_action::stop_reading)) stop_reading(*step);
  if (const fault_step* step = d.find(fault_action::termreq)) {
    (void)in().misbehave(misdeed::terminate, step->fes);
    return true;
  }
  if (d.find(fault_action::reset) == nullptr) return false;
  (void)in().misbehave(misdeed::reset, 0);
  return true;
}

void faulty_qpair::keep_silent(const fault_step& step) {
  silent_ = true;
  who_.runs_on->cancel_timer(std::exchange(silence_ends_, 0));
  if (!step.given) return;
  silence_ends_ = who_.runs_on->start_timer(who_.runs_on->now() + step.time, [this] {
    silence_ends_ = 0;
    silent_ = false;
  });
}

void faulty_qpair::stop_reading(const fault_step& step) {
  (void)in().misbehave(misdeed::stop_reading, 0);
  who_.runs_on->cancel_timer(std::exchange(reading_begins_, 0));
  if (!step.given) return;
  reading_begins_ = who_.runs_on->start_timer(who_.runs_on->now() + step.time, [this] {
    reading_begins_ = 0;
    (void)in().misbehave(misdeed::resume_reading, 0);
  });
}

void faulty_qpair::close(bool clean) {
  if (std::exchange(closed_, true)) return;
  told_.reset();
  when_.reset();
  drop_delayed();
  who_.runs_on->cancel_timer(std::exchange(silence_ends_, 0));
  who_.runs_on->cancel_timer(std::exchange(reading_begins_, 0));
  in().close(clean);
}

}  // namespace nvmf
