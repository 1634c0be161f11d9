// SPDX-License-Identifier: BSD-2-Clause
// The thin dispatcher between users and providers: arguments are checked here once, so that every
// transport may rely on them.
#include <nvmf/qpair.hpp>
#include <nvmf/transport.hpp>

#include "command_data.hpp"
#include "wire/layouts/entries.hpp"

namespace nvmf {

using wire::cqe_layout;
using wire::sqe_layout;

capsule& capsule::operator=(capsule&& other) noexcept {
  if (this != &other) {
    reset();
    slot_ = std::exchange(other.slot_, nullptr);
  }
  return *this;
}

void capsule::reset() noexcept {
  if (capsule_slot* slot = std::exchange(slot_, nullptr)) slot->owner->let_go(slot);
}

bool capsule::is_command() const { return slot_->command; }

std::span<std::byte, 64> capsule::sqe() {
  assert(slot_->command);
  return slot_->entry;
}

std::span<const std::byte, 64> capsule::sqe() const {
  assert(slot_->command);
  return slot_->entry;
}

std::span<const std::byte, 16> capsule::cqe() const {
  assert(!slot_->command);
  return std::span<const std::byte, 64>{slot_->entry}.first<16>();
}

std::uint16_t capsule::cid() const {
  return static_cast<std::uint16_t>(slot_->command ? wire::get<sqe_layout, "cid">(slot_->entry)
                                                   : wire::get<cqe_layout, "cid">(slot_->entry));
}

bool capsule::sqhd_valid() const { return slot_->sqhd_valid; }

capsule transport_qpair::make_handle(capsule_slot* slot) {
  assert(!slot->handle_live && slot->owner == this);
  slot->handle_live = true;
  ++handles_;
  return capsule{slot};
}

void transport_qpair::let_go(capsule_slot* slot) noexcept {
  assert(slot->handle_live && handles_ > 0);
  slot->handle_live = false;
  --handles_;
  release(slot);
  // The last handle of a qpair that its owner has freed takes the memory along.
  if (handles_ == 0) auto gone = std::exchange(self_, nullptr);
}

qpair& qpair::operator=(qpair&& other) noexcept {
  if (this != &other) {
    close();
    impl_ = std::move(other.impl_);
  }
  return *this;
}

void qpair::start(qpair_callbacks callbacks) { impl_->start(std::move(callbacks)); }

std::error_code qpair::set_queue(std::uint16_t qid, std::uint32_t queue_size,
                                 bool sq_flow_control) {
  if (queue_size < 2 || queue_size > (qid == 0 ? 4096u : 65536u)) return errc::invalid_argument;
  impl_->set_queue(qid, queue_size, sq_flow_control);
  return {};
}

void qpair::set_max_in_capsule(std::uint32_t bytes) { impl_->set_max_in_capsule(bytes); }
std::uint32_t qpair::id() const { return impl_->who().id; }
role qpair::side() const { return impl_->who().side; }
const capabilities& qpair::caps() const { return impl_->who().caps; }
qpair_limits qpair::limits() const { return impl_->limits(); }
std::string qpair::peer() const { return impl_->who().peer; }
std::string qpair::local() const { return impl_->who().local; }
executor& qpair::runs_on() const { return *impl_->who().runs_on; }

std::expected<capsule, std::error_code> qpair::allocate_command(
    std::span<const std::byte, 64> sqe) {
  if (side() != role::host) return std::unexpected(make_error_code(errc::wrong_role));
  capsule_slot* slot = impl_->allocate(true);
  if (slot == nullptr) return std::unexpected(make_error_code(errc::queue_full));
  std::ranges::copy(sqe, slot->entry.begin());
  slot->command = true;
  wire::set<sqe_layout, "cid">(slot->entry, slot->index);
  wire::set<sqe_layout, "psdt">(slot->entry, 1);
  return impl_->make_handle(slot);
}

std::error_code qpair::append_data(capsule& command, const memdesc& mem, std::size_t length,
                                   direction way, data_callback done) {
  if (side() != role::host || !command.is_command()) return errc::wrong_role;
  capsule_slot* slot = command.slot();
  if (slot->way != direction::none || slot->transmitted) return errc::busy;
  if (length > mem.size() || length > 0xffff'ffffu) return errc::out_of_range;
  if (way == direction::receive && !mem.writable() && length > 0) return errc::invalid_argument;
  if (length == 0 || way == direction::none) return {};
  slot->data = mem.window(0, length);
  slot->length = static_cast<std::uint32_t>(length);
  slot->way = way;
  slot->on_data = std::move(done);
  return {};
}

std::error_code qpair::transmit(capsule& command) {
  if (side() != role::host || !command.is_command()) return errc::wrong_role;
  if (command.slot()->transmitted) return errc::busy;
  return impl_->transmit(command.slot());
}

void qpair::abort_data(capsule& command, std::error_code error) {
  capsule_slot* slot = command.slot();
  assert(!slot->transmitted);
  if (slot->way == direction::none) return;
  slot->way = direction::none;
  impl_->defer([done = std::move(slot->on_data), error]() mutable { done(0, error); });
}

std::error_code qpair::withdraw_data(capsule& command, std::error_code error) {
  if (side() != role::host || !command.is_command()) return errc::wrong_role;
  if (!command.slot()->transmitted) {
    abort_data(command, error);
    return {};
  }
  return impl_->withdraw_data(command.slot(), error);
}

std::expected<capsule, std::error_code> qpair::allocate_response(
    std::span<const std::byte, 16> cqe) {
  if (side() != role::controller) return std::unexpected(make_error_code(errc::wrong_role));
  capsule_slot* slot = impl_->allocate(false);
  if (slot == nullptr) return std::unexpected(make_error_code(errc::queue_full));
  std::ranges::copy(cqe, slot->entry.begin());
  slot->command = false;
  return impl_->make_handle(slot);
}

std::error_code qpair::transmit_response(capsule response) {
  if (side() != role::controller || response.is_command()) return errc::wrong_role;
  return impl_->transmit(response.slot());
}

nvme_status qpair::validate_command(const capsule& command) const {
  return impl_->validate_command(command.slot());
}

std::uint32_t qpair::data_length(const capsule& command) const { return sgl_length(command.sqe()); }

std::span<const std::byte> qpair::in_capsule_data(const capsule& command) const {
  return impl_->in_capsule_data(command.slot());
}

std::error_code qpair::receive_controller_data(const capsule& command, std::uint32_t offset,
                                               const memdesc& mem, std::uint32_t length,
                                               data_callback done) {
  if (side() != role::controller || !command.is_command()) return errc::wrong_role;
  const std::uint32_t total = data_length(command);
  if (offset > total || length > total - offset || length > mem.size()) return errc::out_of_range;
  if (length == 0 || !mem.writable()) return errc::invalid_argument;
  return impl_->receive_controller_data(command.slot(), offset, mem, length, std::move(done));
}

send_answer qpair::send_controller_data(const capsule& command, std::uint32_t offset, buffer data,
                                        bool last) {
  const std::uint32_t total = data_length(command);
  if (side() != role::controller || !command.is_command() || offset > total ||
      data.size() > total - offset || data.size() == 0)
    return {send_result::failed, nvme_status{wire::status_code::invalid_field}};
  return impl_->send_controller_data(command.slot(), offset, std::move(data), last);
}

std::error_code qpair::tamper(tamperer* by) { return impl_->tamper(by); }

std::error_code qpair::misbehave(misdeed what, std::uint16_t fes) {
  return impl_->misbehave(what, fes);
}

std::error_code qpair::pause() { return impl_->pause(); }
std::error_code qpair::resume() { return impl_->resume(); }
bool qpair::paused() const { return impl_->paused(); }
qpair_action qpair::next_action() const { return impl_->next_action(); }

std::error_code qpair::step(pause_callback done, action_kind which) {
  if (which != action_kind::nothing && which != action_kind::send && which != action_kind::receive)
    return errc::invalid_argument;
  return impl_->step(std::move(done), which);
}

std::error_code qpair::break_when(break_condition when, pause_callback told) {
  return impl_->break_when(std::move(when), std::move(told));
}

std::error_code qpair::send_raw(std::span<const std::byte> bytes) {
  if (bytes.empty()) return errc::invalid_argument;
  return impl_->send_raw(bytes);
}

std::error_code qpair::cut_writes(std::span<const std::size_t> sizes) {
  for (const std::size_t size : sizes)
    if (size == 0) return errc::invalid_argument;
  return impl_->cut_writes(sizes);
}

qpair_inside qpair::inside() const {
  const qpair_limits settled = limits();
  qpair_inside show{.id = id(),
                    .side = side(),
                    .queue_size = settled.queue_size,
                    .sq_flow_control = settled.sq_flow_control};
  show.paused = paused();
  show.capsules_held = impl_->capsules_held();
  show.next = next_action();
  impl_->show_inside(show);
  return show;
}

void qpair::close(bool clean) {
  const auto impl = std::exchange(impl_, nullptr);
  if (impl == nullptr) return;
  impl->close(clean);
  if (impl->handles_ > 0) impl->self_ = impl;
}

}  // namespace nvmf
