// SPDX-License-Identifier: BSD-2-Clause
#include "tampering.hpp"

#include "session.hpp"
#include "termreq.hpp"
#include "wire/crc32c.hpp"
#include "wire/layouts/entries.hpp"

namespace nvmf::tcp {
namespace {

using wire::get;
using wire::pdu_common;
using wire::pdu_flag;
using wire::pdu_type;
using wire::set;

constexpr std::uint32_t digest_size = 4;

}  // namespace

outgoing_kind kind_of(const tx_pdu& pdu) {
  switch (pdu.kind) {
    case tx_kind::command:
      return outgoing_kind::command;
    case tx_kind::response:
      return outgoing_kind::response;
    case tx_kind::h2c_data:
      return outgoing_kind::host_data;
    case tx_kind::c2h_data:
      return outgoing_kind::controller_data;
    case tx_kind::termreq:
      return outgoing_kind::termination;
    case tx_kind::other:
    case tx_kind::raw:
      break;
  }
  return outgoing_kind::request;
}

namespace {

bool carries_data(outgoing_kind kind) {
  return kind == outgoing_kind::host_data || kind == outgoing_kind::controller_data;
}

bool has(const tx_pdu& pdu, pdu_flag f) {
  return (get<pdu_common, "flags">(pdu.head) & static_cast<std::uint64_t>(f)) != 0;
}
void put(tx_pdu& pdu, pdu_flag f, bool on) {
  const auto bit = static_cast<std::uint64_t>(f);
  const auto flags = get<pdu_common, "flags">(pdu.head);
  set<pdu_common, "flags">(std::span{pdu.head}, on ? flags | bit : flags & ~bit);
}
void add_to_plen(tx_pdu& pdu, std::int64_t bytes) {
  const auto plen = static_cast<std::int64_t>(get<pdu_common, "plen">(pdu.head)) + bytes;
  set<pdu_common, "plen">(std::span{pdu.head}, static_cast<std::uint32_t>(plen));
}

void put_cid(tx_pdu& pdu, outgoing_kind kind, std::uint16_t cid) {
  const wire::mutable_byte_span head{pdu.head};
  switch (kind) {
    case outgoing_kind::command:
      return set<wire::sqe_layout, "cid">(wire::bytes_of<wire::pdu_capsule_cmd, "ccsqe">(head),
                                          cid);
    case outgoing_kind::response:
      return set<wire::cqe_layout, "cid">(wire::bytes_of<wire::pdu_capsule_resp, "rccqe">(head),
                                          cid);
    case outgoing_kind::request:
      return set<wire::pdu_r2t, "cccid">(head, cid);
    case outgoing_kind::host_data:
    case outgoing_kind::controller_data:
      return set<wire::pdu_c2h_data, "cccid">(head, cid);  // at the same place in both
    case outgoing_kind::termination:
      return;
  }
}

// Cuts the payload's end off; a digest goes with the last byte.
void shorten(tx_pdu& pdu, outgoing_kind kind, std::uint32_t to) {
  add_to_plen(pdu, static_cast<std::int64_t>(to) - static_cast<std::int64_t>(pdu.data.size()));
  pdu.data = pdu.data.window(0, to);
  if (carries_data(kind)) set<wire::pdu_c2h_data, "datal">(std::span{pdu.head}, to);
  if (to != 0) return;
  add_to_plen(pdu, -static_cast<std::int64_t>(pdu.tail_size));
  pdu.tail_size = 0;
  put(pdu, pdu_flag::ddgst, false);
}

// `hlen`: bytes of the header as it was encoded, whatever it says now.
void leave_out_header_digest(tx_pdu& pdu, std::uint32_t hlen) {
  put(pdu, pdu_flag::hdgst, false);
  // Before data its place is padding now.
  std::fill_n(pdu.head.begin() + hlen, digest_size, std::byte{0});
  if (pdu.data.size() != 0) return;
  pdu.head_size -= digest_size;
  add_to_plen(pdu, -std::int64_t{digest_size});
}

void leave_out_data_digest(tx_pdu& pdu) {
  put(pdu, pdu_flag::ddgst, false);
  pdu.tail_size = 0;
  add_to_plen(pdu, -std::int64_t{digest_size});
}

std::uint32_t digest(std::uint32_t right, digest_choice wanted) {
  return wanted == digest_choice::wrong ? right ^ 1u : right;
}

}  // namespace

outgoing show(tx_pdu& pdu, std::uint16_t qid) {
  outgoing o{.kind = kind_of(pdu), .qid = qid, .cid = pdu.cid};
  o.length = static_cast<std::uint32_t>(pdu.data.size());
  o.header = std::span{pdu.head}.first(get<pdu_common, "hlen">(pdu.head));
  if (!carries_data(o.kind)) return o;
  o.offset = static_cast<std::uint32_t>(get<wire::pdu_c2h_data, "datao">(pdu.head));
  o.last = has(pdu, pdu_flag::last_pdu);
  o.success = o.kind == outgoing_kind::controller_data && has(pdu, pdu_flag::success);
  return o;
}

void alter(tx_pdu& pdu, const outgoing& before, const outgoing& wanted, const send_rules& rules) {
  const auto hlen = static_cast<std::uint32_t>(before.header.size());
  const bool hdgst = rules.header_digest && before.kind != outgoing_kind::termination;
  if (wanted.length < before.length) shorten(pdu, before.kind, wanted.length);
  if (wanted.cid != before.cid) put_cid(pdu, before.kind, wanted.cid);
  if (wanted.last != before.last) put(pdu, pdu_flag::last_pdu, wanted.last);
  if (wanted.success != before.success) put(pdu, pdu_flag::success, wanted.success);
  if (hdgst && wanted.header_digest == digest_choice::missing) leave_out_header_digest(pdu, hlen);
  if (pdu.tail_size != 0 && wanted.data_digest == digest_choice::missing)
    leave_out_data_digest(pdu);
  add_to_plen(pdu, wanted.length_off);
  if (hdgst && wanted.header_digest != digest_choice::missing)
    wire::store_le(pdu.head, hlen, digest_size,
                   digest(wire::crc32c(0, std::span{pdu.head}.first(hlen)), wanted.header_digest));
  if (pdu.tail_size != 0)
    wire::store_le(pdu.tail, 0, digest_size,
                   digest(crc32c(0, pdu.data, 0, pdu.data.size()), wanted.data_digest));
}

void copy(const tx_pdu& from, tx_pdu& to) {
  to.kind = from.kind;
  to.cid = from.cid;
  to.head_size = from.head_size;
  to.tail_size = from.tail_size;
  to.head = from.head;
  to.tail = from.tail;
  const std::size_t size = from.data.size();
  if (size == 0) return;
  std::vector<std::byte> bytes(size);
  from.data.copy_out(0, bytes);
  to.owned = buffer::copy_of(bytes);
  const auto kept = to.owned.bytes();
  to.data = memdesc::of(kept);
}

// --- What the session does with it --------------------------------------------------------------

std::error_code session::tamper(tamperer* by) {
  tamperer_ = by;
  return {};
}

void session::queue_tampered(tx_pdu* pdu, bool urgent) {
  outgoing wanted = show(*pdu, qid_);
  const outgoing before = wanted;
  tamperer_->on_outgoing(wanted);
  if (wanted.drop) {
    // As if it had left.
    on_sent(*pdu);
    memory_->give_pdu(pdu);
  } else {
    alter(*pdu, before, wanted, send_rules_);
    if (wanted.twice) {
      tx_pdu* second = tx_.make();
      copy(*pdu, *second);
      queue(second, urgent);
    }
    queue(pdu, urgent);
  }
  if (!wanted.respond) return;
  std::array<std::byte, 16> cqe{};
  set<wire::cqe_layout, "cid">(cqe, wanted.cid);
  tx_pdu* response = tx_.make();
  response->cid = wanted.cid;
  encode_response(*response, cqe, send_rules_);
  queue(response, urgent);
}

void session::terminate(std::uint16_t fes) {
  constexpr std::string_view reason = "a TermReq was sent on purpose";
  const protocol_error why{.structure = "pdu-common", .fes = fes, .reason = reason};
  tx_pdu* termreq = tx_.make();
  encode_termreq(*termreq, params_.side, why, {});
  fail({.code = errc::aborted, .violation = why});
  tx_.drop_unbegun();
  after_ = aftermath::await_peer;
  push_urgent(termreq);
}

std::error_code session::misbehave(misdeed what, std::uint16_t fes) {
  if (over()) return gone();
  switch (what) {
    case misdeed::terminate:
      terminate(fes);
      break;
    case misdeed::reset:
      link_->reset();
      break_off(errc::reset);
      break;
    case misdeed::half_close:
      link_->half_close();
      break;
    case misdeed::stop_reading:
    case misdeed::resume_reading:
      reading_stopped_ = what == misdeed::stop_reading;
      admit();
      wake();
      break;
  }
  return {};
}

}  // namespace nvmf::tcp
