// SPDX-License-Identifier: BSD-2-Clause
// Responses, and what of a command they bring to its end.
#include <algorithm>

#include "host_session.hpp"
#include "wire/layouts/entries.hpp"

namespace nvmf::rdma {
namespace {

protocol_error bad_response(std::uint32_t offset, std::string_view reason, std::uint64_t value,
                            std::uint64_t limit = 0) {
  return {.structure = "capsule-resp",
          .offset = offset,
          .reason = reason,
          .value = value,
          .limit = limit};
}

bool is_success(std::span<const std::byte, 16> cqe) {
  return nvme_status::from_cqe_word(
             static_cast<std::uint16_t>(wire::load_le(wire::byte_span{cqe}, 14, 2)))
      .ok();
}

}  // namespace

std::span<std::byte> host_session::response_at(std::uint32_t index) const {
  return received_->bytes().subspan(std::size_t{index} * cqe_size, cqe_size);
}

std::uint16_t host_session::cid_at(std::uint32_t index) const {
  return static_cast<std::uint16_t>(wire::get<wire::cqe_layout, "cid">(response_at(index)));
}

// A key that was lent is taken back before the response is believed: its memory is used for others
// afterwards. The controller may have done that itself (SEND with invalidate).
bool host_session::admit(const completion& c) {
  const auto index = static_cast<std::uint32_t>(c.id);
  const std::uint16_t cid = c.length == cqe_size ? cid_at(index) : std::uint16_t{0xffff};
  const bool known = cid < slots_.size() && slots_[cid].outstanding && !slots_[cid].waits;
  const bool lent = known && slots_[cid].bound;
  if (c.invalidated && (!lent || slots_[cid].key != c.invalidated_key)) {
    violate(
        bad_response(12, "it takes back a key that its command has not lent", c.invalidated_key));
    return false;
  }
  if (!lent) return true;
  command_slot& slot = slots_[cid];
  if (c.invalidated) {
    slot.bound = false;
    return true;
  }
  if (slot.taking_back) {
    violate(bad_response(12, "a second response to a command", cid));
    return false;
  }
  slot.taking_back = true;
  slot.receive = index;
  if (post({.kind = work_kind::invalidate, .remote_key = slot.key},
           {.index = slot.index, .cid = slot.index}))
    ++slot.posted;
  return false;
}

qpair_action host_session::describe(const arrival& a) const {
  return {.kind = action_kind::receive,
          .unit = outgoing_kind::response,
          .cid = a.bytes == cqe_size ? cid_at(a.index) : std::uint16_t{0},
          .has_cid = a.bytes == cqe_size,
          .bytes = a.bytes};
}

void host_session::take(const arrival& a) {
  if (closed()) return;
  if (a.bytes != cqe_size)
    return violate(bad_response(a.bytes, "a response capsule has 16 bytes", a.bytes, cqe_size));
  cqe_bytes cqe;
  std::ranges::copy(response_at(a.index), cqe.begin());
  repost(a.index);
  const auto cid = static_cast<std::uint16_t>(wire::get<wire::cqe_layout, "cid">(cqe));
  if (cid >= slots_.size() || !slots_[cid].outstanding || slots_[cid].waits)
    return violate(bad_response(12, "no command with this CID is outstanding", cid));
  respond(slots_[cid], cqe);
}

// A key that could not be taken back says nothing any more: its queue pair is gone. So the response
// that waited for it is as good as any that came before the end.
void host_session::take_held_back() {
  for (command_slot& slot : slots_)
    if (std::exchange(slot.taking_back, false) && slot.outstanding)
      take({.what = arrival::kind::capsule, .index = slot.receive, .bytes = cqe_size});
}

void host_session::repost(std::uint32_t index) {
  if (!running()) return;
  post_receive(index, {response_at(index).data(), cqe_size, received_->local_key()});
}

void host_session::respond(command_slot& slot, std::span<const std::byte, 16> cqe) {
  const bool well = is_success(cqe);
  if (well && slot.data_open && slot.way == direction::receive)
    slot.data.copy_in(0, slot.memory.first(slot.length));
  if (well && slot.data_open)
    emit(slot.way == direction::receive ? event_type::data_in : event_type::data_out, slot.index,
         {}, slot.length, 0, {}, {}, slot.memory.first(slot.length));
  settle(slot, well ? slot.length : 0, {});
  fire();
  // Not sooner: a CID must not be used again before its response has been handed on.
  slot.outstanding = false;
  if (in_flight_ > 0) --in_flight_;
  if (!slot.in_capsule || slot.posted == 0) give_block(slot.memory);
  recycle_if_done(slot);
  if (closed()) return;

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
  emit(event_type::response_in, slot.index, cqe);
  receive(&response);
}

void host_session::settle(command_slot& slot, std::size_t bytes, std::error_code error) {
  if (!std::exchange(slot.data_open, false)) return;
  complete(slot.index, std::exchange(slot.on_data, {}), bytes, error);
}

void host_session::end_all(std::error_code why, bool attached) {
  for (command_slot& slot : slots_) {
    settle(slot, 0, why);
    if (!attached || slot.transmitted || slot.way == direction::none) continue;
    slot.way = direction::none;
    complete(slot.index, std::exchange(slot.on_data, {}), 0, why);
  }
}

std::optional<protocol_error> host_session::blame(const completion& c) const {
  // rxe says that the receive was wrong, where it was the message that is too long.
  const bool longer = c.status == work_status::local_length || c.status == work_status::local_queue;
  if (c.kind != work_kind::receive || !longer) return std::nullopt;
  return bad_response(cqe_size, "a response capsule is longer than 16 bytes", 0, cqe_size);
}

void host_session::show_commands(qpair_inside& show) const {
  for (const command_slot& slot : slots_) {
    if (!slot.outstanding) continue;
    command_inside of{.cid = slot.index,
                      .opcode = std::to_integer<std::uint8_t>(slot.entry[0]),
                      .fctype = fabrics_type_of(slot.entry),
                      .way = slot.way,
                      .length = slot.length,
                      .moved = slot.data_open ? 0 : slot.length,
                      .awaits = "a response"};
    if (slot.waits)
      of.awaits = "to leave";
    else if (slot.taking_back)
      of.awaits = "its key to be taken back";
    else if (slot.data_open && slot.way == direction::receive)
      of.awaits = "data";
    if (slot.since != time_point{}) of.age = who().runs_on->now() - slot.since;
    show.commands.push_back(of);
  }
}

void host_session::show_out(qpair_inside& show) const {
  for (std::size_t i = 0; i < out_.size(); ++i)
    show.to_send.push_back(
        {.kind = outgoing_kind::command, .cid = out_[i], .size = 64 + payload(slots_[out_[i]])});
}

// --- Of a controller ----------------------------------------------------------------------------

nvme_status host_session::validate_command(const capsule_slot*) const {
  return wire::status_code::invalid_field;
}
std::span<const std::byte> host_session::in_capsule_data(const capsule_slot*) const { return {}; }
std::error_code host_session::receive_controller_data(capsule_slot*, std::uint32_t, const memdesc&,
                                                      std::uint32_t, data_callback) {
  return errc::wrong_role;
}
send_answer host_session::send_controller_data(capsule_slot*, std::uint32_t, buffer, bool) {
  return {send_result::failed, nvme_status{wire::status_code::invalid_field}};
}

}  // namespace nvmf::rdma
