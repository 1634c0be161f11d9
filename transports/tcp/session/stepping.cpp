// SPDX-License-Identifier: BSD-2-Clause
// A connection that is paused, moves step by step, or writes what it is told to (nvmf/step.hpp).
#include "core/stepping.hpp"

#include <algorithm>
#include <array>

#include "session.hpp"
#include "tampering.hpp"
#include "wire/layouts/entries.hpp"
#include "wire/layouts/pdu.hpp"

namespace nvmf::tcp {
namespace {

using wire::pdu_type;

std::optional<outgoing_kind> unit_of(std::byte type) {
  switch (static_cast<pdu_type>(type)) {
    case pdu_type::capsule_cmd:
      return outgoing_kind::command;
    case pdu_type::capsule_resp:
      return outgoing_kind::response;
    case pdu_type::h2c_data:
      return outgoing_kind::host_data;
    case pdu_type::c2h_data:
      return outgoing_kind::controller_data;
    case pdu_type::r2t:
      return outgoing_kind::request;
    case pdu_type::h2c_termreq:
    case pdu_type::c2h_termreq:
      return outgoing_kind::termination;
    default:
      return std::nullopt;
  }
}

// Where the header has the CID.
std::optional<std::uint32_t> cid_place(outgoing_kind unit) {
  switch (unit) {
    case outgoing_kind::command:
      return wire::offset_of<wire::pdu_capsule_cmd, "ccsqe">() +
             wire::offset_of<wire::sqe_layout, "cid">();
    case outgoing_kind::response:
      return wire::offset_of<wire::pdu_capsule_resp, "rccqe">() +
             wire::offset_of<wire::cqe_layout, "cid">();
    case outgoing_kind::termination:
      return std::nullopt;
    default:
      return wire::offset_of<wire::pdu_r2t, "cccid">();
  }
}

std::optional<outgoing_kind> unit_of(const tx_pdu& pdu) {
  if (pdu.kind == tx_kind::raw) return std::nullopt;
  return kind_of(pdu);
}

qpair_action sending(const tx_pdu& pdu, std::size_t bytes) {
  qpair_action a{.kind = action_kind::send, .unit = unit_of(pdu), .bytes = bytes};
  a.has_cid = a.unit && *a.unit != outgoing_kind::termination;
  if (a.has_cid) a.cid = pdu.cid;
  return a;
}

}  // namespace

session::hold_up& session::held_up() {
  if (held_up_ == nullptr) held_up_ = std::make_unique<hold_up>(*this);
  return *held_up_;
}

// --- What the user asks -------------------------------------------------------------------------

std::error_code session::pause() {
  held_up().steps.pause();
  return {};
}

std::error_code session::resume() {
  if (!paused()) return {};
  held_up_->steps.resume();
  // What has been held back; not within this call.
  if (!turn_.empty() && !turn_.in_turn()) {
    who_.runs_on->post([self = shared_from_this()] {
      self->enter_turn();
      self->leave_turn();
    });
  }
  return {};
}

std::error_code session::step(pause_callback done, action_kind which) {
  if (!paused()) return errc::invalid_argument;
  const bool owed = !turn_.empty();
  if (owed && which != action_kind::nothing) return errc::busy;
  action_kind only = which != action_kind::nothing ? which : next_action().kind;
  if (only == action_kind::end) only = action_kind::receive;
  if (const auto error = held_up_->steps.grant(only, std::move(done))) return error;
  if (only == action_kind::call_back) run_owed();
  return {};
}

std::error_code session::break_when(break_condition when, pause_callback told) {
  held_up().steps.break_when(std::move(when), std::move(told));
  return {};
}

std::error_code session::send_raw(std::span<const std::byte> bytes) {
  if (over()) return gone();
  tx_pdu* pdu = tx_.make();
  pdu->kind = tx_kind::raw;
  pdu->owned = buffer::copy_of(bytes);
  const auto kept = pdu->owned.bytes();
  pdu->data = memdesc::of(kept);
  const segment shown{const_cast<std::byte*>(kept.data()), kept.size()};
  events_.raw_out({&shown, 1}, kept.size());
  tx_.push(pdu);
  wake();
  return {};
}

std::error_code session::cut_writes(std::span<const std::size_t> sizes) {
  held_up().cuts.assign(sizes.begin(), sizes.end());
  return {};
}

// --- What that changes --------------------------------------------------------------------------

void session::admit() {
  deaf_ = reading_stopped_;
  mute_ = false;
  if (held_up_ == nullptr) return;
  deaf_ = deaf_ || !held_up_->steps.may(action_kind::receive);
  mute_ = held_up_->cannot_send || !held_up_->steps.may(action_kind::send);
}

void session::on_stepping() {
  stepping& steps = held_up_->steps;
  admit();
  turn_.hold(steps.holds_callbacks());
  events_.redirect(steps.armed() ? &steps : params_.watched_by);
  if (steps.has_reports())
    who_.runs_on->post([self = shared_from_this()] { self->held_up_->steps.tell(); });
  if (!deaf_ || !mute_) wake();
}

void session::emit_paused(std::string_view why, const qpair_action& done, event_type hit) {
  events_.text(event_type::paused, why, static_cast<std::uint64_t>(done.kind),
               static_cast<std::uint64_t>(hit));
}

void session::after_turn() {
  if (!turn_.in_turn()) held_up_->steps.settle();
}

void session::run_owed() {
  who_.runs_on->post([self = shared_from_this()] {
    stepping& steps = self->held_up_->steps;
    if (!steps.waits_for(action_kind::call_back) || self->turn_.empty()) return;
    steps.begin(action_kind::call_back);
    steps.finished({.kind = action_kind::call_back});
    self->turn_.run_one();
    steps.settle();
  });
}

void session::cannot_send() {
  if (held_up_ == nullptr || held_up_->cannot_send) return;
  held_up_->cannot_send = true;
  admit();
  // A step that waits for room to write would wait for ever.
  if (!held_up_->steps.waits_for(action_kind::send)) return;
  held_up_->steps.begin(action_kind::receive);
  held_up_->steps.leave();
}

// --- Bytes, one PDU at a time -------------------------------------------------------------------

std::size_t session::begin_receiving() {
  held_up_->steps.begin(action_kind::receive);
  return rx_.taken();
}

void session::end_receiving(std::size_t size) {
  stepping& steps = held_up_->steps;
  if (!rx_.at_boundary() && !rx_.ended()) return steps.leave();
  const auto seen = steps.take_seen();
  qpair_action done{.kind = action_kind::receive, .bytes = size};
  if (seen.any) {
    done.unit = unit_of(seen.type);
    done.cid = seen.cid;
    done.has_cid = seen.has_cid;
  }
  steps.finished(done);
}

std::size_t session::room_to_send(std::size_t most) {
  if (mute_) return 0;
  if (!held_up_->cuts.empty()) most = std::min(most, held_up_->cuts.front());
  const tx_pdu* pdu = tx_.front();
  if (pdu != nullptr && one_by_one()) most = std::min(most, pdu->size() - pdu->sent);
  return most;
}

void session::sent_held_up(std::size_t n) {
  auto& cuts = held_up_->cuts;
  for (std::size_t left = n; left > 0 && !cuts.empty();) {
    const std::size_t part = std::min(left, cuts.front());
    left -= part;
    cuts.front() -= part;
    if (cuts.front() == 0) cuts.pop_front();
  }
  if (!one_by_one()) return sent_now(n);
  stepping& steps = held_up_->steps;
  const tx_pdu& pdu = *tx_.front();
  const bool whole = pdu.sent + n == pdu.size();
  const qpair_action done = sending(pdu, pdu.size());
  steps.begin(action_kind::send);
  sent_now(n);
  if (whole)
    steps.finished(done);
  else
    steps.leave();
}

// --- What it shows ------------------------------------------------------------------------------

qpair_action session::next_action() const {
  if (!turn_.empty()) return {.kind = action_kind::call_back};
  if (!started_) return {};
  if (const qpair_action a = next_to_send(); a.kind != action_kind::nothing) return a;
  return next_to_receive();
}

qpair_action session::next_to_send() const {
  if (held_up_ != nullptr && held_up_->cannot_send) return {};
  if (!tx_.begun() && tx_.urgent_bytes() == 0 && more_output()) return next_made();
  const tx_pdu* pdu = tx_.front();
  return pdu == nullptr ? qpair_action{} : sending(*pdu, pdu->size() - pdu->sent);
}

qpair_action session::next_to_receive() const {
  if (rx_.ended() || link_ == nullptr) return {};
  std::array<std::byte, 2 * max_header> seen{};
  const auto known = rx_.partial();
  const bool half = !rx_.at_boundary();
  const std::size_t have = half ? known.size() : 0;
  std::ranges::copy(known.first(have), seen.begin());
  const auto got = link_->peek(std::span{seen}.subspan(have));
  if (got.bytes == 0 && got.ended) return {.kind = action_kind::end};
  if (got.bytes == 0 && !half) return {};
  qpair_action a{.kind = action_kind::receive};
  a.bytes = (half ? rx_.taken() : 0) + got.bytes;
  const auto header = std::span<const std::byte>{seen}.first(have + got.bytes);
  a.unit = unit_of(header[0]);
  const auto place = a.unit ? cid_place(*a.unit) : std::nullopt;
  if (!place || header.size() < *place + 2) return a;
  a.cid = static_cast<std::uint16_t>(wire::load_le(header, *place, 2));
  a.has_cid = true;
  return a;
}

void session::show_inside(qpair_inside& show) const {
  show.qid = qid_;
  show.started = started_;
  show.over = over();
  show.break_point = held_up_ != nullptr && held_up_->steps.breaks();
  show.reading = !reading_stopped_;
  tx_.for_each([&](const tx_pdu& pdu) {
    show.to_send.push_back(
        {.kind = unit_of(pdu), .cid = pdu.cid, .size = pdu.size(), .sent = pdu.sent});
  });
  show.bytes_to_send = tx_.bytes();
  show.bytes_of_pdu = rx_.at_boundary() ? 0 : rx_.taken();
  show.callbacks_owed = turn_.size();
  show_commands(show);
  std::ranges::sort(show.commands, {}, &command_inside::cid);
}

}  // namespace nvmf::tcp
