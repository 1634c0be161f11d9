// SPDX-License-Identifier: BSD-2-Clause
// The frame of the rules: what is believed, who is told.
#include "queue_checker.hpp"

#include "trace/rdma/rdma_facts.hpp"
#include "wire/layouts/pdu.hpp"

namespace nvmf::trace {

namespace {

// After a gap, so many PDUs in a row have to look right: what was taken for a header could be
// payload.
constexpr std::uint32_t doubtful_pdus = 4;

side side_of(way w) { return w == way::to_controller ? side::host : side::controller; }

}  // namespace

void queue_checker::report(const connection& c, violation v) {
  const rule_row& row = row_of(v.id);
  half& h = half_of(v.by == side::host ? way::to_controller : way::to_host);
  if (row.weight != severity::note) {
    ++h.broken;
    h.broken_fes |= row.fes == 0 ? ~0u : row.fes;
    // Of what is wrong in one PDU the first is the cause.
    const std::uint64_t answered = half_of(opposite(v.going)).pdus;
    if (!h.last_broken || h.answered != answered || row.fes != 0) h.last_broken = v.id;
    h.answered = answered;
  }
  to_.on_violation(c, v);
}

void queue_checker::report(const place& at, rule id, std::string_view field,
                           std::optional<std::uint64_t> seen, const bound& allowed) {
  ++reports_;
  if (half_of(at.p.going).doubtful > 0) return;
  // What would show that nothing was broken may be in a packet that is missing.
  if (row_of(id).needs >= needed::command && at.on.in_doubt()) {
    doubted_ = true;
    return;
  }
  const violation v{.id = id,
                    .by = side_of(at.p.going),
                    .going = at.p.going,
                    .at = at.p.ended,
                    .offset = at.p.offset,
                    .pdu = at.p.type,
                    .cid = at.cid,
                    .shown = {field, seen, allowed}};
  if (rdma_ != nullptr && row_of(id).needs >= needed::connect && at.p.rdma != nullptr &&
      at.p.rdma->packets)
    return rdma_->wait(v);
  report(at.on, v);
}

void queue_checker::suspend(const connection& c, gap why, way w, const stamp& at) {
  whole_ = false;
  ++epoch_;
  r2ts_.clear();
  if (rdma_ != nullptr) {
    rdma_->reads.clear();
    if (why == gap::lost)
      for (std::vector<violation>& held : rdma_->waiting) held.clear();
  }
  if (facts_ != nullptr) {
    if (queue_.qid == 0) facts_->whole = false;
    facts_->alive_ns = at.ns;
  }
  if (suspended_) return;
  suspended_ = true;
  to_.on_suspension(c, {why, w, at});
}

const transfer* queue_checker::transfer_of(const command& k) const {
  if (k.slot >= transfers_.size()) return nullptr;
  const transfer& t = transfers_[k.slot];
  return t.number == k.number && t.epoch == epoch_ ? &t : nullptr;
}

void queue_checker::on_pdu(const connection& c, const pdu& p, const command* of) {
  if (c.carried_by() == fabric::tcp)
    judge(c, p, of);
  else
    judge_capsules({c, p, of != nullptr ? std::optional{of->cid} : std::nullopt}, of);
  if (!doubted_) return;
  doubted_ = false;
  suspend(c, gap::lost, p.going, p.ended);
}

// Once both ends have agreed, the same common header is judged the same: of those that were found
// right only what lies behind is looked at.
bool queue_checker::check_frame(const place& at) {
  const pdu& p = at.p;
  half& h = half_of(p.going);
  const bool settled = setup_.request && setup_.response && !h.termreq && h.pdus > 1 &&
                       p.bytes_missing == 0 && p.header_digest != digest_state::bad &&
                       p.data_digest != digest_state::bad;
  const std::uint64_t header = std::uint64_t{p.type} | std::uint64_t{p.flags} << 8 |
                               std::uint64_t{p.hlen} << 16 | std::uint64_t{p.pdo} << 24 |
                               std::uint64_t{p.plen} << 32;
  std::uint64_t& known = h.right[(p.type ^ p.plen >> 9 ^ p.flags >> 2) % h.right.size()];
  if (settled && known == header) {
    check_reserved(at);
    return true;
  }
  const std::uint64_t before = reports_;
  check_order(at);
  if (!check_header(at)) return false;
  if (settled && reports_ == before) known = header;
  return true;
}

void queue_checker::judge(const connection& c, const pdu& p, const command* of) {
  half& h = half_of(p.going);
  const place at{c, p, of != nullptr ? std::optional{of->cid} : std::nullopt};
  const wire::layout* form = wire::pdu_layout(p.type);
  // What comes first shows whether the capture has the connection from its beginning.
  if (h.begins_within && h.pdus == 0) {
    if (p.offset == 0 && p.type == (p.going == way::to_controller ? 0 : 1))
      h.doubtful = 0;
    else
      suspend(c, gap::middle, p.going, p.begun);
  }
  ++h.pdus;
  if (p.bytes_missing > 0 && form != nullptr && p.header.size() < form->size)
    return suspend(c, gap::header_cut, p.going, p.ended);
  if (!check_frame(at)) {
    h.doubtful = h.doubtful > 0 ? doubtful_pdus : 0;
    return suspend(c, gap::bad_header, p.going, p.ended);
  }
  if (h.doubtful > 0) {
    --h.doubtful;
    if (h.doubtful > 0 && of == nullptr) return;
  }
  switch (static_cast<wire::pdu_type>(p.type)) {
    case wire::pdu_type::icreq:
      return take_icreq(at);
    case wire::pdu_type::icresp:
      return take_icresp(at);
    case wire::pdu_type::h2c_termreq:
    case wire::pdu_type::c2h_termreq:
      return take_termreq(at);
    case wire::pdu_type::capsule_cmd:
      if (of != nullptr) take_command(at, *of);
      return;
    case wire::pdu_type::capsule_resp:
      return take_response(at, of);
    case wire::pdu_type::h2c_data:
      return take_h2c(at, of);
    case wire::pdu_type::c2h_data:
      return take_c2h(at, of);
    case wire::pdu_type::r2t:
      return take_r2t(at, of);
  }
}

void queue_checker::on_completion(const connection& c, const command& k, const completion& done) {
  if (done.answered()) {
    ++completed_;
    finished_.add(k.cid, done.how);
  }
  if (const transfer* t = transfer_of(k); t != nullptr && t->open_r2ts > 0)
    r2ts_.orphan_of(k.number);
  if (k.admin && k.opcode() == static_cast<std::uint8_t>(wire::admin_opcode::async_event_request) &&
      aers_ > 0)
    --aers_;
  if (rdma_ != nullptr) finish_rdma(k, done);
  learn(c, k, done);
}

void queue_checker::on_notice(const connection& c, const notice& n) {
  half& h = half_of(n.going);
  switch (n.kind) {
    case notice_kind::middle:
      // Before its first PDU it is not known whether anything is missing.
      h.doubtful = doubtful_pdus;
      if (h.pdus == 0)
        h.begins_within = true;
      else
        suspend(c, gap::middle, n.going, n.at);
      return;
    case notice_kind::lost:
      h.doubtful = doubtful_pdus;
      return suspend(c, gap::lost, n.going, n.at);
    case notice_kind::bad_plen:
      if (h.doubtful == 0)
        report(c, {.id = rule::pdu_plen,
                   .by = side_of(n.going),
                   .going = n.going,
                   .at = n.at,
                   .offset = 0,
                   .pdu = std::nullopt,
                   .cid = std::nullopt,
                   .shown = {"plen", std::nullopt, bound::within(8, pdu_bytes_max)}});
      h.doubtful = doubtful_pdus;
      return suspend(c, gap::bad_header, n.going, n.at);
    case notice_kind::not_tracked:
      return suspend(c, gap::not_tracked, n.going, n.at);
    case notice_kind::packets_lost:
      return suspend(c, gap::lost, n.going, n.at);
    case notice_kind::cid_in_use: {
      if (n.about == nullptr || n.about->header_digest == digest_state::bad || !whole_) return;
      const auto cid = static_cast<std::uint16_t>(n.a);
      report({c, *n.about, cid}, rule::cid_in_use, "cid", cid,
             bound::words("one that is not outstanding"));
      // What is said of it from here on may be meant for either.
      return suspend(c, gap::ambiguous, n.going, n.at);
    }
    case notice_kind::found:
    case notice_kind::missing:
    case notice_kind::header_digest:
    case notice_kind::data_digest:
    case notice_kind::unknown_pdu:
    case notice_kind::wrong_way:
    case notice_kind::no_command:
      return;
  }
}

void queue_checker::on_end(const connection& c, const stamp& at, bool closed) {
  if (closed && whole_ && !c.in_doubt() && c.carried_by() == fabric::tcp) check_ending(c, at);
  if (facts_ == nullptr || queue_.qid != 0) return;
  if (closed) check_alive(c, at, nullptr, nullptr);
  facts_->open = false;
  facts_->admin = nullptr;
  controllers_.remove(facts_);
}

}  // namespace nvmf::trace
