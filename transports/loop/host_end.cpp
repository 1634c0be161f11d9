// SPDX-License-Identifier: BSD-2-Clause
#include "host_end.hpp"

#include <algorithm>

#include "wire/layouts/entries.hpp"
#include "wire/tables.hpp"

namespace nvmf::loop {
namespace {

// Keys are no secret here; they only have to look like ones.
constexpr std::uint32_t first_key = 0x1000;

nvme_status status_of(std::span<const std::byte, 16> cqe) {
  return nvme_status::from_cqe_word(
      static_cast<std::uint16_t>(wire::load_le(wire::byte_span{cqe}, 14, 2)));
}

}  // namespace

host_end::host_end(end_setup setup)
    : end(std::move(setup)), flow_control_(params().sq_flow_control) {
  set_max_in_capsule(params().admin ? admin_in_capsule : 0);
  grow(queue_size_);
}

void host_end::grow(std::uint32_t slots) {
  const auto old = static_cast<std::uint32_t>(slots_.size());
  for (std::uint32_t i = old; i < slots; ++i) {
    command_slot& slot = slots_.emplace_back();
    slot.owner = this;
    slot.index = static_cast<std::uint16_t>(i);
  }
  // The lowest is taken first.
  std::vector<std::uint16_t> fresh;
  for (std::uint32_t i = slots; i > old; --i) fresh.push_back(static_cast<std::uint16_t>(i - 1));
  free_.insert(free_.begin(), fresh.begin(), fresh.end());
}

void host_end::set_queue(std::uint16_t qid, std::uint32_t queue_size, bool sq_flow_control) {
  qid_ = qid;
  queue_size_ = queue_size;
  flow_control_ = sq_flow_control;
  grow(queue_size);
}

void host_end::set_max_in_capsule(std::uint32_t bytes) {
  max_in_capsule_ = who().caps.offset_sgl ? bytes : 0;
}

qpair_limits host_end::limits() const {
  return {.queue_size = queue_size_,
          .max_transfer = options().max_transfer,
          .max_in_capsule = max_in_capsule_,
          .max_h2c_data = options().data_chunk,
          .max_r2t = params().options.max_r2t,
          .sq_flow_control = flow_control_};
}

capsule_slot* host_end::allocate(bool) {
  if (free_.empty()) return nullptr;
  command_slot& slot = slots_[free_.back()];
  free_.pop_back();
  slot.transmitted = slot.outstanding = slot.data_open = slot.in_capsule = false;
  slot.way = direction::none;
  slot.length = slot.moved = slot.asked = 0;
  return &slot;
}

void host_end::recycle(command_slot& slot) {
  slot.on_data = {};
  free_.push_back(slot.index);
}

void host_end::release(capsule_slot* base) noexcept {
  if (!base->command) return free_responses_.push_back(base->index);
  auto& slot = static_cast<command_slot&>(*base);
  if (!slot.transmitted && slot.way != direction::none)
    complete(slot.index, std::exchange(slot.on_data, {}), 0, errc::aborted);
  if (!slot.outstanding) recycle(slot);
}

data_place host_end::place_of(const command_slot& slot) const {
  if (slot.way == direction::none) return data_place::none;
  if (slot.way == direction::send && slot.length <= max_in_capsule_) return data_place::in_capsule;
  return who().caps.keyed_sgl ? data_place::keyed : data_place::transport;
}

std::error_code host_end::transmit(capsule_slot* base) {
  if (!open()) return lost();
  auto& slot = static_cast<command_slot&>(*base);
  const data_place place = place_of(slot);
  write_sgl(slot.entry, place, slot.length, 0, first_key + slot.index);
  slot.transmitted = slot.outstanding = true;
  slot.data_open = slot.way != direction::none;
  slot.in_capsule = place == data_place::in_capsule;
  slot.data_end = slot.length;
  slot.since = watched_now();

  message m;
  m.kind = loop_kind::command;
  m.cid = slot.index;
  m.length = slot.length;
  m.entry = slot.entry;
  if (slot.in_capsule) {
    m.block = wire().take_block(slot.length);
    slot.data.copy_out(0, m.block);
    slot.moved = slot.length;
  }
  emit_capsule(event_type::command_out, slot.index, slot.entry, slot.length, slot.in_capsule,
               m.block);
  send(std::move(m));
  if (slot.in_capsule) settle(slot, {});
  return {};
}

std::error_code host_end::withdraw_data(capsule_slot* base, std::error_code error) {
  if (who().caps.keyed_sgl) return errc::not_supported;
  settle(static_cast<command_slot&>(*base), error);
  return {};
}

void host_end::settle(command_slot& slot, std::error_code error) {
  if (!std::exchange(slot.data_open, false)) return;
  forget_fetched(slot.index);
  complete(slot.index, std::exchange(slot.on_data, {}), slot.moved, error);
}

void host_end::handle(message& m) {
  if (m.corrupt && m.kind != loop_kind::data)
    return violate({.structure = m.kind == loop_kind::fetch ? "r2t" : "capsule-resp",
                    .fes = static_cast<std::uint16_t>(wire::fes::header_digest_error),
                    .reason = "header digest mismatch"});
  switch (m.kind) {
    case loop_kind::fetch:
      return on_fetch(m);
    case loop_kind::data:
      on_data(m);
      return dispose(m);
    case loop_kind::response:
      return on_response(m);
    default:
      assert(false && "not a message to a host");
  }
}

void host_end::dispose(message& m) {
  // Buffers are released where they were made.
  if (m.kind != loop_kind::data || (m.own.size() == 0 && m.shared == nullptr)) return;
  m.kind = loop_kind::returned;
  m.corrupt = false;
  wire().push(role::controller, std::move(m));
}

host_end::command_slot* host_end::outstanding(const message& m, std::string_view structure) {
  if (m.cid < slots_.size() && slots_[m.cid].outstanding) return &slots_[m.cid];
  violate(broken(structure, 8, wire::fes::invalid_header_field,
                 "no command with this CID is outstanding", m.cid));
  return nullptr;
}

bool host_end::fits(const command_slot& slot, const message& m, std::string_view structure) {
  const bool in_order = who().caps.unordered_data || m.offset == slot.asked;
  if (m.length == 0)
    violate(broken(structure, 16, wire::fes::invalid_header_field, "length is 0", 0));
  else if (m.offset > slot.length || m.length > slot.length - m.offset)
    violate(broken(structure, 12, wire::fes::data_transfer_out_of_range,
                   "range is beyond the command's data", std::uint64_t{m.offset} + m.length,
                   slot.length));
  else if (!in_order || m.length > slot.length - slot.asked)
    violate(broken(structure, 12, wire::fes::pdu_sequence_error,
                   "offset is not where the data before it ended", m.offset, slot.asked));
  else
    return true;
  return false;
}

void host_end::on_fetch(const message& m) {
  command_slot* slot = outstanding(m, "r2t");
  if (slot == nullptr) return;
  if (slot->way != direction::send || slot->in_capsule)
    return violate(broken("r2t", 8, wire::fes::invalid_header_field,
                          "the command has no data to fetch", m.cid));
  if (!fits(*slot, m, "r2t")) return;
  slot->asked += m.length;
  emit_data(event_type::data_asked, m.cid, m.length, m.offset);
  // Data that was withdrawn is not sent, nor anything in its place: a controller that waits for it
  // must not take zeroes for data. The command is about to be aborted.
  if (!slot->data_open) return;
  send_pieces(m);
}

void host_end::send_pieces(const message& fetch) {
  const std::uint32_t chunk = options().data_chunk != 0 ? options().data_chunk : fetch.length;
  for (std::uint32_t at = 0; at < fetch.length;) {
    const std::uint32_t n = std::min(chunk, fetch.length - at);
    message piece;
    piece.kind = loop_kind::fetched;
    piece.cid = fetch.cid;
    piece.tag = fetch.tag;
    piece.generation = fetch.generation;
    piece.offset = fetch.offset + at;
    piece.fetched_from = fetch.offset;
    piece.length = n;
    at += n;
    piece.last = at == fetch.length;
    send(std::move(piece));
  }
}

// The data goes when its message does.
bool host_end::departing(message& m) {
  if (m.kind != loop_kind::fetched) return true;
  command_slot& slot = slots_[m.cid];
  if (!slot.data_open) return false;
  wire().copy_to_target(m.tag, m.generation, m.offset - m.fetched_from, slot.data, m.offset,
                        m.length);
  slot.moved += m.length;
  emit_data(event_type::data_out, m.cid, m.length, m.offset);
  if (slot.moved == slot.length) settle(slot, {});
  return true;
}

void host_end::show_commands(qpair_inside& show) const {
  for (const command_slot& slot : slots_) {
    if (!slot.outstanding) continue;
    command_inside of{.cid = slot.index,
                      .opcode = std::to_integer<std::uint8_t>(slot.entry[0]),
                      .fctype = fabrics_type_of(slot.entry),
                      .way = slot.way,
                      .length = slot.length,
                      .moved = slot.moved,
                      .awaits = "a response"};
    if (slot.data_open && !slot.in_capsule)
      of.awaits = slot.way == direction::receive ? "data"
                  : slot.asked < slot.length     ? "a fetch of its data"
                                                 : "its data to leave";
    if (slot.since != time_point{}) of.age = who().runs_on->now() - slot.since;
    show.commands.push_back(of);
  }
}

void host_end::on_data(message& m) {
  command_slot* slot = outstanding(m, "c2h-data");
  if (slot == nullptr) return;
  if (slot->way != direction::receive)
    return violate(broken("c2h-data", 8, wire::fes::invalid_header_field,
                          "the command does not read data", m.cid));
  if (!fits(*slot, m, "c2h-data")) return;
  slot->asked += m.length;
  emit_data(event_type::data_in, m.cid, m.length, m.offset, m.bytes);
  if (m.last) slot->data_end = m.offset + m.length;
  if (slot->data_open) take_data(*slot, m);
  if (!m.success) return;
  cqe_bytes cqe{};
  wire::set<wire::cqe_layout, "cid">(cqe, m.cid);
  respond(*slot, cqe, true);
}

void host_end::take_data(command_slot& slot, const message& m) {
  if (m.corrupt) return settle(slot, errc::data_digest);
  slot.data.copy_in(m.offset, m.bytes);
  slot.moved += m.length;
  if (slot.moved == slot.data_end) settle(slot, {});
}

void host_end::on_response(message& m) {
  m.cid = static_cast<std::uint16_t>(wire::get<wire::cqe_layout, "cid">(m.entry));
  command_slot* slot = outstanding(m, "capsule-resp");
  if (slot != nullptr) respond(*slot, std::span{m.entry}.first<16>(), false);
}

void host_end::respond(command_slot& slot, std::span<const std::byte, 16> cqe, bool made_up) {
  const bool short_read = slot.way == direction::receive && status_of(cqe).ok();
  settle(slot, short_read ? make_error_code(errc::data_incomplete) : std::error_code{});
  if (!put_off()) fire();
  // Not sooner: a CID must not be used again before its response has been handed on.
  slot.outstanding = false;
  if (!slot.handle_live) recycle(slot);
  if (!open()) return;

  if (free_responses_.empty()) {
    free_responses_.push_back(static_cast<std::uint16_t>(responses_.size()));
    capsule_slot& fresh = responses_.emplace_back();
    fresh.owner = this;
    fresh.command = false;
    fresh.index = free_responses_.back();
  }
  capsule_slot& response = responses_[free_responses_.back()];
  free_responses_.pop_back();
  std::ranges::copy(cqe, response.entry.begin());
  response.sqhd_valid = !made_up;
  emit(event_type::response_in, slot.index, cqe, made_up ? 1 : 0);
  receive(&response);
}

void host_end::end_all(std::error_code why, bool attached) {
  for (command_slot& slot : slots_) {
    settle(slot, why);
    if (!attached || slot.transmitted || slot.way == direction::none) continue;
    slot.way = direction::none;
    complete(slot.index, std::exchange(slot.on_data, {}), 0, why);
  }
}

nvme_status host_end::validate_command(const capsule_slot*) const {
  return wire::status_code::invalid_field;
}
std::span<const std::byte> host_end::in_capsule_data(const capsule_slot*) const { return {}; }
std::error_code host_end::receive_controller_data(capsule_slot*, std::uint32_t, const memdesc&,
                                                  std::uint32_t, data_callback) {
  return errc::wrong_role;
}
send_answer host_end::send_controller_data(capsule_slot*, std::uint32_t, buffer, bool) {
  return {send_result::failed, nvme_status{wire::status_code::invalid_field}};
}

}  // namespace nvmf::loop
