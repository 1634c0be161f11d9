// SPDX-License-Identifier: BSD-2-Clause
// Rules of how a connection begins and how it ends.
#include <algorithm>

#include "queue_checker.hpp"
#include "wire/layouts/pdu.hpp"

namespace nvmf::trace {

using wire::get;
using wire::pdu_type;

namespace {

constexpr std::uint8_t alignment_max = 31;
constexpr std::uint32_t h2c_data_min = 4096;
constexpr std::uint8_t digest_bits = 3;

bool is_termreq(const pdu& p) {
  const auto type = static_cast<pdu_type>(p.type);
  return type == pdu_type::h2c_termreq || type == pdu_type::c2h_termreq;
}

}  // namespace

void queue_checker::check_order(const place& at) {
  const pdu& p = at.p;
  const half& h = half_of(p.going);
  if (h.termreq) report(at, rule::termreq_last, "type", p.type, bound::words("nothing"));
  const bool host = p.going == way::to_controller;
  const auto first = static_cast<std::uint8_t>(host ? pdu_type::icreq : pdu_type::icresp);
  const bool began = host ? setup_.request : setup_.response;
  if (h.pdus == 1 && p.type != first && whole_ && !is_termreq(p))
    return report(at, rule::ic_first, "type", p.type, bound::is(first));
  if (p.type == first && began)
    return report(at, rule::ic_once, "type", p.type, bound::words("any other type"));
  if (host && h.pdus > 1 && whole_ && setup_.request && !setup_.response && !is_termreq(p))
    report(at, rule::ic_wait, "type", p.type, bound::words("nothing before ICResp"));
}

void queue_checker::take_icreq(const place& at) {
  if (setup_.request) return;
  const wire::byte_span b = at.p.header;
  const auto pfv = get<wire::pdu_icreq, "pfv">(b), hpda = get<wire::pdu_icreq, "hpda">(b);
  if (pfv != 0) report(at, rule::ic_version, "pfv", pfv, bound::is(0));
  if (hpda > alignment_max)
    report(at, rule::ic_alignment, "hpda", hpda, bound::at_most(alignment_max));
  setup_.request = true;
  setup_.alignment[static_cast<std::size_t>(way::to_host)] =
      static_cast<std::uint8_t>(std::min<std::uint64_t>(hpda, alignment_max));
  setup_.asked = static_cast<std::uint8_t>(get<wire::pdu_icreq, "hdgst_enable">(b) |
                                           get<wire::pdu_icreq, "ddgst_enable">(b) << 1);
  setup_.maxr2t = static_cast<std::uint32_t>(get<wire::pdu_icreq, "maxr2t">(b));
}

void queue_checker::take_icresp(const place& at) {
  if (setup_.response) return;
  const wire::byte_span b = at.p.header;
  const auto pfv = get<wire::pdu_icresp, "pfv">(b), cpda = get<wire::pdu_icresp, "cpda">(b);
  if (pfv != 0) report(at, rule::ic_version, "pfv", pfv, bound::is(0));
  if (cpda > alignment_max)
    report(at, rule::ic_alignment, "cpda", cpda, bound::at_most(alignment_max));
  setup_.response = true;
  setup_.alignment[static_cast<std::size_t>(way::to_controller)] =
      static_cast<std::uint8_t>(std::min<std::uint64_t>(cpda, alignment_max));
  setup_.granted = static_cast<std::uint8_t>(get<wire::pdu_icresp, "hdgst_enable">(b) |
                                             get<wire::pdu_icresp, "ddgst_enable">(b) << 1);
  setup_.maxh2cdata = static_cast<std::uint32_t>(get<wire::pdu_icresp, "maxh2cdata">(b));
  if (setup_.maxh2cdata < h2c_data_min)
    report(at, rule::ic_maxh2cdata, "maxh2cdata", setup_.maxh2cdata, bound::at_least(h2c_data_min));
  else if (setup_.maxh2cdata % 4 != 0)
    report(at, rule::ic_maxh2cdata, "maxh2cdata", setup_.maxh2cdata, bound::multiple_of(4));
  const unsigned more = setup_.granted & ~setup_.asked & digest_bits;
  if (!setup_.request || more == 0) return;
  report(at, rule::ic_digests, (more & 1) != 0 ? "hdgst_enable" : "ddgst_enable", 1, bound::is(0));
}

void queue_checker::take_termreq(const place& at) {
  half_of(at.p.going).termreq = true;
  const auto fes = static_cast<std::uint32_t>(get<wire::pdu_h2c_termreq, "fes">(at.p.header));
  if (wire::fes_codes.find(fes) == nullptr)
    return report(at, rule::termreq_fes, "fes", fes, bound::words("a code of the table fes"));
  if (!whole_) return;
  const half& other = half_of(opposite(at.p.going));
  if (other.broken == 0)
    return report(at, rule::termreq_cause, "fes", fes,
                  bound::words("a reason: no rule was broken before it that can be seen"));
  if ((other.broken_fes >> fes & 1) == 0)
    report(at, rule::termreq_fit, "fes", fes, bound::words("that of the rule that was broken"));
}

// Who left first, and said nothing more since the other side broke a rule, left because of that.
void queue_checker::check_ending(const connection& c, const stamp& at) {
  if (!c.left_first()) return;
  const way leaver = *c.left_first();
  const half& other = half_of(opposite(leaver));
  const half& own = half_of(leaver);
  if (!other.last_broken || own.termreq || other.termreq || own.pdus != other.answered) return;
  const rule_row& cause = row_of(*other.last_broken);
  const bool digest = cause.id == rule::data_digest;
  // A command that is wrong is answered by its status.
  if (!digest && cause.fes == 0) return;
  report(c, {.id = digest ? rule::data_digest_end : rule::termreq_missing,
             .by = leaver == way::to_controller ? side::host : side::controller,
             .going = leaver,
             .at = at,
             .offset = 0,
             .pdu = std::nullopt,
             .cid = std::nullopt,
             .shown = {digest ? "end of the connection" : "TermReq", std::nullopt,
                       bound::words(digest ? "a status of the command"
                                           : "one before the end of the connection")}});
}

}  // namespace nvmf::trace
