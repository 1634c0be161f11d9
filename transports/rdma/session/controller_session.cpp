// SPDX-License-Identifier: BSD-2-Clause
// Commands as they come, and RDMA READs of their data. What leaves is in controller_send.cpp.
#include "controller_session.hpp"

#include <algorithm>

#include "wire/layouts/entries.hpp"

namespace nvmf::rdma {
namespace {

// Capsules are registered so many at a time when a program holds many.
constexpr std::uint32_t slots_at_a_time = 16;
// Writes that may be posted beside responses and reads.
constexpr std::uint32_t writes_out = 32;

protocol_error bad_command(std::uint32_t offset, std::string_view reason, std::uint64_t value,
                           std::uint64_t limit = 0) {
  return {.structure = "capsule-cmd",
          .offset = offset,
          .reason = reason,
          .value = value,
          .limit = limit};
}

wire::byte_span sgl_of(std::span<const std::byte, 64> sqe) {
  return wire::bytes_of<wire::sqe_layout, "sgl1">(wire::byte_span{sqe});
}

bool is_keyed(std::span<const std::byte, 64> sqe) {
  return wire::get<wire::keyed_sgl_layout, "type">(sgl_of(sqe)) ==
         static_cast<std::uint64_t>(wire::sgl_type::keyed_data_block);
}

}  // namespace

controller_session::controller_session(session_setup setup)
    : session(std::move(setup), access::local_write | access::read_sink),
      in_capsule_max_(params().options.max_in_capsule),
      max_in_capsule_(in_capsule_max_) {
  queue_size_ = this->setup().receives;
}

queue_shape controller_session::shape() const {
  const device_limits& device = const_cast<controller_session*>(this)->wire().limits();
  const std::uint32_t wanted = setup().receives + setup().reads_out + writes_out;
  return {.sends = std::min({wanted, device.max_work_requests, device.max_completions}),
          .receives = setup().receives,
          .pieces = 1,
          .inlined = std::min(device.max_inline, cqe_size)};
}

std::error_code controller_session::make_places() {
  const std::uint32_t responses = std::min(peer_receives_, setup().receives);
  const auto made = make_place(std::size_t{responses} * cqe_size, access::local);
  if (!made) return made.error();
  cqes_ = *made;
  for (std::uint32_t i = responses; i > 0; --i) free_cqes_.push_back(i - 1);
  if (const auto error = add_slots(setup().receives)) return error;
  for (std::uint32_t i = 0; i < setup().receives; ++i)
    if (!post_one_receive()) return std::make_error_code(std::errc::not_enough_memory);
  return {};
}

std::error_code controller_session::add_slots(std::uint32_t count) {
  const auto made = make_place(std::size_t{count} * capsule_bytes(), access::local_write);
  if (!made) return made.error();
  const region& place = **made;
  for (std::uint32_t i = 0; i < count; ++i) {
    free_.push_back(static_cast<std::uint32_t>(slots_.size()));
    command_slot& slot = slots_.emplace_back();
    slot.owner = this;
    slot.number = free_.back();
    slot.memory = place.bytes().data() + std::size_t{i} * capsule_bytes();
    slot.key = place.local_key();
  }
  return {};
}

// A capsule that the program holds on to keeps its receive; another takes its place.
bool controller_session::post_one_receive() {
  if (free_.empty()) {
    if (const auto error = add_slots(slots_at_a_time)) {
      fail(error, "no registered memory for command capsules");
      return false;
    }
  }
  const std::uint32_t number = free_.back();
  free_.pop_back();
  const command_slot& slot = slots_[number];
  if (post_receive(number, {slot.memory, capsule_bytes(), slot.key})) return true;
  free_.push_back(number);
  return false;
}

void controller_session::drop_receive(std::uint32_t index) { free_.push_back(index); }

void controller_session::set_queue(std::uint16_t qid, std::uint32_t queue_size,
                                   bool sq_flow_control) {
  qid_ = qid;
  queue_size_ = queue_size;
  flow_control_ = sq_flow_control;
  head_.settle(queue_size, sq_flow_control);
}

void controller_session::set_max_in_capsule(std::uint32_t bytes) {
  max_in_capsule_ = std::min(bytes, in_capsule_max_);
}

qpair_limits controller_session::limits() const {
  return {.queue_size = queue_size_,
          .max_in_capsule = max_in_capsule_,
          .max_r2t = params().options.max_r2t,
          .sq_flow_control = flow_control_};
}

std::uint16_t controller_session::cid_of(const capsule_slot& slot) {
  return static_cast<std::uint16_t>(slot.command ? wire::get<wire::sqe_layout, "cid">(slot.entry)
                                                 : wire::get<wire::cqe_layout, "cid">(slot.entry));
}

capsule_slot* controller_session::allocate(bool) {
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

void controller_session::release(capsule_slot* base) noexcept {
  if (!base->command) return free_responses_.push_back(base->index);
  auto& slot = static_cast<command_slot&>(*base);
  if (slot.fetches == 0) recycle(slot);
}

void controller_session::recycle(command_slot& slot) {
  slot.taken = false;
  free_.push_back(slot.number);
}

std::error_code controller_session::withdraw_data(capsule_slot*, std::error_code) {
  return errc::wrong_role;
}

// --- Commands -----------------------------------------------------------------------------------

qpair_action controller_session::describe(const arrival& a) const {
  if (a.what == arrival::kind::read)
    return {.kind = action_kind::receive,
            .unit = outgoing_kind::host_data,
            .cid = cid_of(*fetches_[a.index].slot),
            .has_cid = true,
            .bytes = a.bytes};
  const command_slot& slot = slots_[a.index];
  const bool whole = a.bytes >= sqe_size;
  return {.kind = action_kind::receive,
          .unit = outgoing_kind::command,
          .cid = static_cast<std::uint16_t>(
              whole ? wire::get<wire::sqe_layout, "cid">(std::span{slot.memory, sqe_size}) : 0),
          .has_cid = whole,
          .bytes = a.bytes};
}

void controller_session::take(const arrival& a) {
  if (a.what == arrival::kind::read) return take_read(a);
  if (closed()) return drop_receive(a.index);
  take_command(a);
}

void controller_session::take_command(const arrival& a) {
  command_slot& slot = slots_[a.index];
  if (a.bytes < sqe_size) {
    drop_receive(a.index);
    return violate(
        bad_command(a.bytes, "a command capsule has 64 bytes at least", a.bytes, sqe_size));
  }
  if (all_outstanding_ >= queue_size_) {
    drop_receive(a.index);
    return violate(bad_command(0, "more commands than the queue has entries", all_outstanding_ + 1,
                               queue_size_));
  }
  std::copy_n(slot.memory, sqe_size, slot.entry.begin());
  slot.carried = a.bytes - sqe_size;
  slot.taken = true;
  slot.data_done = false;
  slot.sent = 0;
  slot.fetches = 0;
  const std::uint16_t cid = cid_of(slot);
  if (cid >= outstanding_.size()) outstanding_.resize(std::size_t{cid} + 1);
  outstanding& of = outstanding_[cid];
  slot.conflict = of.count++ != 0;
  ++all_outstanding_;
  if (!slot.conflict) {
    of.take_back =
        is_keyed(slot.entry) && wire::get<wire::keyed_sgl_layout, "subtype">(sgl_of(slot.entry)) ==
                                    static_cast<std::uint64_t>(wire::sgl_subtype::invalidate_key);
    of.key =
        static_cast<std::uint32_t>(wire::get<wire::keyed_sgl_layout, "key">(sgl_of(slot.entry)));
  }
  slot.since = watched_now();
  emit(event_type::command_in, cid, slot.entry, slot.carried, 0, {}, {}, in_capsule_data(&slot));
  receive(&slot);
}

nvme_status controller_session::validate_command(const capsule_slot* base) const {
  const auto& slot = static_cast<const command_slot&>(*base);
  if (slot.conflict) return wire::status_code::command_id_conflict;
  return check_sgl(slot.entry, slot.carried, {.keyed = true, .max_in_capsule = max_in_capsule_});
}

std::span<const std::byte> controller_session::in_capsule_data(const capsule_slot* base) const {
  const auto& slot = static_cast<const command_slot&>(*base);
  return {slot.memory + sqe_size, slot.carried};
}

// --- Data of the host ---------------------------------------------------------------------------

std::error_code controller_session::receive_controller_data(capsule_slot* base,
                                                            std::uint32_t offset,
                                                            const memdesc& mem,
                                                            std::uint32_t length,
                                                            data_callback done) {
  if (!open()) return lost();
  auto& slot = static_cast<command_slot&>(*base);
  if (sgl_in_capsule(slot.entry)) {
    if (offset > slot.carried || length > slot.carried - offset) return errc::out_of_range;
    mem.copy_in(0, in_capsule_data(&slot).subspan(offset, length));
    complete(cid_of(slot), std::move(done), length, {});
    return {};
  }
  if (!is_keyed(slot.entry)) return errc::invalid_argument;
  const std::uint32_t tag = take_tag();
  fetch& f = fetches_[tag];
  f.slot = &slot;
  f.mem = mem.window(0, length);
  f.offset = offset;
  f.length = length;
  f.asked = f.landed = f.got = 0;
  f.used = true;
  f.given_up = false;
  f.done = std::move(done);
  ++slot.fetches;
  outstanding_[cid_of(slot)].fetches.push_back(tag, of_command());
  reads_.push_back(tag, to_ask());
  pump();
  return {};
}

std::uint32_t controller_session::take_tag() {
  if (free_tags_.empty()) {
    free_tags_.push_back(static_cast<std::uint32_t>(fetches_.size()));
    fetches_.emplace_back();
  }
  const std::uint32_t tag = free_tags_.back();
  free_tags_.pop_back();
  return tag;
}

void controller_session::take_read(const arrival& a) {
  fetch& f = fetches_[a.index];
  block memory = a.memory;
  if (!f.used) return give_block(memory);
  if (!f.given_up && !closed()) {
    f.mem.copy_in(f.got, memory.first(a.bytes));
    f.got += a.bytes;
  }
  give_block(memory);
  f.landed += a.bytes;
  if (f.landed < f.asked || (!f.given_up && f.got < f.length)) return;
  if (!f.given_up) complete(cid_of(*f.slot), std::move(f.done), f.got, {});
  end_fetch(a.index);
}

void controller_session::end_fetch(std::uint32_t tag) {
  fetch& f = fetches_[tag];
  command_slot& slot = *f.slot;
  f.used = false;
  outstanding_[cid_of(slot)].fetches.remove(tag, of_command());
  free_tags_.push_back(tag);
  if (--slot.fetches == 0 && !slot.handle_live) recycle(slot);
}

void controller_session::give_up(std::uint32_t tag, std::error_code why) {
  fetch& f = fetches_[tag];
  if (std::exchange(f.given_up, true)) return;
  complete(cid_of(*f.slot), std::exchange(f.done, {}), f.got, why);
}

// The command has been answered: what has not been asked for never will be, and what has been comes
// for nothing.
void controller_session::abandon_fetches(std::uint16_t cid) {
  // Those that have READs under way stay until these are done.
  const index_chain& own = outstanding_[cid].fetches;
  for (std::uint32_t tag = own.first(), next = no_index; tag != no_index; tag = next) {
    const fetch& f = fetches_[tag];
    next = f.of_command.after;
    give_up(tag, errc::aborted);
    reads_.remove(tag, to_ask());
    if (f.landed == f.asked) end_fetch(tag);
  }
}

void controller_session::end_all(std::error_code why, bool) {
  ask_no_more();
  for (std::uint32_t tag = 0; tag < fetches_.size(); ++tag) {
    if (!fetches_[tag].used) continue;
    give_up(tag, why);
    end_fetch(tag);
  }
}

std::optional<protocol_error> controller_session::blame(const completion& c) const {
  // rxe says that the receive was wrong, where it was the message that is too long.
  const bool longer = c.status == work_status::local_length || c.status == work_status::local_queue;
  if (c.kind == work_kind::receive && longer)
    return bad_command(capsule_bytes(), "a command capsule is longer than CRQSIZE's receives", 0,
                       capsule_bytes());
  if (c.status != work_status::remote_access || c.kind == work_kind::send) return std::nullopt;
  return protocol_error{
      .structure = "keyed-sgl",
      .offset = wire::offset_of<wire::keyed_sgl_layout, "key">(),
      .reason = c.kind == work_kind::send_invalidate
                    ? "the host's device refuses to take back the key"
                    : "the host's device refuses the address, the length or the key"};
}

void controller_session::show_commands(qpair_inside& show) const {
  for (const command_slot& slot : slots_) {
    if (!slot.taken) continue;
    const std::uint16_t cid = cid_of(slot);
    command_inside of{.cid = cid,
                      .opcode = std::to_integer<std::uint8_t>(slot.entry[0]),
                      .fctype = fabrics_type_of(slot.entry),
                      .way = way_of(slot.entry),
                      .length = sgl_length(slot.entry),
                      .moved = slot.sent + slot.carried,
                      .awaits = "an answer of the program"};
    if (outstanding_[cid].count == 0) of.awaits = "to be let go of";
    if (slot.fetches != 0) of.awaits = "data of the host";
    if (slot.since != time_point{}) of.age = who().runs_on->now() - slot.since;
    show.commands.push_back(of);
  }
  for (std::uint32_t tag = 0; tag < fetches_.size(); ++tag) {
    const fetch& f = fetches_[tag];
    if (!f.used || f.asked == 0) continue;
    show.r2ts.push_back({.cid = cid_of(*f.slot),
                         .ttag = static_cast<std::uint16_t>(tag),
                         .offset = f.offset,
                         .length = f.length,
                         .moved = f.got});
  }
}

}  // namespace nvmf::rdma
