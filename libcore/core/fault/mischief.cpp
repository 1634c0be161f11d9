// SPDX-License-Identifier: BSD-2-Clause
#include "mischief.hpp"

#include "wire/layouts/pdu.hpp"

namespace nvmf {

using engine::fault_action;
using engine::fault_digest;

mischief::mischief(const engine::fault_decision& of, role side, std::uint16_t cid,
                   std::uint32_t bytes)
    : side_(side),
      cid_(cid),
      bytes_(bytes),
      drop_(of.find(fault_action::drop) != nullptr),
      duplicate_(of.find(fault_action::duplicate) != nullptr),
      early_success_(of.find(fault_action::early_success) != nullptr),
      wrong_cid_(of.find(fault_action::wrong_cid)),
      wrong_length_(of.find(fault_action::wrong_length)),
      short_data_(of.find(fault_action::short_data)),
      flip_(of.find(fault_action::flip_digest)) {}

bool mischief::empty() const {
  return !drop_ && !duplicate_ && !early_success_ && wrong_cid_ == nullptr &&
         wrong_length_ == nullptr && short_data_ == nullptr && flip_ == nullptr;
}

bool mischief::answers(const outgoing& o) const {
  return o.kind == outgoing_kind::response ||
         (o.kind == outgoing_kind::controller_data && o.success);
}

bool mischief::apply(outgoing& o) {
  const bool capsule = side_ == role::host ? o.kind == outgoing_kind::command : answers(o);
  if (early_success_ && o.kind == outgoing_kind::controller_data) {
    early_success_ = false;
    // Where there is one PDU only, half of it is what went before.
    if (o.last) o.length /= 2;
    o.last = o.success = true;
  }
  if (short_data_ != nullptr) cut(o);
  if (wrong_length_ != nullptr && o.header.size() >= wire::pdu_common.size) {
    const auto plen = static_cast<std::uint32_t>(wire::get<wire::pdu_common, "plen">(o.header));
    o.length_off = static_cast<std::int32_t>(wrong_length_->wrong_length(plen) - plen);
    wrong_length_ = nullptr;
  }
  if (flip_ != nullptr) flip(o);
  if (!capsule) return false;
  if (wrong_cid_ != nullptr) o.cid = wrong_cid_->wrong_cid(o.cid);
  if (duplicate_) (o.kind == outgoing_kind::controller_data ? o.respond : o.twice) = true;
  if (drop_) apply_drop(o);
  return side_ == role::controller;
}

void mischief::apply_drop(outgoing& o) const {
  // Data that stands for the response goes, the response does not.
  if (o.kind == outgoing_kind::controller_data)
    o.success = o.respond = false;
  else
    o.drop = true;
}

// Data ends where the plan says; that it was the last is said there.
void mischief::cut(outgoing& o) const {
  const bool data = o.kind == outgoing_kind::controller_data || o.kind == outgoing_kind::host_data;
  const bool in_capsule = o.kind == outgoing_kind::command && o.length > 0;
  if (!data && !in_capsule) return;
  const std::uint32_t due = short_data_->short_data(bytes_);
  if (o.offset + o.length < due) return;
  o.last = data;
  if (o.offset < due) {
    o.length = due - o.offset;
    return;
  }
  if (in_capsule) {
    o.length = 0;
    return;
  }
  o.drop = true;
  o.respond = o.success;
}

void mischief::flip(outgoing& o) {
  const bool header = flip_->digest == fault_digest::header ||
                      (flip_->digest == fault_digest::either && bytes_ == 0);
  if (header)
    o.header_digest = digest_choice::wrong;
  else if (o.length > 0)
    o.data_digest = digest_choice::wrong;
  else
    return;
  flip_ = nullptr;
}

}  // namespace nvmf
