// SPDX-License-Identifier: BSD-2-Clause
// What the PDUs of NVMe/TCP mean.
#include <algorithm>

#include "connection.hpp"
#include "wire/layouts/entries.hpp"
#include "wire/layouts/pdu.hpp"
#include "wire/tables.hpp"

namespace nvmf::trace {

namespace {

using wire::get;

constexpr std::size_t sqe_at = wire::pdu_common.size;  // in a command capsule
constexpr std::size_t sqe_cid_at = sqe_at + wire::offset_of<wire::sqe_layout, "cid">();
constexpr std::size_t cqe_cid_at = sqe_at + wire::offset_of<wire::cqe_layout, "cid">();
constexpr std::size_t cccid_at = wire::offset_of<wire::pdu_r2t, "cccid">();

}  // namespace

tcp_connection::tcp_connection(std::uint32_t number, const endpoint& host,
                               const endpoint& controller, unsigned host_end, const stamp& begun,
                               const conversation_options& options, command_budget& budget,
                               listener& to)
    : connection(fabric::tcp, number, host, controller, begun, budget, to),
      host_end_(host_end),
      options_(options),
      framers_{framer{way::to_controller, *this}, framer{way::to_host, *this}} {
  to_.on_connection(*this);
}

void tcp_connection::on_bytes(unsigned from, byte_span bytes, const stamp& at) {
  framer_of(way_of(from)).take(bytes, at);
}

void tcp_connection::on_absent(unsigned from, std::uint64_t bytes, absence why, const stamp& at) {
  framer& f = framer_of(way_of(from));
  const bool searching = f.searching();
  f.absent(bytes, at);
  // A cut packet is told once, for the capture; a lost one where it is.
  if (why == absence::lost && !searching && !f.searching())
    tell(notice_kind::missing, way_of(from), at, bytes);
}

void tcp_connection::on_middle(unsigned from, const stamp& at) {
  framer_of(way_of(from)).lose(framing_lost::middle, at);
}

void tcp_connection::on_lost(way w, framing_lost why, const stamp& at) {
  switch (why) {
    case framing_lost::middle:
      return tell(notice_kind::middle, w, at);
    case framing_lost::absent:
      return tell(notice_kind::lost, w, at);
    case framing_lost::bad_plen:
      return tell(notice_kind::bad_plen, w, at);
  }
}

void tcp_connection::on_found(way w, std::uint64_t skipped, const stamp& at) {
  // A capture that begins where a PDU does has nothing to tell.
  if (skipped > 0) tell(notice_kind::found, w, at, skipped);
}

std::size_t tcp_connection::data_wanted(const pdu& p) {
  std::size_t wanted = options_.data_bytes;
  const auto type = static_cast<wire::pdu_type>(p.type);
  if (type == wire::pdu_type::capsule_cmd && p.header.size() >= wire::pdu_capsule_cmd.size)
    wanted = std::max(wanted, wanted_of_command(p.header.subspan(sqe_at)));
  if (type == wire::pdu_type::c2h_data && admin())
    if (const command* c = command_of(p, cccid_at)) wanted = std::max(wanted, wanted_of_data(*c));
  return wanted;
}

void tcp_connection::check_digests(const pdu& p) {
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

void tcp_connection::on_pdu(const pdu& p) {
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

void tcp_connection::initialize(const pdu& p) {
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

command* tcp_connection::command_of(const pdu& p, std::size_t cid_at) {
  if (p.header.size() < cid_at + 2) return nullptr;
  return find(static_cast<std::uint16_t>(wire::load_le(p.header, cid_at, 2)));
}

void tcp_connection::take_command(const pdu& p) {
  if (p.header.size() < sqe_cid_at + 2) return to_.on_pdu(*this, p, nullptr);
  begin_command(p.header.subspan(sqe_at), p);
}

void tcp_connection::take_r2t(const pdu& p) {
  command* c = command_of(p, cccid_at);
  if (c != nullptr) {
    if (c->r2ts++ == 0) c->first_r2t = p.ended;
    c->last_r2t = p.ended;
    if (p.header.size() >= wire::pdu_r2t.size) c->asked += get<wire::pdu_r2t, "r2tl">(p.header);
  }
  to_.on_pdu(*this, p, c);
  if (c == nullptr) tell(notice_kind::no_command, p.going, p.ended, 0, &p);
}

void tcp_connection::take_data(const pdu& p) {
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
  if (p.header.size() >= wire::pdu_c2h_data.size && get<wire::pdu_c2h_data, "datao">(p.header) == 0)
    learn(*c, p.data);
  to_.on_pdu(*this, p, c);
  if (p.going == way::to_host && (p.flags & pdu_flag_bit::success) != 0)
    finish(*c, {.how = fate::success, .at = p.ended}, &p);
}

void tcp_connection::take_response(const pdu& p) {
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

}  // namespace nvmf::trace
