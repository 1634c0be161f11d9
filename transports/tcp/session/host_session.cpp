// SPDX-License-Identifier: BSD-2-Clause
#include "host_session.hpp"

#include "core/command_data.hpp"
#include "wire/layouts/entries.hpp"

namespace nvmf::tcp {

host_session::host_session(session_setup setup)
    : session(std::move(setup)), commands_(params_.queue_size - 1, *this) {}

host_session::~host_session() = default;

void host_session::set_queue(std::uint16_t qid, std::uint32_t queue_size, bool sq_flow_control) {
  session::set_queue(qid, queue_size, sq_flow_control);
  commands_.set_limit(queue_size - 1);  // a full queue has one entry free (Base 3.3.1.5)
}

// --- Capsules -----------------------------------------------------------------------------------

capsule_slot* host_session::allocate(bool command) {
  assert(command);
  host_command* c = commands_.take();
  if (c == nullptr) return nullptr;
  c->owner = this;
  c->command = command;
  c->transmitted = false;
  c->data = {};
  c->length = 0;
  c->way = direction::none;
  c->outstanding = c->in_capsule = c->withdrawn = c->last_seen = c->digest_failed = false;
  c->data_done = true;
  c->open_r2ts = c->asked = c->arrived = c->moved = 0;
  return c;
}

void host_session::release(capsule_slot* slot) noexcept {
  if (!slot->command) return responses_.give(static_cast<response_slot*>(slot));
  auto& c = *static_cast<host_command*>(slot);
  abandon(c);
  recycle(c);
}

// A capsule that will not be transmitted: its data callback is still owed.
void host_session::abandon(host_command& c) {
  if (c.transmitted || c.way == direction::none) return;
  c.transmitted = true;
  c.data_done = false;
  finish_data(c, errc::aborted);
}

void host_session::abandon_unsent() {
  commands_.for_each([this](host_command& c) {
    if (c.handle_live) abandon(c);
  });
}

// Gives the slot, and so the CID, back once nobody needs it.
void host_session::recycle(host_command& c) {
  if (c.handle_live || c.outstanding || c.queued > 0 || c.tasks > 0) return;
  commands_.give(&c);
}

bool host_session::fits_in_capsule(const host_command& c) const {
  if (c.way != direction::send) return false;
  const bool fabrics = wire::get<wire::sqe_layout, "opc">(c.entry) == wire::fabrics_opcode;
  return c.length <=
         (qid_ == 0 || fabrics ? std::max(admin_in_capsule, max_in_capsule_) : max_in_capsule_);
}

std::error_code host_session::transmit(capsule_slot* slot) {
  if (over()) return gone();
  auto& c = *static_cast<host_command*>(slot);
  c.transmitted = c.outstanding = true;
  c.since = watched_now();
  c.data_done = c.way == direction::none;
  c.in_capsule = fits_in_capsule(c);
  write_sgl(c.entry,
            c.in_capsule               ? data_place::in_capsule
            : c.way == direction::none ? data_place::none
                                       : data_place::transport,
            c.length);
  tx_pdu* pdu = tx_.make();
  pdu->owner = &c;
  pdu->cid = c.index;
  ++c.queued;
  if (c.in_capsule) {
    pdu->data = c.data;
    pdu->borrowed = true;
  }
  if (c.way == direction::receive)
    rx_.rules.max_data = std::max<std::uint64_t>(rx_.rules.max_data, c.length);
  encode_command(*pdu, c.entry, send_rules_);
  events_.entry(event_type::command_out, c.index, c.entry, c.length, c.in_capsule ? 1 : 0);
  push(pdu);
  return {};
}

std::error_code host_session::withdraw_data(capsule_slot* slot, std::error_code error) {
  auto& c = *static_cast<host_command*>(slot);
  if (c.data_done) return {};
  c.withdrawn = true;
  release_memory(c);
  finish_data(c, error);
  return {};
}

void host_session::release_memory(host_command& c) {
  // A command capsule of its own still goes out, with a copy of its data: a response must come. An
  // R2T is answered no further: half a write is the controller's to abort, other bytes would be
  // taken for the user's.
  tx_.detach_owner(&c, [&](tx_pdu&) { --c.queued; });
  transfers_.extract([&](const h2c_transfer& t) { return t.command == &c; },
                     [&](h2c_transfer* t) { transfer_places_.give(t); });
  if (receiving_ == &c) rx_.forget_memory();
}

void host_session::finish_data(host_command& c, std::error_code error) {
  if (c.data_done) return;
  c.data_done = true;
  c.data_error = error;
  ++c.tasks;
  defer([this, which = &c] { call_back(which); });
}

void host_session::call_back(host_command* c) {
  data_callback done = std::move(c->on_data);
  const std::size_t bytes = c->moved;
  const std::error_code error = c->data_error;
  events_.data_callback(c->index, bytes, error);
  --c->tasks;
  recycle(*c);
  done(bytes, error);
}

void host_session::complete_in_flight(std::error_code why) {
  while (!transfers_.empty()) transfer_places_.give(transfers_.pop());
  tx_.detach(close_copy_max);
  receiving_ = nullptr;
  rx_.forget_memory();
  commands_.for_each([&](host_command& c) {
    if (!c.outstanding) return;
    c.outstanding = false;
    c.withdrawn = true;
    c.queued = 0;
    finish_data(c, c.digest_failed ? make_error_code(errc::data_digest) : why);
    recycle(c);
  });
}

// --- Sending ------------------------------------------------------------------------------------

std::uint32_t host_session::h2c_size(const h2c_transfer& t) const {
  const std::uint32_t most =
      strict_.h2c_data_limit ? std::min(agreed_.max_h2c_data, max_h2c_pdu) : max_h2c_pdu;
  return std::min(t.end - t.offset, most);
}

// Makes H2CData PDUs of what R2Ts have asked for, so far ahead as one write can take.
void host_session::make_output() {
  if (transfers_.empty()) return;
  const std::size_t ahead = one_by_one() ? 1 : h2c_ahead;
  while (!transfers_.empty() && tx_.urgent_bytes() < ahead) {
    h2c_transfer& t = *transfers_.front();
    host_command& c = *t.command;
    const std::uint32_t size = h2c_size(t);
    const bool last = t.offset + size == t.end;
    tx_pdu* pdu = tx_.make();
    pdu->owner = &c;
    pdu->cid = c.index;
    pdu->borrowed = true;
    pdu->ends = last;
    pdu->data = c.data.window(t.offset, size);
    ++c.queued;
    encode_h2c_data(*pdu, {.cccid = c.index, .ttag = t.ttag, .datao = t.offset, .last = last},
                    send_rules_);
    push_urgent(pdu);
    t.offset += size;
    if (last) transfer_places_.give(transfers_.pop());
  }
}

void host_session::on_sent(tx_pdu& pdu) {
  if (pdu.owner == nullptr) return;
  auto& c = *static_cast<host_command*>(pdu.owner);
  --c.queued;
  if (pdu.borrowed) {
    c.moved += static_cast<std::uint32_t>(pdu.data.size());
    if (pdu.kind == tx_kind::h2c_data && pdu.ends) --c.open_r2ts;
    if (c.moved == c.length) finish_data(c, {});
  }
  recycle(c);
}

// --- Not a host's -------------------------------------------------------------------------------

nvme_status host_session::validate_command(const capsule_slot*) const {
  return wire::status_code::invalid_field;
}
std::span<const std::byte> host_session::in_capsule_data(const capsule_slot*) const { return {}; }
std::error_code host_session::receive_controller_data(capsule_slot*, std::uint32_t, const memdesc&,
                                                      std::uint32_t, data_callback) {
  return errc::wrong_role;
}
send_answer host_session::send_controller_data(capsule_slot*, std::uint32_t, buffer, bool) {
  return {send_result::failed, wire::status_code::invalid_field};
}

}  // namespace nvmf::tcp
