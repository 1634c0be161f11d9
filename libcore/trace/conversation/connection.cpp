// SPDX-License-Identifier: BSD-2-Clause
#include "connection.hpp"

#include <algorithm>
#include <cstring>

#include "wire/commands.hpp"
#include "wire/layouts/commands_admin.hpp"
#include "wire/layouts/entries.hpp"
#include "wire/layouts/fabrics.hpp"
#include "wire/layouts/identify_controller.hpp"
#include "wire/nqn.hpp"
#include "wire/tables.hpp"

namespace nvmf::trace {

namespace {

using wire::get;

constexpr std::size_t cid_at = wire::offset_of<wire::sqe_layout, "cid">();
// As much of Identify Controller as has the limits that are shown.
constexpr std::size_t identify_bytes = 1802;
constexpr std::uint64_t cns_controller = 0x01;

bool is_connect(const command& c) {
  return c.opcode() == wire::fabrics_opcode &&
         c.fctype() == static_cast<std::uint8_t>(wire::fabrics_type::connect);
}
bool is_identify_controller(const command& c) {
  return c.admin && c.opcode() == static_cast<std::uint8_t>(wire::admin_opcode::identify) &&
         get<wire::identify_command, "cns">(c.sqe) == cns_controller;
}

// An opcode that only the admin queue has.
bool gives_away_admin(const command& c) {
  if (c.opcode() == wire::fabrics_opcode) return false;
  return wire::admin_opcodes.find(c.opcode()) != nullptr &&
         wire::nvm_opcodes.find(c.opcode()) == nullptr;
}

std::string name_in(byte_span field) {
  const auto name = wire::nqn_in_field(field, "NQN");
  return name ? std::string(*name) : std::string();
}

}  // namespace

std::string_view name_of(fabric f) {
  constexpr std::string_view names[] = {"tcp", "rdma", "loop"};
  return names[static_cast<std::size_t>(f)];
}

std::string_view carried_text(fabric f) {
  constexpr std::string_view texts[] = {"", " by RDMA", " by loop"};
  return texts[static_cast<std::size_t>(f)];
}

connection::connection(fabric by, std::uint32_t number, const endpoint& host,
                       const endpoint& controller, const stamp& begun, command_budget& budget,
                       listener& to)
    : to_(to),
      fabric_(by),
      number_(number),
      host_(host),
      controller_(controller),
      begun_(begun),
      budget_(budget) {}

void connection::tell(notice_kind kind, way w, const stamp& at, std::uint64_t a, const pdu* about) {
  ++counts_.notices;
  to_.on_notice(*this, {kind, w, at, a, about});
}

std::size_t connection::wanted_of_command(byte_span sqe) const {
  return std::to_integer<std::uint8_t>(sqe[0]) == wire::fabrics_opcode ? wire::connect_data.size
                                                                       : 0;
}

std::size_t connection::wanted_of_data(const command& c) const {
  return is_identify_controller(c) ? identify_bytes : 0;
}

void connection::begin_command(byte_span sqe, const pdu& p) {
  const auto cid = static_cast<std::uint16_t>(wire::load_le(sqe, cid_at, 2));
  ++counts_.commands;
  if (command* old = find(cid)) {
    tell(notice_kind::cid_in_use, p.going, p.ended, cid, &p);
    finish(*old, {.how = fate::replaced, .at = p.ended}, &p);
  }
  if (budget_.left == 0) {
    tell(notice_kind::not_tracked, p.going, p.ended, 0, &p);
    return to_.on_pdu(*this, p, nullptr);
  }
  --budget_.left;
  command& c = commands_.add(cid);
  c.number = counts_.commands;
  sqe = sqe.first(std::min(c.sqe.size(), sqe.size()));
  c.whole = sqe.size() == c.sqe.size();
  if (c.whole)
    std::memcpy(c.sqe.data(), sqe.data(), c.sqe.size());
  else
    std::ranges::copy(sqe, c.sqe.begin());
  c.in_capsule = p.data_bytes;
  c.sent = p.ended;
  if (p.data_bytes > 0) c.first_data = c.last_data = p.ended;
  if (!agreed_.connect && !guessed_admin_) guessed_admin_ = gives_away_admin(c);
  if (c.whole && is_connect(c)) take_connect(c, p);
  c.admin = admin();
  if (p.header_digest == digest_state::bad || p.data_digest == digest_state::bad) ++c.bad_digests;
  to_.on_command(*this, c, p);
  to_.on_pdu(*this, p, &c);
}

void connection::take_connect(const command& c, const pdu& p) {
  agreed_.connect = true;
  agreed_.qid = static_cast<std::uint16_t>(get<wire::connect_command, "qid">(c.sqe));
  agreed_.sqsize = static_cast<std::uint16_t>(get<wire::connect_command, "sqsize">(c.sqe));
  agreed_.kato_ms = static_cast<std::uint32_t>(get<wire::connect_command, "kato">(c.sqe));
  const auto cattr = get<wire::connect_command, "cattr">(c.sqe);
  const std::array attributes{static_cast<std::byte>(cattr)};
  agreed_.no_sq_flow_control = get<wire::cattr_layout, "nosqfc">(attributes) != 0;
  learn_names(p.data);
}

void connection::learn_names(byte_span data) {
  if (data.size() < wire::connect_data.size) return;
  agreed_.host_nqn = name_in(wire::bytes_of<wire::connect_data, "hostnqn">(data));
  agreed_.subsystem_nqn = name_in(wire::bytes_of<wire::connect_data, "subnqn">(data));
  std::ranges::copy(wire::bytes_of<wire::connect_data, "hostid">(data), agreed_.host_id.begin());
}

void connection::learn(const command& c, byte_span data) {
  if (is_connect(c)) return learn_names(data);
  if (!is_identify_controller(c) || data.size() < identify_bytes) return;
  agreed_.identified = true;
  agreed_.mdts = static_cast<std::uint8_t>(get<wire::identify_controller, "mdts">(data));
  agreed_.maxcmd = static_cast<std::uint16_t>(get<wire::identify_controller, "maxcmd">(data));
  agreed_.ioccsz = static_cast<std::uint32_t>(get<wire::identify_controller, "ioccsz">(data));
  agreed_.iorcsz = static_cast<std::uint32_t>(get<wire::identify_controller, "iorcsz">(data));
}

void connection::learn(const command& c, const completion& done) {
  if (is_connect(c) && !done.cqe.empty() && !done.failed())
    agreed_.cntlid = static_cast<std::uint16_t>(get<wire::connect_response, "cntlid">(done.cqe));
}

void connection::finish(command& c, const completion& done, const pdu* by) {
  if (done.answered()) {
    ++counts_.completions;
    if (done.failed()) ++counts_.failed;
  }
  to_.on_completion(*this, c, done, by);
  commands_.erase(c);
  ++budget_.left;
}

void connection::end(const stamp& at, bool closed) {
  for (const std::uint16_t cid : commands_.cids())
    finish(*commands_.find(cid), {.how = closed ? fate::ended : fate::left, .at = at}, nullptr);
  to_.on_end(*this, at, closed);
}

}  // namespace nvmf::trace
