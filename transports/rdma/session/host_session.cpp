// SPDX-License-Identifier: BSD-2-Clause
// Slots, and commands on their way out. Responses are in host_receive.cpp.
#include "host_session.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "wire/layouts/entries.hpp"

namespace nvmf::rdma {
namespace {

constexpr std::uint32_t sqe_bytes_ = 64, cqe_bytes_ = 16;
// The length of a keyed SGL descriptor has 24 bits.
constexpr std::uint32_t keyed_max = 0xff'ffff;
// For one command: its key is bound, it is sent, its key is taken back.
constexpr std::uint32_t work_per_command = 3;

}  // namespace

host_session::host_session(session_setup setup)
    : session(std::move(setup), access::local_write | access::remote_read | access::remote_write) {}

std::string host_session::beyond(const device_limits& device, std::uint32_t entries) {
  const std::uint32_t most = std::min(device.max_work_requests, device.max_completions);
  if (entries > most)
    return fmt::format(
        "the device has queues of {} work requests and {} completions at most, too few for {} "
        "entries",
        device.max_work_requests, device.max_completions, entries);
  if (most < work_per_command)
    return fmt::format("a command takes up to {} work requests, and the device's queues hold {}",
                       work_per_command, most);
  if (device.max_pieces < send_queue::pieces_most)
    return fmt::format(
        "a command and its data are {} pieces of memory, and the device sends {} at a time",
        send_queue::pieces_most, device.max_pieces);
  return {};
}

queue_shape host_session::shape() const {
  const device_limits& device = const_cast<host_session*>(this)->wire().limits();
  const std::uint32_t most = std::min(device.max_work_requests, device.max_completions);
  return {.sends = std::min(setup().receives * work_per_command, most),
          .receives = setup().receives,
          .pieces = 2,
          .inlined = std::min(device.max_inline, sqe_bytes_)};
}

std::error_code host_session::make_places() {
  auto made = make_place(std::size_t{setup().receives} * cqe_bytes_, access::local_write);
  if (!made) return made.error();
  received_ = *made;
  for (std::uint32_t i = 0; i < setup().receives; ++i)
    if (!post_receive(
            i, {received_->bytes().data() + i * cqe_bytes_, cqe_bytes_, received_->local_key()}))
      return std::make_error_code(std::errc::not_enough_memory);
  return grow(queue_size_);
}

std::error_code host_session::grow(std::uint32_t slots) {
  const auto old = static_cast<std::uint32_t>(slots_.size());
  if (slots <= old) return {};
  const auto made = make_place(std::size_t{slots - old} * sqe_bytes_, access::local);
  if (!made) return made.error();
  const region& sqes = **made;
  for (std::uint32_t i = old; i < slots; ++i) {
    command_slot& slot = slots_.emplace_back();
    slot.owner = this;
    slot.index = static_cast<std::uint16_t>(i);
    slot.capsule = sqes.bytes().data() + std::size_t{i - old} * sqe_bytes_;
    slot.capsule_key = sqes.local_key();
    if (!wire().limits().windows) continue;
    const auto window = wire().make_window();
    if (!window) return window.error();
    slot.key = *window;
  }
  // The lowest is taken first.
  std::vector<std::uint16_t> fresh;
  for (std::uint32_t i = slots; i > old; --i) fresh.push_back(static_cast<std::uint16_t>(i - 1));
  free_.insert(free_.begin(), fresh.begin(), fresh.end());
  return {};
}

void host_session::set_queue(std::uint16_t qid, std::uint32_t queue_size, bool sq_flow_control) {
  qid_ = qid;
  queue_size_ = queue_size;
  flow_control_ = sq_flow_control;
  if (!open()) return;
  if (const auto error = grow(queue_size)) fail(error, "no registered memory for command slots");
}

void host_session::set_max_in_capsule(std::uint32_t bytes) { max_in_capsule_ = bytes; }

qpair_limits host_session::limits() const {
  return {.queue_size = queue_size_,
          .max_transfer = static_cast<std::uint32_t>(
              std::min<std::size_t>(keyed_max, setup().limits.pool_bytes)),
          .max_in_capsule = max_in_capsule_,
          .max_r2t = params().options.max_r2t,
          .sq_flow_control = flow_control_};
}

capsule_slot* host_session::allocate(bool) {
  if (free_.empty()) return nullptr;
  command_slot& slot = slots_[free_.back()];
  free_.pop_back();
  slot.transmitted = slot.outstanding = slot.data_open = slot.in_capsule = false;
  slot.way = direction::none;
  slot.length = 0;
  return &slot;
}

void host_session::recycle_if_done(command_slot& slot) {
  const bool held_back = !slot.outstanding && slot.posted != 0;
  if (std::exchange(slot.held_back, held_back) != held_back)
    held_back ? ++held_back_ : --held_back_;
  if (slot.outstanding || slot.handle_live || slot.posted != 0) return;
  give_block(slot.memory);
  slot.on_data = {};
  free_.push_back(slot.index);
}

void host_session::release(capsule_slot* base) noexcept {
  if (!base->command) return free_responses_.push_back(base->index);
  auto& slot = static_cast<command_slot&>(*base);
  if (!slot.transmitted && slot.way != direction::none)
    complete(slot.index, std::exchange(slot.on_data, {}), 0, errc::aborted);
  recycle_if_done(slot);
}

data_place host_session::place_of(const command_slot& slot) const {
  // A queue with keyed SGLs has them for commands without data too.
  if (slot.way == direction::send && slot.length <= max_in_capsule_) return data_place::in_capsule;
  return data_place::keyed;
}

std::error_code host_session::transmit(capsule_slot* base) {
  if (!open()) return lost();
  auto& slot = static_cast<command_slot&>(*base);
  if (slot.length > limits().max_transfer) return errc::limit_exceeded;
  slot.in_capsule = place_of(slot) == data_place::in_capsule;
  slot.transmitted = slot.outstanding = slot.waits = true;
  slot.data_open = slot.way != direction::none;
  slot.since = watched_now();
  emit(event_type::command_out, slot.index, slot.entry, slot.length, slot.in_capsule ? 1 : 0);
  out_.push_back(slot.index);
  pump();
  return {};
}

std::error_code host_session::withdraw_data(capsule_slot*, std::error_code) {
  return errc::not_supported;
}

// --- Leaving ------------------------------------------------------------------------------------

qpair_action host_session::next_out() const {
  if (out_.empty() || starved()) return {};
  // Never more commands than the controller has receives, nor more work than the queue has entries:
  // each command that is out may need one to take its key back.
  if (in_flight_ >= std::min(peer_receives_, setup().receives) ||
      !sent_.room(in_flight_ + work_per_command))
    return {};
  const command_slot& slot = slots_[out_.front()];
  return {.kind = action_kind::send,
          .unit = outgoing_kind::command,
          .cid = slot.index,
          .has_cid = true,
          .bytes = sqe_bytes_ + payload(slot)};
}

void host_session::leave_one() {
  command_slot& slot = slots_[out_.front()];
  // Without memory it waits, and those behind it too: capsules leave in their order.
  if (!fill(slot)) return;
  out_.pop_front();
  slot.waits = false;
  ++in_flight_;
  outgoing o{
      .kind = outgoing_kind::command, .qid = qid_, .cid = slot.index, .length = payload(slot)};
  o.header = {slot.capsule, sqe_bytes_};
  if (tamperer* by = tampers()) by->on_outgoing(o);
  const std::uint32_t length = std::min(o.length, payload(slot));
  if (o.cid != slot.index) wire::set<wire::sqe_layout, "cid">(o.header, o.cid);
  if (o.drop) {
    slot.bound = false;
  } else {
    if (slot.bound && !lend_key(slot)) return;
    const bool twice = o.twice && sent_.room(in_flight_ + work_per_command);
    if (!send(slot, length) || (twice && !send(slot, length))) return;
  }
  // Data in the capsule has been copied: it is the user's again.
  if (slot.in_capsule) settle(slot, slot.length, {});
}

// Registered bytes for the command and its data.
bool host_session::fill(command_slot& slot) {
  if (slot.way != direction::none && !slot.memory) {
    if (!take_block(slot.length, slot.memory)) return false;
    if (slot.way == direction::send) slot.data.copy_out(0, slot.memory.first(slot.length));
  }
  const data_place place = place_of(slot);
  if (place == data_place::in_capsule || slot.way == direction::none) {
    write_sgl(slot.entry, place, slot.length);
  } else {
    std::uint32_t key = slot.memory.remote_key;
    slot.bound = slot.key != 0;
    if (slot.bound) {
      // Each time another key: one that was lent before says nothing any more.
      key = slot.key = (slot.key & 0xffff'ff00u) | ((slot.key + 1) & 0xffu);
    }
    write_sgl(slot.entry, place, slot.length, reinterpret_cast<std::uintptr_t>(slot.memory.data),
              key);
    if (slot.bound)
      wire::set<wire::keyed_sgl_layout, "subtype">(
          wire::bytes_of<wire::sqe_layout, "sgl1">(wire::mutable_byte_span{slot.entry}),
          static_cast<std::uint64_t>(wire::sgl_subtype::invalidate_key));
  }
  std::ranges::copy(slot.entry, slot.capsule);
  return true;
}

bool host_session::lend_key(command_slot& slot) {
  const piece whole{slot.memory.data, slot.length, slot.memory.local_key};
  const access rights = slot.way == direction::send ? access::remote_read : access::remote_write;
  if (!post({.kind = work_kind::bind,
             .pieces = std::span{&whole, 1},
             .signalled = false,
             .remote_key = slot.key,
             .rights = rights},
            {.index = slot.index, .bytes = whole.length, .cid = slot.index}))
    return false;
  ++slot.posted;
  return true;
}

bool host_session::send(command_slot& slot, std::uint32_t length) {
  const piece pieces[] = {{slot.capsule, sqe_bytes_, slot.capsule_key},
                          {slot.memory.data, length, slot.memory.local_key}};
  const std::size_t count = slot.in_capsule && length != 0 ? 2 : 1;
  const std::uint32_t bytes = sqe_bytes_ + (count == 2 ? length : 0);
  if (!post({.kind = work_kind::send,
             .pieces = std::span{pieces, count},
             .signalled = false,
             .inlined = count == 1 && sqe_bytes_ <= max_inline()},
            {.index = slot.index, .bytes = bytes, .cid = slot.index}))
    return false;
  ++slot.posted;
  return true;
}

void host_session::on_done(const posted_work& work, bool ok) {
  command_slot& slot = slots_[work.index];
  --slot.posted;
  if (work.kind == work_kind::invalidate && ok) {
    slot.taking_back = slot.bound = false;
    push({.what = arrival::kind::capsule, .index = slot.receive, .bytes = cqe_bytes_});
  }
  recycle_if_done(slot);
}

// What has not left needs memory that is not ours any more.
void host_session::keep_sendable(bool) {
  while (!out_.empty()) {
    slots_[out_.front()].waits = false;
    out_.pop_front();
  }
}

}  // namespace nvmf::rdma
