// SPDX-License-Identifier: BSD-2-Clause
#include "connection.hpp"

#include <algorithm>

#include "wire/commands.hpp"
#include "wire/layouts/commands_admin.hpp"
#include "wire/layouts/entries.hpp"
#include "wire/layouts/fabrics.hpp"
#include "wire/layouts/identify_controller.hpp"
#include "wire/layouts/pdu.hpp"
#include "wire/nqn.hpp"
#include "wire/tables.hpp"

namespace nvmf::trace {

namespace {

using wire::get;

constexpr std::size_t sqe_at = wire::pdu_common.size;  // in a command capsule
constexpr std::size_t sqe_cid_at = sqe_at + wire::offset_of<wire::sqe_layout, "cid">();
constexpr std::size_t cqe_cid_at = sqe_at + wire::offset_of<wire::cqe_layout, "cid">();
constexpr std::size_t cccid_at = wire::offset_of<wire::pdu_r2t, "cccid">();
// As much of Identify Controller as has the limits that are shown.
constexpr std::size_t identify_bytes = 1800;
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

connection::connection(std::uint32_t number, const endpoint& host, const endpoint& controller,
                       unsigned host_end, const stamp& begun, const conversation_options& options,
                       command_budget& budget, listener& to)
    : number_(number),
      host_(host),
      controller_(controller),
      host_end_(host_end),
      begun_(begun),
      options_(options),
      budget_(budget),
      to_(to),
      framers_{framer{way::to_controller, *this}, framer{way::to_host, *this}} {
  to_.on_connection(*this);
}

void connection::on_bytes(unsigned from, byte_span bytes, const stamp& at) {
  framer_of(way_of(from)).take(bytes, at);
}

void connection::on_absent(unsigned from, std::uint64_t bytes, absence why, const stamp& at) {
  framer& f = framer_of(way_of(from));
  const bool searching = f.searching();
  f.absent(bytes, at);
  // A cut packet is told once, for the capture; a lost one where it is.
  if (why == absence::lost && !searching && !f.searching())
    tell(notice_kind::missing, way_of(from), at, bytes);
}

void connection::on_middle(unsigned from, const stamp& at) {
  framer_of(way_of(from)).lose(framing_lost::middle, at);
}

void connection::tell(notice_kind kind, way w, const stamp& at, std::uint64_t a, const pdu* about) {
  ++counts_.notices;
  to_.on_notice(*this, {kind, w, at, a, about});
}

void connection::on_lost(way w, framing_lost why, const stamp& at) {
  switch (why) {
    case framing_lost::middle:
      return tell(notice_kind::middle, w, at);
    case framing_lost::absent:
      return tell(notice_kind::lost, w, at);
    case framing_lost::bad_plen:
      return tell(notice_kind::bad_plen, w, at);
  }
}

void connection::on_found(way w, std::uint64_t skipped, const stamp& at) {
  // A capture that begins where a PDU does has nothing to tell.
  if (skipped > 0) tell(notice_kind::found, w, at, skipped);
}

std::size_t connection::data_wanted(const pdu& p) {
  std::size_t wanted = options_.data_bytes;
  const auto type = static_cast<wire::pdu_type>(p.type);
  if (type == wire::pdu_type::capsule_cmd && p.header.size() >= wire::pdu_capsule_cmd.size &&
      std::to_integer<std::uint8_t>(p.header[sqe_at]) == wire::fabrics_opcode)
    wanted = std::max<std::size_t>(wanted, wire::connect_data.size);
  if (type == wire::pdu_type::c2h_data && admin())
    if (const command* c = command_of(p, cccid_at); c != nullptr && is_identify_controller(*c))
      wanted = std::max(wanted, identify_bytes);
  return wanted;
}

void connection::check_digests(const pdu& p) {
  const auto count = [&](digest_state s, notice_kind kind) {
    if (s == digest_state::good) ++counts_.digests_good;
    if (s == digest_state::unknown) ++counts_.digests_unknown;
    if (s != digest_state::bad) return;
    ++counts_.digests_bad;
    tell(kind, p.going, p.ended, 0, &p);
  };
  count(p.header_digest, notice_kind::header_digest);
  count(p.data_digest, notice_kind::data_digest);
}

void connection::on_pdu(const pdu& p) {
  ++counts_.pdus;
  counts_.bytes[static_cast<std::size_t>(p.going)] += p.data_bytes;
  const wire::layout* form = wire::pdu_layout(p.type);
  const auto type = static_cast<wire::pdu_type>(p.type);
  if (form != nullptr && (p.type % 2 == 0) == (p.going == way::to_controller)) {
    switch (type) {
      case wire::pdu_type::capsule_cmd:
        take_command(p);
        break;
      case wire::pdu_type::capsule_resp:
        take_response(p);
        break;
      case wire::pdu_type::r2t:
        take_r2t(p);
        break;
      case wire::pdu_type::h2c_data:
      case wire::pdu_type::c2h_data:
        take_data(p);
        break;
      case wire::pdu_type::icreq:
      case wire::pdu_type::icresp:
        initialize(p);
        to_.on_pdu(*this, p, nullptr);
        break;
      case wire::pdu_type::h2c_termreq:
      case wire::pdu_type::c2h_termreq:
        to_.on_pdu(*this, p, nullptr);
        break;
    }
  } else {
    to_.on_pdu(*this, p, nullptr);
    tell(form == nullptr ? notice_kind::unknown_pdu : notice_kind::wrong_way, p.going, p.ended,
         p.type, &p);
  }
  check_digests(p);
}

void connection::initialize(const pdu& p) {
  if (p.header.size() < 16) return;
  if (p.going == way::to_controller) {
    agreed_.ic_request = true;
    agreed_.hpda = static_cast<std::uint8_t>(get<wire::pdu_icreq, "hpda">(p.header));
    agreed_.maxr2t = static_cast<std::uint32_t>(get<wire::pdu_icreq, "maxr2t">(p.header));
    return;
  }
  agreed_.ic_response = true;
  agreed_.cpda = static_cast<std::uint8_t>(get<wire::pdu_icresp, "cpda">(p.header));
  agreed_.header_digest = get<wire::pdu_icresp, "hdgst_enable">(p.header) != 0;
  agreed_.data_digest = get<wire::pdu_icresp, "ddgst_enable">(p.header) != 0;
  agreed_.maxh2cdata = static_cast<std::uint32_t>(get<wire::pdu_icresp, "maxh2cdata">(p.header));
}

command* connection::command_of(const pdu& p, std::size_t cid_at) {
  if (p.header.size() < cid_at + 2) return nullptr;
  return commands_.find(static_cast<std::uint16_t>(wire::load_le(p.header, cid_at, 2)));
}

void connection::take_command(const pdu& p) {
  if (p.header.size() < sqe_cid_at + 2) return to_.on_pdu(*this, p, nullptr);
  ++counts_.commands;
  if (command* old = command_of(p, sqe_cid_at)) {
    tell(notice_kind::cid_in_use, p.going, p.ended, old->cid, &p);
    finish(*old, {.how = fate::replaced, .at = p.ended}, &p);
  }
  if (budget_.left == 0) {
    tell(notice_kind::not_tracked, p.going, p.ended, 0, &p);
    return to_.on_pdu(*this, p, nullptr);
  }
  --budget_.left;
  command& c = commands_.add(static_cast<std::uint16_t>(wire::load_le(p.header, sqe_cid_at, 2)));
  c.number = counts_.commands;
  const byte_span sqe = p.header.subspan(sqe_at, std::min(c.sqe.size(), p.header.size() - sqe_at));
  std::ranges::copy(sqe, c.sqe.begin());
  c.whole = sqe.size() == c.sqe.size();
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
  if (p.data.size() < wire::connect_data.size) return;
  agreed_.host_nqn = name_in(wire::bytes_of<wire::connect_data, "hostnqn">(p.data));
  agreed_.subsystem_nqn = name_in(wire::bytes_of<wire::connect_data, "subnqn">(p.data));
  std::ranges::copy(wire::bytes_of<wire::connect_data, "hostid">(p.data), agreed_.host_id.begin());
}

void connection::take_r2t(const pdu& p) {
  command* c = command_of(p, cccid_at);
  if (c != nullptr) {
    if (c->r2ts++ == 0) c->first_r2t = p.ended;
    c->last_r2t = p.ended;
    if (p.header.size() >= wire::pdu_r2t.size) c->asked += get<wire::pdu_r2t, "r2tl">(p.header);
  }
  to_.on_pdu(*this, p, c);
  if (c == nullptr) tell(notice_kind::no_command, p.going, p.ended, 0, &p);
}

void connection::take_data(const pdu& p) {
  command* c = command_of(p, cccid_at);
  if (c == nullptr) {
    to_.on_pdu(*this, p, nullptr);
    return tell(notice_kind::no_command, p.going, p.ended, 0, &p);
  }
  const bool first = c->h2c_pdus + c->c2h_pdus == 0;
  if (first && c->in_capsule == 0) c->first_data = p.begun;
  c->last_data = p.ended;
  if (p.going == way::to_host) {
    ++c->c2h_pdus;
    c->c2h_bytes += p.data_bytes;
  } else {
    ++c->h2c_pdus;
    c->h2c_bytes += p.data_bytes;
  }
  if (p.data_digest == digest_state::bad || p.header_digest == digest_state::bad) ++c->bad_digests;
  if (is_identify_controller(*c) && p.data.size() >= identify_bytes &&
      get<wire::pdu_c2h_data, "datao">(p.header) == 0) {
    agreed_.identified = true;
    agreed_.mdts = static_cast<std::uint8_t>(get<wire::identify_controller, "mdts">(p.data));
    agreed_.maxcmd = static_cast<std::uint16_t>(get<wire::identify_controller, "maxcmd">(p.data));
    agreed_.ioccsz = static_cast<std::uint32_t>(get<wire::identify_controller, "ioccsz">(p.data));
    agreed_.iorcsz = static_cast<std::uint32_t>(get<wire::identify_controller, "iorcsz">(p.data));
  }
  to_.on_pdu(*this, p, c);
  if (p.going == way::to_host && (p.flags & pdu_flag_bit::success) != 0)
    finish(*c, {.how = fate::success, .at = p.ended}, &p);
}

void connection::take_response(const pdu& p) {
  command* c = command_of(p, cqe_cid_at);
  to_.on_pdu(*this, p, c);
  if (c == nullptr) return tell(notice_kind::no_command, p.going, p.ended, 0, &p);
  if (p.header_digest == digest_state::bad) ++c->bad_digests;
  completion done{.how = fate::completed, .at = p.ended};
  if (p.header.size() >= wire::pdu_capsule_resp.size) {
    done.cqe = p.header.subspan(sqe_at, wire::cqe_layout.size);
    done.status = static_cast<std::uint16_t>(wire::load_le(done.cqe, 14, 2) >> 1);
  }
  learn(*c, done);
  finish(*c, done, &p);
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
