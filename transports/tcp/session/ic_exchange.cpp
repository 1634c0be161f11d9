// SPDX-License-Identifier: BSD-2-Clause
#include "ic_exchange.hpp"

#include <algorithm>

#include "termreq.hpp"
#include "wire/layouts/pdu.hpp"

namespace nvmf::tcp {
namespace {

using wire::fes;
using wire::get;
using wire::offset_of;
using wire::pdu_common;
using wire::pdu_icreq;
using wire::pdu_icresp;
using wire::pdu_type;
using wire::set;

constexpr std::size_t ic_size = 128;
constexpr std::uint8_t max_alignment = 31;  // HPDA and CPDA, 4-byte units, 0's based

constexpr std::uint32_t at_digests = 11;
static_assert(offset_of<pdu_icreq, "hdgst_enable">() == at_digests &&
              offset_of<pdu_icresp, "hdgst_enable">() == at_digests);
static_assert(offset_of<pdu_icreq, "hpda">() == offset_of<pdu_icresp, "cpda">());

// A PDU of this type instead of the one that is due.
protocol_error wrong_type(std::uint8_t type, role receiver) {
  const wire::layout* form = wire::pdu_layout(type);
  if (form == nullptr) return bad_field(pdu_common.name, 0, "unknown PDU type", type);
  const bool ours = (type & 1) != (receiver == role::host ? 1 : 0);
  if (ours) return bad_field(form->name, 0, "a PDU type that only we may send", type);
  return broken_rule(fes::pdu_sequence_error, form->name, 0,
                     "a PDU before the connection is set up", type);
}

}  // namespace

ic_exchange::ic_exchange(role side, const transport_options& wanted, emitter events)
    : side_(side), wanted_(wanted), events_(events) {
  if (side_ == role::host) send(pdu_type::icreq);
}

void ic_exchange::send(pdu_type type) {
  out_.sent = 0;
  const bool host = type == pdu_type::icreq;
  const auto header = blank<pdu_icreq>(out_);
  const auto units = [](std::uint32_t bytes) { return bytes / 4 - 1; };
  if (host) {
    set<pdu_icreq, "hpda">(header, units(wanted_.alignment));
    set<pdu_icreq, "hdgst_enable">(header, wanted_.header_digest);
    set<pdu_icreq, "ddgst_enable">(header, wanted_.data_digest);
    set<pdu_icreq, "maxr2t">(header, wanted_.max_r2t - 1);
  } else {
    set<pdu_icresp, "cpda">(header, units(wanted_.alignment));
    set<pdu_icresp, "hdgst_enable">(header, agreed_.header_digest);
    set<pdu_icresp, "ddgst_enable">(header, agreed_.data_digest);
    set<pdu_icresp, "maxh2cdata">(header, wanted_.max_h2c_data);
  }
  seal(out_, host ? pdu_icreq : pdu_icresp, type, 0, {});
  std::ranges::copy(std::span{out_.head}.first<ic_size>(), (host ? request_ : response_).begin());
  events_.pdu_out(out_);
}

std::size_t ic_exchange::wanted() const {
  return standing_ == standing::waiting ? total_ - in_size_ : 0;
}

void ic_exchange::consume(std::span<const std::byte> in) {
  while (!in.empty() && standing_ == standing::waiting) {
    const auto part = in.first(std::min(in.size(), total_ - in_size_));
    std::ranges::copy(part, in_.begin() + static_cast<std::ptrdiff_t>(in_size_));
    in_size_ += part.size();
    in = in.subspan(part.size());
    if (in_size_ < total_) return;
    if (total_ == pdu_common.size)
      begin();
    else
      finish();
  }
}

void ic_exchange::end_of_input() {
  if (standing_ != standing::waiting) return;
  standing_ = standing::failed;
  error_ = {.code = in_size_ == 0 ? errc::closed : errc::reset};
}

// The common header is there: in wire order, and bounded, as for every PDU.
void ic_exchange::begin() {
  const auto seen = std::span{in_}.first<pdu_common.size>();
  const auto type = static_cast<std::uint8_t>(get<pdu_common, "type">(seen));
  const auto plen = get<pdu_common, "plen">(seen);
  const bool host = side_ == role::host;
  const auto due = host ? pdu_type::icresp : pdu_type::icreq;
  const auto term = host ? pdu_type::c2h_termreq : pdu_type::h2c_termreq;
  const bool is_term = type == static_cast<std::uint8_t>(term);
  if (!is_term && type != static_cast<std::uint8_t>(due)) return fail(wrong_type(type, side_));
  const std::string_view name = wire::pdu_layout(type)->name;
  if (is_term && (plen < min_termreq || plen > max_termreq))
    return fail(silent_close(name, offset_of<pdu_common, "plen">(),
                             "a TermReq of impossible length", plen, max_termreq));
  const std::uint64_t hlen = is_term ? min_termreq : ic_size;
  const auto check = [&](std::uint32_t offset, std::uint64_t value, std::uint64_t expected,
                         std::string_view reason) {
    if (value == expected) return true;
    fail(bad_field(name, offset, reason, value, expected));
    return false;
  };
  if (!check(offset_of<pdu_common, "flags">(), get<pdu_common, "flags">(seen), 0,
             "a flag that this PDU type does not have") ||
      !check(offset_of<pdu_common, "hlen">(), get<pdu_common, "hlen">(seen), hlen,
             "HLEN is not the length of this PDU's header") ||
      !check(offset_of<pdu_common, "pdo">(), get<pdu_common, "pdo">(seen), 0,
             "PDO of a PDU that carries no data"))
    return;
  if (!is_term &&
      !check(offset_of<pdu_common, "plen">(), plen, ic_size, "PLEN is not the length of this PDU"))
    return;
  total_ = static_cast<std::size_t>(plen);
}

void ic_exchange::finish() {
  const auto pdu = std::span{in_}.first(in_size_);
  const auto type = static_cast<pdu_type>(get<pdu_common, "type">(pdu));
  if (type == pdu_type::c2h_termreq || type == pdu_type::h2c_termreq) {
    const auto header = pdu.first(min_termreq);
    events_.pdu_in({.data = static_cast<std::uint32_t>(pdu.size() - min_termreq)}, header);
    standing_ = standing::failed;
    error_ = {.code = errc::terminated,
              .violation = read_termreq(header, pdu.subspan(min_termreq))};
    out_.head_size = 0;
    out_.sent = 0;
    return;
  }
  events_.pdu_in({}, pdu);
  if (type == pdu_type::icreq)
    take_request();
  else
    take_response();
}

// What both directions have: format version, alignment, digest bits.
bool ic_exchange::check_fields(std::string_view name, std::uint8_t alignment) {
  const auto pfv = get<pdu_icreq, "pfv">(in_);
  if (pfv != 0) {
    fail(broken_rule(fes::unsupported_parameter, name, offset_of<pdu_icreq, "pfv">(),
                     "a PDU format version that we do not speak", pfv, 0));
    return false;
  }
  if (alignment > max_alignment) {
    fail(bad_field(name, offset_of<pdu_icreq, "hpda">(), "alignment beyond 31 (128 bytes)",
                   alignment, max_alignment));
    return false;
  }
  const auto digests = wire::load_le(in_, at_digests, 1);
  if ((digests & ~3u) != 0) {
    fail(bad_field(name, at_digests, "reserved digest bits are set", digests, 3));
    return false;
  }
  return true;
}

void ic_exchange::take_request() {
  std::ranges::copy(std::span{in_}.first<ic_size>(), request_.begin());
  const auto hpda = static_cast<std::uint8_t>(get<pdu_icreq, "hpda">(in_));
  if (!check_fields(pdu_icreq.name, hpda)) return;
  const std::uint64_t maxr2t = get<pdu_icreq, "maxr2t">(in_);
  agreed_.header_digest = wanted_.header_digest && get<pdu_icreq, "hdgst_enable">(in_) != 0;
  agreed_.data_digest = wanted_.data_digest && get<pdu_icreq, "ddgst_enable">(in_) != 0;
  agreed_.host_alignment = (hpda + 1u) * 4;
  agreed_.controller_alignment = wanted_.alignment;
  // More than there are transfer tags is as good as no limit.
  agreed_.max_r2t = static_cast<std::uint32_t>(std::min<std::uint64_t>(maxr2t + 1, 65536));
  agreed_.max_h2c_data = wanted_.max_h2c_data;
  send(pdu_type::icresp);
  standing_ = standing::done;
}

void ic_exchange::take_response() {
  std::ranges::copy(std::span{in_}.first<ic_size>(), response_.begin());
  const auto cpda = static_cast<std::uint8_t>(get<pdu_icresp, "cpda">(in_));
  if (!check_fields(pdu_icresp.name, cpda)) return;
  agreed_.header_digest = get<pdu_icresp, "hdgst_enable">(in_) != 0;
  agreed_.data_digest = get<pdu_icresp, "ddgst_enable">(in_) != 0;
  if ((agreed_.header_digest && !wanted_.header_digest) ||
      (agreed_.data_digest && !wanted_.data_digest))
    return fail(broken_rule(fes::unsupported_parameter, pdu_icresp.name, at_digests,
                            "a digest that was not asked for", wire::load_le(in_, at_digests, 1),
                            (wanted_.header_digest ? 1u : 0u) | (wanted_.data_digest ? 2u : 0u)));
  const auto maxh2cdata = static_cast<std::uint32_t>(get<pdu_icresp, "maxh2cdata">(in_));
  if (maxh2cdata < 4096 || maxh2cdata % 4 != 0)
    return fail(bad_field(pdu_icresp.name, offset_of<pdu_icresp, "maxh2cdata">(),
                          "MAXH2CDATA is not a multiple of 4 from 4096 up", maxh2cdata, 4096));
  agreed_.host_alignment = wanted_.alignment;
  agreed_.controller_alignment = (cpda + 1u) * 4;
  agreed_.max_r2t = wanted_.max_r2t;
  agreed_.max_h2c_data = maxh2cdata;
  standing_ = standing::done;
}

void ic_exchange::fail(const protocol_error& why) {
  standing_ = standing::failed;
  error_ = {.code = errc::protocol_violation, .violation = why};
  const auto offending = std::span{in_}.first(in_size_);
  events_.violation(why, offending);
  // Nothing can follow an ICReq that has left in part only.
  const bool whole = output().empty();
  out_.sent = 0;
  out_.head_size = 0;
  if (why.fes == 0 || !whole) return;
  encode_termreq(out_, side_, why, offending);
  events_.pdu_out(out_);
}

}  // namespace nvmf::tcp
