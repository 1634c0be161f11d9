// SPDX-License-Identifier: BSD-2-Clause
#include "controller_end.hpp"

#include <algorithm>
#include <numeric>

#include "wire/layouts/entries.hpp"
#include "wire/tables.hpp"

namespace nvmf::loop {
controller_end::controller_end(end_setup setup)
    : end(std::move(setup)),
      max_in_capsule_(std::max(admin_in_capsule, params().options.max_in_capsule)) {}

void controller_end::set_queue(std::uint16_t qid, std::uint32_t queue_size, bool sq_flow_control) {
  qid_ = qid;
  queue_size_ = queue_size;
  flow_control_ = sq_flow_control;
  head_.settle(queue_size, sq_flow_control);
  set_max_in_capsule(qid == 0 ? admin_in_capsule : params().options.max_in_capsule);
}

void controller_end::set_max_in_capsule(std::uint32_t bytes) { max_in_capsule_ = bytes; }

qpair_limits controller_end::limits() const {
  return {.queue_size = queue_size_,
          .max_transfer = options().max_transfer,
          .max_in_capsule = who().caps.offset_sgl ? max_in_capsule_ : 0,
          .max_h2c_data = options().data_chunk,
          .max_r2t = params().options.max_r2t,
          .sq_flow_control = flow_control_};
}

std::uint16_t controller_end::cid_of(const capsule_slot& slot) {
  return static_cast<std::uint16_t>(slot.command ? wire::get<wire::sqe_layout, "cid">(slot.entry)
                                                 : wire::get<wire::cqe_layout, "cid">(slot.entry));
}

// ---- slots -------------------------------------------------------------------------------------

capsule_slot* controller_end::allocate(bool) {
  if (free_responses_.empty()) {
    if (responses_.size() >= queue_size_) return nullptr;
    free_responses_.push_back(static_cast<std::uint16_t>(responses_.size()));
    capsule_slot& fresh = responses_.emplace_back();
    fresh.owner = this;
    fresh.command = false;
    fresh.index = free_responses_.back();
  }
  capsule_slot& slot = responses_[free_responses_.back()];
  free_responses_.pop_back();
  return &slot;
}

void controller_end::release(capsule_slot* base) noexcept {
  if (!base->command) return free_responses_.push_back(base->index);
  auto& slot = static_cast<command_slot&>(*base);
  if (slot.fetches == 0) recycle(slot);
}

controller_end::command_slot& controller_end::take_slot() {
  if (free_.empty()) {
    free_.push_back(static_cast<std::uint32_t>(slots_.size()));
    command_slot& fresh = slots_.emplace_back();
    fresh.owner = this;
    fresh.number = free_.back();
  }
  command_slot& slot = slots_[free_.back()];
  free_.pop_back();
  slot.conflict = slot.bad_digest = slot.data_done = false;
  slot.sent = 0;
  return slot;
}

void controller_end::recycle(command_slot& slot) {
  wire().give_block(std::exchange(slot.block, {}));
  free_.push_back(slot.number);
}

// ---- messages ----------------------------------------------------------------------------------

void controller_end::handle(message& m) {
  const bool has_data = m.kind == loop_kind::fetched || !m.block.empty();
  if (m.corrupt && !has_data)
    return violate({.structure = "capsule-cmd",
                    .fes = static_cast<std::uint16_t>(wire::fes::header_digest_error),
                    .reason = "header digest mismatch"});
  switch (m.kind) {
    case loop_kind::command:
      return on_command(m);
    case loop_kind::fetched:
      return on_fetched(m);
    case loop_kind::returned:
      return dispose(m);
    default:
      assert(false && "not a message to a controller");
  }
}

void controller_end::dispose(message& m) {
  wire().give_block(std::exchange(m.block, {}));
  m.own.reset();
  m.shared.reset();
}

void controller_end::on_command(message& m) {
  if (all_outstanding_ >= queue_size_) {
    dispose(m);
    return violate(broken("capsule-cmd", 0, wire::fes::pdu_sequence_error,
                          "more commands than the queue has entries", all_outstanding_ + 1,
                          queue_size_));
  }
  command_slot& slot = take_slot();
  slot.entry = m.entry;
  slot.block = std::move(m.block);
  slot.bad_digest = m.corrupt;
  const std::uint16_t cid = cid_of(slot);
  if (cid >= outstanding_.size()) outstanding_.resize(std::size_t{cid} + 1);
  slot.conflict = outstanding_[cid]++ != 0;
  ++all_outstanding_;
  slot.since = watched_now();
  emit_capsule(event_type::command_in, cid, slot.entry, slot.block.size(), false, slot.block);
  receive(&slot);
}

void controller_end::stamp(message& m) {
  if (m.kind == loop_kind::data)
    return emit_data(event_type::data_out, m.cid, m.length, m.offset, m.bytes);
  if (m.kind == loop_kind::fetch)
    return emit_data(event_type::data_asked, m.cid, m.length, m.offset);
  if (m.kind != loop_kind::response) return;
  wire::set<wire::cqe_layout, "sqhd">(m.entry, head_.next());
  emit(event_type::response_out, m.cid, std::span{m.entry}.first(16));
}

void controller_end::respond(std::uint16_t cid) {
  --outstanding_[cid];
  --all_outstanding_;
}

std::error_code controller_end::transmit(capsule_slot* slot) {
  if (!open()) return lost();
  const std::uint16_t cid = cid_of(*slot);
  if (cid >= outstanding_.size() || outstanding_[cid] == 0) return errc::invalid_argument;
  if (open_fetches_ != 0) abandon_fetches(cid);
  respond(cid);
  message m;
  m.kind = loop_kind::response;
  m.cid = cid;
  m.entry = slot->entry;
  send(std::move(m));
  return {};
}

std::error_code controller_end::withdraw_data(capsule_slot*, std::error_code) {
  return errc::wrong_role;
}

// ---- host data ---------------------------------------------------------------------------------

nvme_status controller_end::validate_command(const capsule_slot* base) const {
  const auto& slot = static_cast<const command_slot&>(*base);
  if (slot.conflict) return wire::status_code::command_id_conflict;
  if (slot.bad_digest) return wire::status_code::transient_transport_error;
  return check_sgl(slot.entry, static_cast<std::uint32_t>(slot.block.size()),
                   {.keyed = who().caps.keyed_sgl, .max_in_capsule = limits().max_in_capsule});
}

std::span<const std::byte> controller_end::in_capsule_data(const capsule_slot* base) const {
  const auto& slot = static_cast<const command_slot&>(*base);
  if (slot.bad_digest) return {};
  return slot.block;
}

std::error_code controller_end::receive_controller_data(capsule_slot* base, std::uint32_t offset,
                                                        const memdesc& mem, std::uint32_t length,
                                                        data_callback done) {
  if (!open()) return lost();
  auto& slot = static_cast<command_slot&>(*base);
  if (sgl_in_capsule(slot.entry)) {
    const std::size_t size = slot.block.size();
    if (offset > size || length > size - offset) return errc::out_of_range;
    if (slot.bad_digest) {
      complete(cid_of(slot), std::move(done), 0, errc::data_digest);
    } else {
      mem.copy_in(0, std::span{slot.block}.subspan(offset, length));
      complete(cid_of(slot), std::move(done), length, {});
    }
    return {};
  }
  const std::uint32_t tag = take_tag();
  fetch& f = fetches_[tag];
  f.slot = &slot;
  f.mem = mem.window(0, length);
  f.offset = offset;
  f.length = length;
  f.got = 0;
  f.next = no_tag;
  f.used = true;
  f.started = false;
  f.done = std::move(done);
  if (slot.first_waiting == no_tag)
    slot.first_waiting = tag;
  else
    fetches_[slot.last_waiting].next = tag;
  slot.last_waiting = tag;
  ++slot.fetches;
  start_waiting(slot);
  return {};
}

std::uint32_t controller_end::take_tag() {
  if (free_tags_.empty()) {
    free_tags_.push_back(static_cast<std::uint32_t>(fetches_.size()));
    fetches_.emplace_back();
  }
  const std::uint32_t tag = free_tags_.back();
  free_tags_.pop_back();
  return tag;
}

void controller_end::start_waiting(command_slot& slot) {
  while (slot.first_waiting != no_tag && slot.open < params().options.max_r2t) {
    if (options().fetch_tags != 0 && open_fetches_ >= options().fetch_tags) {
      if (!std::exchange(slot.starved, true)) starved_.push_back(&slot);
      return;
    }
    const std::uint32_t tag = slot.first_waiting;
    slot.first_waiting = fetches_[tag].next;
    start_fetch(tag);
  }
}

void controller_end::start_fetch(std::uint32_t tag) {
  fetch& f = fetches_[tag];
  f.started = true;
  ++f.slot->open;
  ++open_fetches_;
  wire().open_target(tag, ++f.generation, f.mem);
  message m;
  m.kind = loop_kind::fetch;
  m.cid = cid_of(*f.slot);
  m.tag = tag;
  m.generation = f.generation;
  m.offset = f.offset;
  m.length = f.length;
  send(std::move(m));
}

controller_end::fetch* controller_end::fetch_of(const message& m) {
  if (m.tag < fetches_.size()) {
    fetch& f = fetches_[m.tag];
    if (f.used && f.started && f.generation == m.generation) return &f;
  }
  violate(
      broken("h2c-data", 10, wire::fes::invalid_header_field, "no such transfer is open", m.tag));
  return nullptr;
}

void controller_end::on_fetched(const message& m) {
  fetch* f = fetch_of(m);
  if (f == nullptr) return;
  const std::uint32_t at = m.offset - f->offset;
  if (m.offset < f->offset || at > f->length || m.length > f->length - at)
    return violate(broken("h2c-data", 12, wire::fes::data_transfer_out_of_range,
                          "range is outside of what was fetched", m.offset, f->length));
  const bool in_order = who().caps.unordered_data || at == f->got;
  if (!in_order || m.length > f->length - f->got)
    return violate(broken("h2c-data", 12, wire::fes::pdu_sequence_error,
                          "offset is not where the data before it ended", m.offset, f->got));
  emit_data(event_type::data_in, m.cid, m.length, m.offset);
  take_fetched(*f, m);
}

void controller_end::take_fetched(fetch& f, const message& m) {
  if (m.corrupt && f.done) {
    wire().close_target(m.tag);
    complete(m.cid, std::exchange(f.done, {}), f.got, errc::data_digest);
  }
  // Data that follows a bad piece is awaited all the same: the tag is not free before.
  f.got += m.length;
  if (f.got < f.length) return;
  wire().close_target(m.tag);
  complete(m.cid, std::exchange(f.done, {}), f.got, {});
  end_fetch(m.tag);
}

void controller_end::end_fetch(std::uint32_t tag) {
  fetch& f = fetches_[tag];
  command_slot& slot = *f.slot;
  f.used = false;
  free_tags_.push_back(tag);
  --open_fetches_;
  --slot.open;
  // Who has waited longer for a tag comes first.
  while (!starved_.empty() && open_fetches_ < options().fetch_tags) {
    command_slot* next = starved_.front();
    starved_.pop_front();
    next->starved = false;
    start_waiting(*next);
  }
  start_waiting(slot);
  if (--slot.fetches == 0 && !slot.handle_live) recycle(slot);
}

void controller_end::give_up(std::uint32_t tag, std::error_code why) {
  fetch& f = fetches_[tag];
  if (f.started) wire().close_target(tag);
  complete(cid_of(*f.slot), std::exchange(f.done, {}), f.got, why);
}

// The command has been answered: what has not been fetched of it never will be.
void controller_end::abandon_fetches(std::uint16_t cid) {
  for (std::uint32_t tag = 0; tag < fetches_.size(); ++tag) {
    fetch& f = fetches_[tag];
    if (!f.used || cid_of(*f.slot) != cid) continue;
    give_up(tag, errc::aborted);
    if (f.started) continue;  // its pieces are on the way and free the tag
    f.used = false;
    free_tags_.push_back(tag);
    f.slot->first_waiting = no_tag;
    --f.slot->fetches;
  }
}

void controller_end::end_all(std::error_code why, bool) {
  wire().close_targets();
  for (std::uint32_t tag = 0; tag < fetches_.size(); ++tag) {
    fetch& f = fetches_[tag];
    if (!std::exchange(f.used, false)) continue;
    give_up(tag, why);
    if (--f.slot->fetches == 0 && !f.slot->handle_live) recycle(*f.slot);
  }
  starved_.clear();
}

void controller_end::show_commands(qpair_inside& show) const {
  for (const command_slot& slot : slots_) {
    if (std::ranges::find(free_, slot.number) != free_.end()) continue;
    const std::uint16_t cid = cid_of(slot);
    command_inside of{.cid = cid,
                      .opcode = std::to_integer<std::uint8_t>(slot.entry[0]),
                      .fctype = fabrics_type_of(slot.entry),
                      .way = way_of(slot.entry),
                      .length = sgl_length(slot.entry),
                      .moved = slot.sent + static_cast<std::uint32_t>(slot.block.size()),
                      .awaits = "an answer of the program"};
    if (cid >= outstanding_.size() || outstanding_[cid] == 0) of.awaits = "to be let go of";
    if (slot.fetches != 0) of.awaits = "data of the host";
    if (slot.since != time_point{}) of.age = who().runs_on->now() - slot.since;
    show.commands.push_back(of);
  }
  for (std::uint32_t tag = 0; tag < fetches_.size(); ++tag) {
    const fetch& f = fetches_[tag];
    if (!f.used || !f.started) continue;
    show.r2ts.push_back({.cid = cid_of(*f.slot),
                         .ttag = static_cast<std::uint16_t>(tag),
                         .offset = f.offset,
                         .length = f.length,
                         .moved = f.got});
  }
}

// ---- read data ---------------------------------------------------------------------------------

send_answer controller_end::send_controller_data(capsule_slot* base, std::uint32_t offset,
                                                 buffer data, bool last) {
  auto& slot = static_cast<command_slot&>(*base);
  const auto length = static_cast<std::uint32_t>(data.size());
  if (!open()) return {send_result::failed, wire::status_code::transient_transport_error};
  if (sgl_in_capsule(slot.entry) || slot.data_done || offset != slot.sent)
    return {send_result::failed, wire::status_code::invalid_field};
  slot.sent += length;
  slot.data_done = last || slot.sent == sgl_length(slot.entry);

  message m;
  m.kind = loop_kind::data;
  m.cid = cid_of(slot);
  m.offset = offset;
  m.length = length;
  m.last = slot.data_done;
  m.success = slot.data_done && !flow_control_ && !who().caps.always_needs_response;
  const bool success = m.success;
  if (success) respond(m.cid);
  send_pieces(std::move(m), std::move(data));
  if (!slot.data_done) return {send_result::more};
  return {success ? send_result::success_sent : send_result::success};
}

void controller_end::send_pieces(message whole, buffer data) {
  const std::uint32_t chunk = options().data_chunk != 0 ? options().data_chunk : whole.length;
  const auto all = data.bytes();
  if (chunk >= whole.length) {
    whole.bytes = all;
    whole.own = std::move(data);
    return send(std::move(whole));
  }
  const auto shared = std::make_shared<buffer>(std::move(data));
  std::vector<std::uint32_t> order((whole.length + chunk - 1) / chunk);
  std::iota(order.begin(), order.end(), 0u);
  // The piece that reports success stays last, as a response would.
  if (who().caps.unordered_data)
    for (std::size_t left = order.size() - (whole.success ? 1 : 0); left > 1; --left)
      std::swap(order[left - 1], order[by_lot().up_to(left - 1)]);
  for (const std::uint32_t i : order) {
    const std::uint32_t at = i * chunk;
    const bool final_piece = i + 1 == order.size();
    message piece = whole.duplicate();
    piece.offset = whole.offset + at;
    piece.length = std::min(chunk, whole.length - at);
    piece.last = whole.last && final_piece;
    piece.success = whole.success && final_piece;
    piece.bytes = all.subspan(at, piece.length);
    piece.shared = shared;
    send(std::move(piece));
  }
}

}  // namespace nvmf::loop
