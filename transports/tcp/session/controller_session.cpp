// SPDX-License-Identifier: BSD-2-Clause
#include "controller_session.hpp"

#include "limits.hpp"
#include "wire/layouts/entries.hpp"

namespace nvmf::tcp {
namespace {

using wire::cqe_layout;
using wire::get;
using wire::sgl_layout;
using wire::sqe_layout;
using wire::status_code;

// Commands whose in-capsule data is not bounded by IOCCSZ.
bool is_fabrics(const command_slot& c) {
  return get<sqe_layout, "opc">(c.entry) == wire::fabrics_opcode;
}

wire::byte_span sgl1(const command_slot& c) {
  return wire::bytes_of<sqe_layout, "sgl1">(wire::byte_span{c.entry});
}

bool says_in_capsule(const command_slot& c) {
  return get<sgl_layout, "type">(sgl1(c)) == static_cast<std::uint8_t>(wire::sgl_type::data_block);
}

}  // namespace

// --- CIDs ---------------------------------------------------------------------------------------

command_slot* cid_map::find(std::uint16_t cid) const {
  if (buckets_.empty()) return nullptr;
  for (command_slot* c = buckets_[bucket(cid)]; c != nullptr; c = c->same_hash)
    if (c->cid == cid) return c;
  return nullptr;
}

void cid_map::add(command_slot* c) {
  if (size_ >= buckets_.size()) {
    const auto old = std::exchange(
        buckets_, std::vector<command_slot*>(std::max<std::size_t>(16, buckets_.size() * 2)));
    for (command_slot* each : old) {
      while (each != nullptr) {
        command_slot* next = each->same_hash;
        each->same_hash = std::exchange(buckets_[bucket(each->cid)], each);
        each = next;
      }
    }
  }
  c->same_hash = std::exchange(buckets_[bucket(c->cid)], c);
  ++size_;
}

void cid_map::remove(command_slot* c) {
  command_slot** at = &buckets_[bucket(c->cid)];
  while (*at != c) at = &(*at)->same_hash;
  *at = c->same_hash;
  --size_;
}

// --- Capsules -----------------------------------------------------------------------------------

controller_session::controller_session(session_setup setup) : session(std::move(setup)) {
  rx_.rules.max_data = agreed_.max_h2c_data;
  set_max_in_capsule(params_.options.max_in_capsule);
}

controller_session::~controller_session() {
  commands_.for_each([this](command_slot& c) {
    if (c.block != nullptr) memory_->give_block(c.block, c.carried);
  });
}

void controller_session::set_queue(std::uint16_t qid, std::uint32_t queue_size,
                                   bool sq_flow_control) {
  session::set_queue(qid, queue_size, sq_flow_control);
  sq_head_.settle(queue_size, sq_flow_control);
}

void controller_session::set_max_in_capsule(std::uint32_t bytes) {
  session::set_max_in_capsule(bytes);
  // Connect comes before it is known what queue this is, and Fabrics commands on any queue.
  rx_.rules.max_in_capsule = std::max(bytes, admin_in_capsule);
}

std::uint32_t controller_session::most_commands() const {
  return queue_size_ + (qid_ == 0 ? admin_extra_commands : 0);
}

capsule_slot* controller_session::allocate(bool command) {
  assert(!command);
  controller_response* r = responses_.take();
  if (r == nullptr) return nullptr;
  r->owner = this;
  r->command = command;
  return r;
}

void controller_session::release(capsule_slot* slot) noexcept {
  if (!slot->command) return responses_.give(static_cast<controller_response*>(slot));
  auto& c = *static_cast<command_slot*>(slot);
  give_block(c);  // a host that reads no response does not keep it
  recycle(c);
}

void controller_session::give_block(command_slot& c) {
  if (c.block != nullptr) memory_->give_block(std::exchange(c.block, nullptr), c.carried);
}

void controller_session::recycle(command_slot& c) {
  if (c.handle_live || c.listed || c.users > 0) return;
  give_block(c);
  commands_.give(&c);
}

void controller_session::unlist(command_slot& c) {
  if (!c.listed) return;
  c.listed = false;
  cids_.remove(&c);
}

std::error_code controller_session::transmit(capsule_slot* slot) {
  if (over()) return gone();
  wire::set<cqe_layout, "sqhd">(slot->entry, sq_head_.next());
  const auto cqe = std::span<const std::byte, 64>{slot->entry}.first<16>();
  const auto cid = static_cast<std::uint16_t>(get<cqe_layout, "cid">(cqe));
  tx_pdu* pdu = tx_.make();
  pdu->cid = cid;
  pdu->ends = true;
  encode_response(*pdu, cqe, send_rules_);
  if (command_slot* c = cids_.find(cid)) {
    pdu->owner = c;
    ++c->users;
  }
  events_.entry(event_type::response_out, cid, cqe);
  push(pdu);
  note_queued();
  return {};
}

session::rested controller_session::rest() {
  const rested now = rest_all(commands_, responses_, transfers_);
  if (now.bytes > 0) cids_.shrink();
  return now;
}

std::error_code controller_session::withdraw_data(capsule_slot*, std::error_code) {
  return errc::wrong_role;
}

nvme_status controller_session::validate_command(const capsule_slot* slot) const {
  const auto& c = *static_cast<const command_slot*>(slot);
  const bool any_queue = qid_ == 0 || is_fabrics(c);
  const nvme_status sgl =
      check_sgl(c.entry, c.carried,
                {.max_in_capsule =
                     any_queue ? std::max(admin_in_capsule, max_in_capsule_) : max_in_capsule_});
  if (!sgl.ok()) return sgl;
  if (c.digest_failed) return status_code::transient_transport_error;
  // Its data found no memory; it may be tried again.
  if (c.carried > 0 && c.block == nullptr) return status_code::internal_error;
  return {};
}

std::span<const std::byte> controller_session::in_capsule_data(const capsule_slot* slot) const {
  const auto& c = *static_cast<const command_slot*>(slot);
  if (c.digest_failed || c.block == nullptr) return {};
  return {c.block, c.carried};
}

// --- Data to the host ---------------------------------------------------------------------------

send_answer controller_session::send_controller_data(capsule_slot* slot, std::uint32_t offset,
                                                     buffer data, bool last) {
  auto& c = *static_cast<command_slot*>(slot);
  if (over()) return {send_result::failed, status_code::transient_transport_error};
  if (says_in_capsule(c) || c.all_sent || offset != c.sent)
    return {send_result::failed, status_code::invalid_field};
  const auto size = static_cast<std::uint32_t>(data.size());
  const auto total = static_cast<std::uint32_t>(get<sgl_layout, "length">(sgl1(c)));
  c.sent += size;
  c.all_sent = last || c.sent == total;
  const bool success = c.all_sent && (!sq_flow_control_ || !strict_.success_condition);
  queue_data(c, offset, std::move(data), c.all_sent, success);
  note_queued();
  if (!c.all_sent) return {send_result::more, {}};
  return {success ? send_result::success_sent : send_result::success, {}};
}

void controller_session::queue_data(command_slot& c, std::uint32_t offset, buffer data, bool last,
                                    bool success) {
  std::span<const std::byte> rest = data.bytes();
  while (!rest.empty()) {
    const auto part = rest.first(std::min<std::size_t>(rest.size(), max_c2h_pdu));
    rest = rest.subspan(part.size());
    tx_pdu* pdu = tx_.make();
    pdu->cid = c.cid;
    pdu->data = memdesc::of(part);
    const bool end = rest.empty();
    if (end) {
      // The buffer goes with the last PDU that shows it: they leave in order.
      pdu->owned = std::move(data);
      pdu->owner = &c;
      pdu->ends = success;
      ++c.users;
    }
    encode_c2h_data(
        *pdu, {.cccid = c.cid, .datao = offset, .last = end && last, .success = end && success},
        send_rules_);
    offset += static_cast<std::uint32_t>(part.size());
    push(pdu);
  }
}

void controller_session::on_room() {
  if (!held_.empty()) defer([this] { deliver_held(); });
}

void controller_session::on_sent(tx_pdu& pdu) {
  if (pdu.owner == &refusals_) {
    --refusals_;
    return;
  }
  if (pdu.owner == nullptr) return;
  auto& c = *static_cast<command_slot*>(pdu.owner);
  --c.users;
  // The host has its answer, or will: the CID is its again.
  if (pdu.ends) unlist(c);
  recycle(c);
}

// --- Data from the host -------------------------------------------------------------------------

std::error_code controller_session::receive_controller_data(capsule_slot* slot,
                                                            std::uint32_t offset,
                                                            const memdesc& mem,
                                                            std::uint32_t length,
                                                            data_callback done) {
  auto& c = *static_cast<command_slot*>(slot);
  if (over()) return gone();
  const bool in_capsule = says_in_capsule(c);
  if (in_capsule && c.carried > 0 && c.block == nullptr)
    return std::make_error_code(std::errc::not_enough_memory);
  if (in_capsule && (offset > c.carried || length > c.carried - offset)) return errc::out_of_range;
  transfer* t = transfers_.take();
  if (t == nullptr) return errc::limit_exceeded;
  ++c.users;
  t->command = &c;
  t->taken = true;
  t->open = t->digest_failed = false;
  t->offset = offset;
  t->length = length;
  t->arrived = t->good = 0;
  t->to = mem.window(0, length);
  t->done = std::move(done);
  if (in_capsule) {
    if (c.digest_failed) {
      finish(*t, errc::data_digest);
      return {};
    }
    t->to.copy_in(0, {c.block + offset, length});
    t->good = length;
    finish(*t, {});
    return {};
  }
  c.waiting.push(t);
  if (c.open_r2ts < agreed_.max_r2t || !strict_.r2t_limit) ask(*c.waiting.pop());
  return {};
}

void controller_session::ask(transfer& t) {
  ++t.command->open_r2ts;
  ++open_transfers_;
  t.open = true;
  tx_pdu* pdu = tx_.make();
  pdu->cid = t.command->cid;
  encode_r2t(*pdu, t.command->cid, t.index, t.offset, t.length, send_rules_);
  push_urgent(pdu);
}

void controller_session::finish(transfer& t, std::error_code error) {
  if (std::exchange(t.open, false)) --open_transfers_;
  t.error = error;
  defer([this, which = &t] { call_back(which); });
}

void controller_session::call_back(transfer* t) {
  data_callback done = std::move(t->done);
  const std::size_t bytes = t->good;
  const std::error_code error = t->error;
  command_slot& c = *t->command;
  events_.data_callback(c.cid, bytes, error);
  t->taken = false;
  transfers_.give(t);
  --c.users;
  recycle(c);
  done(bytes, error);
}

void controller_session::complete_in_flight(std::error_code why) {
  if (receiving_ != nullptr) {
    command_slot* half = std::exchange(receiving_, nullptr);
    rx_.forget_memory();
    --half->users;
    recycle(*half);
  }
  if (filling_ != nullptr) rx_.forget_memory();
  filling_ = nullptr;
  while (!held_.empty()) {
    command_slot* c = held_.pop();
    --c->users;
    unlist(*c);
    recycle(*c);
  }
  transfers_.for_each([&](transfer& t) {
    if (!t.taken || !t.open) return;
    finish(t, t.digest_failed ? make_error_code(errc::data_digest) : why);
  });
  commands_.for_each([&](command_slot& c) {
    while (!c.waiting.empty()) finish(*c.waiting.pop(), why);
  });
}

}  // namespace nvmf::tcp
