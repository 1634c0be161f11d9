// SPDX-License-Identifier: BSD-2-Clause
// What leaves a controller: responses and RDMA WRITEs, in the order of the calls, so that a
// response never passes its data; and RDMA READs, which wait for nothing but each other.
#include <algorithm>
#include <cstring>

#include "controller_session.hpp"
#include "wire/layouts/entries.hpp"

namespace nvmf::rdma {
namespace {

std::uint64_t address_of(std::span<const std::byte, 64> sqe) {
  return wire::get<wire::keyed_sgl_layout, "addr">(
      wire::bytes_of<wire::sqe_layout, "sgl1">(wire::byte_span{sqe}));
}
std::uint32_t key_of(std::span<const std::byte, 64> sqe) {
  return static_cast<std::uint32_t>(wire::get<wire::keyed_sgl_layout, "key">(
      wire::bytes_of<wire::sqe_layout, "sgl1">(wire::byte_span{sqe})));
}
bool keyed(std::span<const std::byte, 64> sqe) {
  return wire::get<wire::keyed_sgl_layout, "type">(wire::bytes_of<wire::sqe_layout, "sgl1">(
             wire::byte_span{sqe})) == static_cast<std::uint64_t>(wire::sgl_type::keyed_data_block);
}

}  // namespace

std::error_code controller_session::transmit(capsule_slot* slot) {
  if (!open()) return lost();
  const std::uint16_t cid = cid_of(*slot);
  if (cid >= outstanding_.size() || outstanding_[cid].count == 0) return errc::invalid_argument;
  abandon_fetches(cid);
  --outstanding_[cid].count;
  --all_outstanding_;
  unit u;
  u.cid = cid;
  std::copy_n(slot->entry.begin(), cqe_size, u.entry.begin());
  u.last = std::exchange(outstanding_[cid].take_back, false);
  u.key = outstanding_[cid].key;
  out_.push_back(std::move(u));
  pump();
  return {};
}

send_answer controller_session::send_controller_data(capsule_slot* base, std::uint32_t offset,
                                                     buffer data, bool last) {
  auto& slot = static_cast<command_slot&>(*base);
  const auto length = static_cast<std::uint32_t>(data.size());
  if (!open()) return {send_result::failed, wire::status_code::transient_transport_error};
  if (!keyed(slot.entry) || slot.data_done || offset != slot.sent)
    return {send_result::failed, wire::status_code::invalid_field};
  slot.sent += length;
  slot.data_done = last || slot.sent == sgl_length(slot.entry);
  unit u;
  u.response = false;
  u.cid = cid_of(slot);
  u.data = std::move(data);
  u.offset = offset;
  u.address = address_of(slot.entry);
  u.key = key_of(slot.entry);
  u.last = slot.data_done;
  out_.push_back(std::move(u));
  const bool done = slot.data_done;
  pump();
  return {done ? send_result::success : send_result::more};
}

// --- What may leave -----------------------------------------------------------------------------

bool controller_session::unit_may_leave() const {
  // Never more responses on their way than the host has receives.
  if (out_.empty()) return false;
  return out_.front().response ? !free_cqes_.empty() : !starved();
}

qpair_action controller_session::next_out() const {
  if (!sent_.room()) return {};
  qpair_action next{.kind = action_kind::send, .has_cid = true};
  if (unit_may_leave()) {
    const unit& u = out_.front();
    next.cid = u.cid;
    next.unit = u.response ? outgoing_kind::response : outgoing_kind::controller_data;
    next.bytes = u.response ? cqe_size : piece_of(static_cast<std::uint32_t>(u.data.size()) - u.at);
    return next;
  }
  if (reads_.empty() || starved() || reads_in_flight_ >= setup().reads_out) return {};
  const fetch& f = fetches_[reads_.front()];
  next.cid = cid_of(*f.slot);
  next.unit = outgoing_kind::request;
  next.bytes = piece_of(f.length - f.asked);
  return next;
}

void controller_session::leave_one() {
  if (!unit_may_leave()) return leave_read();
  if (out_.front().response)
    leave_response();
  else
    leave_data();
}

void controller_session::leave_response() {
  unit u = std::move(out_.front());
  out_.pop_front();
  cqe_bytes cqe = u.entry;
  wire::set<wire::cqe_layout, "sqhd">(cqe, head_.next());
  emit(event_type::response_out, u.cid, cqe);
  // The receive that its command has used is there again before the host may use it.
  while (!closed() && receives_posted() + all_outstanding_ < setup().receives)
    if (!post_one_receive()) return;
  outgoing o{.kind = outgoing_kind::response, .qid = qid_, .cid = u.cid, .header = cqe};
  if (tamperer* by = tampers()) by->on_outgoing(o);
  if (o.drop) {
    if (o.respond) respond_in_place(o.cid);
    return;
  }
  if (o.cid != u.cid) wire::set<wire::cqe_layout, "cid">(cqe, o.cid);
  if (!send_response(u, cqe)) return;
  if (o.twice && !free_cqes_.empty() && sent_.room()) {
    u.last = false;  // the key is taken back already
    send_response(u, cqe);
  }
  if (o.respond) respond_in_place(o.cid);
}

bool controller_session::send_response(const unit& u, const cqe_bytes& cqe) {
  const std::uint32_t place = free_cqes_.back();
  const auto at = cqes_->bytes().subspan(std::size_t{place} * cqe_size, cqe_size);
  std::ranges::copy(cqe, at.begin());
  const piece whole{at.data(), cqe_size, cqes_->local_key()};
  // With RDMA READs under way the key is taken back behind them.
  if (!post({.kind = u.last ? work_kind::send_invalidate : work_kind::send,
             .pieces = std::span{&whole, 1},
             .signalled = false,
             .inlined = cqe_size <= max_inline(),
             .fence = u.last && reads_in_flight_ != 0,
             .remote_key = u.last ? u.key : 0},
            {.index = place, .bytes = cqe_size, .cid = u.cid}))
    return false;
  free_cqes_.pop_back();
  return true;
}

// On purpose: a response of success that nobody has asked for.
void controller_session::respond_in_place(std::uint16_t cid) {
  if (free_cqes_.empty() || !sent_.room()) return;
  cqe_bytes cqe{};
  wire::set<wire::cqe_layout, "cid">(cqe, cid);
  send_response({}, cqe);
}

void controller_session::leave_data() {
  unit& u = out_.front();
  const auto all = u.data.bytes();
  const std::uint32_t n = piece_of(static_cast<std::uint32_t>(all.size()) - u.at);
  outgoing o{.kind = outgoing_kind::controller_data,
             .qid = qid_,
             .cid = u.cid,
             .offset = u.offset + u.at,
             .length = n,
             .last = u.last && u.at + n == all.size()};
  const std::uint32_t from = u.at;
  block wanted;
  if (!take_block(n, wanted)) return;
  give_block(wanted);
  if (tamperer* by = tampers()) by->on_outgoing(o);
  u.at += n;
  const auto bytes = all.subspan(from, std::min(o.length, n));
  if (!o.drop && !bytes.empty()) {
    if (!write(u, from, bytes)) return;
    if (o.twice && sent_.room() && !write(u, from, bytes)) return;
  }
  const bool done = u.at == all.size();
  // It is copied; what the release does may come back here.
  if (done) {
    const buffer gone = std::move(u.data);
    out_.pop_front();
  }
  if (o.respond) respond_in_place(o.cid);
}

bool controller_session::write(const unit& u, std::uint32_t at, std::span<const std::byte> bytes) {
  block memory;
  const auto n = static_cast<std::uint32_t>(bytes.size());
  if (!take_block(n, memory)) return false;
  std::memcpy(memory.data, bytes.data(), n);  // std::ranges::copy of GCC 12 goes byte by byte
  const piece whole{memory.data, n, memory.local_key};
  return post({.kind = work_kind::write,
               .pieces = std::span{&whole, 1},
               .signalled = false,
               .remote_address = u.address + u.offset + at,
               .remote_key = u.key},
              {.bytes = n, .memory = memory, .cid = u.cid});
}

void controller_session::leave_read() {
  const std::uint32_t tag = reads_.front();
  fetch& f = fetches_[tag];
  const std::uint32_t n = piece_of(f.length - f.asked);
  block memory;
  if (!take_block(n, memory)) return;
  const std::uint64_t from = address_of(f.slot->entry) + f.offset + f.asked;
  outgoing o{.kind = outgoing_kind::request,
             .qid = qid_,
             .cid = cid_of(*f.slot),
             .offset = f.offset + f.asked,
             .length = n};
  if (tamperer* by = tampers()) by->on_outgoing(o);
  f.asked += n;
  if (f.asked == f.length) reads_.remove(tag, to_ask());
  // One that is dropped never ends, as an R2T that is lost.
  if (o.drop) return give_block(memory);
  const piece whole{memory.data, n, memory.local_key};
  if (!post({.kind = work_kind::read,
             .pieces = std::span{&whole, 1},
             .remote_address = from,
             .remote_key = key_of(f.slot->entry)},
            {.index = tag, .bytes = n, .memory = memory, .cid = cid_of(*f.slot)}))
    return;
  ++reads_in_flight_;
}

// --- What has left ------------------------------------------------------------------------------

void controller_session::on_done(const posted_work& work, bool ok) {
  block memory = work.memory;
  switch (work.kind) {
    case work_kind::send:
    case work_kind::send_invalidate:
      return free_cqes_.push_back(work.index);
    case work_kind::read:
      --reads_in_flight_;
      if (ok && !closed())
        return push({.what = arrival::kind::read,
                     .index = work.index,
                     .bytes = work.bytes,
                     .memory = memory});
      break;
    default:
      break;
  }
  give_block(memory);
}

void controller_session::keep_sendable(bool clean) {
  ask_no_more();
  while (!clean && !out_.empty()) {
    const unit gone = std::move(out_.front());
    out_.pop_front();
  }
}

void controller_session::show_out(qpair_inside& show) const {
  for (std::size_t i = 0; i < out_.size(); ++i) {
    const unit& u = out_[i];
    show.to_send.push_back(
        {.kind = u.response ? outgoing_kind::response : outgoing_kind::controller_data,
         .cid = u.cid,
         .size = u.response ? cqe_size : u.data.size(),
         .sent = u.at});
  }
  for (std::uint32_t tag = reads_.first(); tag != no_index; tag = fetches_[tag].to_ask.after) {
    const fetch& f = fetches_[tag];
    show.to_send.push_back({.kind = outgoing_kind::request,
                            .cid = cid_of(*f.slot),
                            .size = f.length,
                            .sent = f.asked});
  }
}

}  // namespace nvmf::rdma
