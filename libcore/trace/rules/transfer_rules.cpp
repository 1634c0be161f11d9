// SPDX-License-Identifier: BSD-2-Clause
// Rules of data: the ledger of R2Ts, and what travels either way.
#include <algorithm>

#include "queue_checker.hpp"
#include "wire/layouts/commands_admin.hpp"
#include "wire/layouts/identify_bits.hpp"
#include "wire/layouts/identify_controller.hpp"
#include "wire/layouts/pdu.hpp"
#include "wire/tables.hpp"

namespace nvmf::trace {

using wire::get;

namespace {

// As much of Identify Controller as the conversation keeps.
constexpr std::size_t identify_bytes = 1800;
constexpr std::uint64_t cns_controller = 0x01;

bool is_identify_controller(const command& k) {
  return k.admin && k.opcode() == static_cast<std::uint8_t>(wire::admin_opcode::identify) &&
         get<wire::identify_command, "cns">(k.sqe) == cns_controller;
}

void learn_identity(controller_facts& f, wire::byte_span b) {
  const auto ctratt = wire::bytes_of<wire::identify_controller, "ctratt">(b);
  f.identified = true;
  f.mdts = static_cast<std::uint8_t>(get<wire::identify_controller, "mdts">(b));
  f.aerl = static_cast<std::uint8_t>(get<wire::identify_controller, "aerl">(b));
  f.kas = static_cast<std::uint16_t>(get<wire::identify_controller, "kas">(b));
  f.ioccsz = static_cast<std::uint32_t>(get<wire::identify_controller, "ioccsz">(b));
  if (b.size() >= wire::offset_of<wire::identify_controller, "icdoff">() + 2)
    f.icdoff = static_cast<std::uint16_t>(get<wire::identify_controller, "icdoff">(b));
  f.tbkas = get<wire::ctratt_layout, "tbkas">(ctratt) != 0;
}

}  // namespace

void queue_checker::learn_data(const place& at, const command& k) {
  if (facts_ != nullptr && queue_.qid == 0 && at.p.data.size() >= identify_bytes &&
      is_identify_controller(k) && get<wire::pdu_c2h_data, "datao">(at.p.header) == 0)
    learn_identity(*facts_, at.p.data);
}

void queue_checker::take_r2t(const place& found, const command* of) {
  const wire::byte_span b = found.p.header;
  place at = found;
  at.cid = static_cast<std::uint16_t>(get<wire::pdu_r2t, "cccid">(b));
  if (of == nullptr) {
    if (whole_)
      report(at, rule::r2t_command, "cccid", *at.cid, bound::words("the CID of a command"));
    return;
  }
  transfer* t = transfer_of(*of);
  if (t == nullptr) return;
  if (!t->sends || t->in_capsule)
    return report(at, rule::r2t_direction, "cccid", *at.cid,
                  bound::words("the CID of a command that has data to send"));
  const auto ttag = static_cast<std::uint16_t>(get<wire::pdu_r2t, "ttag">(b));
  const auto begin = get<wire::pdu_r2t, "r2to">(b), length = get<wire::pdu_r2t, "r2tl">(b);
  if (length == 0) return report(at, rule::r2t_length, "r2tl", 0, bound::at_least(1));
  check_r2t_range(at, *t, begin, begin + length);
  if (setup_.request && t->open_r2ts > setup_.maxr2t)
    report(at, rule::r2t_limit, "outstanding R2Ts", t->open_r2ts + 1,
           bound::at_most(std::uint64_t{setup_.maxr2t} + 1));
  if (const open_r2t* same = r2ts_.find(ttag)) {
    if (!same->orphan) {
      report(at, rule::r2t_tag, "ttag", ttag, bound::words("one that is not outstanding"));
      if (transfer& its = transfers_[same->slot]; its.number == same->number && its.open_r2ts > 0)
        --its.open_r2ts;
    }
  }
  if (!r2ts_.add({.ttag = ttag,
                  .cid = of->cid,
                  .orphan = false,
                  .slot = of->slot,
                  .number = of->number,
                  .begin = begin,
                  .next = begin,
                  .end = begin + length}))
    return suspend(at.on, gap::not_tracked, at.p.going, at.p.ended);
  ++t->open_r2ts;
}

void queue_checker::check_r2t_range(const place& at, transfer& t, std::uint64_t begin,
                                    std::uint64_t end) {
  if (t.length && end > *t.length)
    report(at, rule::r2t_range, "r2to + r2tl", end, bound::at_most(*t.length));
  else if (t.asked_in_order && begin < t.asked_to)
    report(at, rule::r2t_overlap, "r2to", begin, bound::at_least(t.asked_to));
  else if (t.asked_in_order && begin > t.asked_to) {
    // From here on it is not known which bytes were asked for.
    t.asked_in_order = false;
    report(at, rule::r2t_order, "r2to", begin, bound::is(t.asked_to));
  }
  t.asked_to = std::max(t.asked_to, end);
}

void queue_checker::check_datal(const place& at) {
  const auto datal = get<wire::pdu_c2h_data, "datal">(at.p.header);
  if (datal != at.p.data_bytes)
    report(at, rule::data_length, "datal", datal, bound::is(at.p.data_bytes));
}

void queue_checker::take_h2c(const place& found, const command* of) {
  const wire::byte_span b = found.p.header;
  place at = found;
  at.cid = static_cast<std::uint16_t>(get<wire::pdu_h2c_data, "cccid">(b));
  check_datal(at);
  const auto ttag = static_cast<std::uint16_t>(get<wire::pdu_h2c_data, "ttag">(b));
  const auto begin = get<wire::pdu_h2c_data, "datao">(b),
             length = get<wire::pdu_h2c_data, "datal">(b);
  const bool last = (at.p.flags & pdu_flag_bit::last) != 0;
  if (setup_.response && length > setup_.maxh2cdata)
    report(at, rule::h2c_limit, "datal", length, bound::at_most(setup_.maxh2cdata));
  open_r2t* r = r2ts_.find(ttag);
  if (r != nullptr && r->orphan) {
    // On its way when the controller was done with the command.
    if (last || begin + length >= r->end) r2ts_.erase(*r);
    return;
  }
  if (r == nullptr || r->cid != *at.cid) {
    if (knows(of))
      report(at, rule::h2c_r2t, r == nullptr ? "ttag" : "cccid", r == nullptr ? ttag : *at.cid,
             r == nullptr ? bound::words("that of an R2T that is outstanding") : bound::is(r->cid));
    return;
  }
  if (begin < r->begin || begin + length > r->end)
    report(at, rule::h2c_range, "datao + datal", begin + length, bound::within(r->begin, r->end));
  else if (begin != r->next)
    report(at, rule::h2c_order, "datao", begin, bound::is(r->next));
  const bool ends = begin + length >= r->end;
  if (last != ends) report(at, rule::h2c_last, "flags.last", last ? 1 : 0, bound::is(ends ? 1 : 0));
  r->next = std::max(r->next, begin + length);
  if (!last && !ends) return;
  if (transfer& t = transfers_[r->slot]; t.number == r->number && t.open_r2ts > 0) --t.open_r2ts;
  r2ts_.erase(*r);
}

void queue_checker::take_c2h(const place& found, const command* of) {
  const pdu& p = found.p;
  place at = found;
  at.cid = static_cast<std::uint16_t>(get<wire::pdu_c2h_data, "cccid">(p.header));
  check_datal(at);
  const bool last = (p.flags & pdu_flag_bit::last) != 0;
  if ((p.flags & pdu_flag_bit::success) != 0) {
    if (!last) report(at, rule::success_last, "flags.last", 0, bound::is(1));
    if (queue_.connected && queue_.flow_control)
      report(at, rule::success_flow_control, "flags.success", 1, bound::is(0));
  }
  if (of == nullptr) {
    if (whole_)
      report(at, rule::c2h_command, "cccid", *at.cid, bound::words("the CID of a command"));
    return;
  }
  learn_data(at, *of);
  transfer* t = transfer_of(*of);
  if (t == nullptr) return;
  if (!t->receives)
    return report(at, rule::c2h_direction, "cccid", *at.cid,
                  bound::words("the CID of a command that receives data"));
  const auto begin = get<wire::pdu_c2h_data, "datao">(p.header);
  const std::uint64_t end = begin + get<wire::pdu_c2h_data, "datal">(p.header);
  if (t->last_seen)
    report(at, rule::c2h_last, "data after LAST_PDU", p.data_bytes, bound::words("nothing"));
  else if (t->length && end > *t->length)
    report(at, rule::c2h_range, "datao + datal", end, bound::at_most(*t->length));
  else if (begin != t->received)
    report(at, rule::c2h_order, "datao", begin, bound::is(t->received));
  t->received = std::max(t->received, end);
  t->last_seen = t->last_seen || last;
}

}  // namespace nvmf::trace
