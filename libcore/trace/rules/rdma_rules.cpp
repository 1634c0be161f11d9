// SPDX-License-Identifier: BSD-2-Clause
// Rules of NVMe/RDMA: private data of the connection manager, and capsules. Where only an end tells
// what it sends and receives (the inside, the loop), those that need no packets are left.
#include <algorithm>

#include "queue_checker.hpp"
#include "trace/rdma/rdma_facts.hpp"
#include "wire/layouts/entries.hpp"
#include "wire/layouts/fabrics.hpp"
#include "wire/layouts/pdu.hpp"
#include "wire/layouts/rdma.hpp"
#include "wire/tables.hpp"

namespace nvmf::trace {

using wire::get;
using wire::sgl_subtype;
using wire::sgl_type;

namespace {

constexpr std::uint64_t capsule_bytes = wire::sqe_layout.size;
constexpr std::uint64_t response_bytes = wire::cqe_layout.size;
constexpr std::uint16_t consumer_reject = 28;  // of the connection manager: see its private data
constexpr std::size_t descriptor_bytes = 16;
constexpr std::uint64_t icdoff_unit = 16;

sgl_type type_of(wire::byte_span sgl) {
  return static_cast<sgl_type>(get<wire::sgl_layout, "type">(sgl));
}
sgl_subtype subtype_of(wire::byte_span sgl) {
  return static_cast<sgl_subtype>(get<wire::sgl_layout, "subtype">(sgl));
}
std::uint16_t word(std::uint64_t v) { return static_cast<std::uint16_t>(v); }

}  // namespace

void queue_checker::judge_capsules(const place& at, const command* of) {
  const pdu& p = at.p;
  const bool packets = p.rdma != nullptr && p.rdma->packets;
  if (at.on.carried_by() == fabric::rdma && rdma_ == nullptr)
    rdma_ = std::make_unique<rdma_ledger>();
  if (p.rdma != nullptr && p.rdma->private_data != nullptr) return take_private_data(at);
  const auto type = static_cast<wire::pdu_type>(p.type);
  // An answer to a READ has the number of the question.
  const bool answer = type == wire::pdu_type::h2c_data;
  if (rdma_ != nullptr && !answer)
    flush_waiting(at.on, p.going == way::to_controller ? side::controller : side::host);
  const std::size_t entry =
      p.header.size() - std::min<std::size_t>(p.header.size(), wire::pdu_common.size);
  // How much its capsule has is not known.
  if (packets && p.rdma->broken) return suspend(at.on, gap::lost, p.going, p.ended);
  switch (type) {
    case wire::pdu_type::capsule_cmd:
      if (packets && p.rdma->message_bytes < capsule_bytes)
        return report(at, rule::rdma_command_size, "bytes", p.rdma->message_bytes,
                      bound::at_least(capsule_bytes));
      if (entry < capsule_bytes) return suspend(at.on, gap::header_cut, p.going, p.ended);
      if (of != nullptr) take_command(at, *of);
      return;
    case wire::pdu_type::capsule_resp:
      if (packets && p.rdma->message_bytes != response_bytes)
        report(at, rule::rdma_response_size, "bytes", p.rdma->message_bytes,
               bound::is(response_bytes));
      else if (entry < response_bytes)
        return suspend(at.on, gap::header_cut, p.going, p.ended);
      if (entry >= response_bytes) take_response(at, of);
      return;
    case wire::pdu_type::c2h_data:
      return take_write(at, of);
    case wire::pdu_type::r2t:
      return take_read(at, of);
    case wire::pdu_type::h2c_data:
      return take_read_answer(at, of);
    case wire::pdu_type::icreq:
    case wire::pdu_type::icresp:
    case wire::pdu_type::h2c_termreq:
    case wire::pdu_type::c2h_termreq:
      return;
  }
}

void queue_checker::flush_waiting(const connection& c, side by) {
  std::vector<violation>& due = rdma_->waiting[static_cast<std::size_t>(by)];
  for (const violation& v : due) report(c, v);
  due.clear();
}

void queue_checker::take_private_data(const place& at) {
  const wire::byte_span b = at.p.header;
  const wire::layout& form = *at.p.rdma->private_data;
  if (b.size() < form.size) return;
  const bool reject = &form == &wire::rdma_cm_reject;
  if (reject && at.p.rdma->reject_reason != consumer_reject) return;
  if (const std::uint64_t format = get<wire::rdma_cm_accept, "recfmt">(b); format != 0)
    return report(at, rule::cm_format, "recfmt", format, bound::is(0));
  check_private_reserved(at);
  if (reject) return take_reject(at);
  if (&form == &wire::rdma_cm_request) return take_cm_request(at);
  rdma_->response = true;
  if (get<wire::rdma_cm_accept, "crqsize">(b) == 0)
    report(at, rule::cm_sizes, "crqsize", 0, bound::at_least(1));
}

void queue_checker::take_cm_request(const place& at) {
  const wire::byte_span b = at.p.header;
  rdma_->request = true;
  rdma_->qid = word(get<wire::rdma_cm_request, "qid">(b));
  rdma_->hrqsize = word(get<wire::rdma_cm_request, "hrqsize">(b));
  rdma_->hsqsize = word(get<wire::rdma_cm_request, "hsqsize">(b));
  rdma_->cntlid = word(get<wire::rdma_cm_request, "cntlid">(b));
  if (rdma_->hrqsize == 0) report(at, rule::cm_sizes, "hrqsize", 0, bound::at_least(1));
  if (rdma_->hsqsize == 0) report(at, rule::cm_sizes, "hsqsize", 0, bound::at_least(1));
  if (rdma_->qid == 0 && rdma_->cntlid != 0)
    report(at, rule::cm_cntlid, "cntlid", rdma_->cntlid, bound::is(0));
}

// A reject, with a reason of NVMe's own.
void queue_checker::take_reject(const place& at) {
  const auto status = static_cast<std::uint32_t>(get<wire::rdma_cm_reject, "sts">(at.p.header));
  if (wire::rdma_cm_statuses.find(status) == nullptr)
    return report(at, rule::cm_status, "sts", status,
                  bound::words("a status of the table rdma-cm-status"));
  if (!rdma_->request) return;
  using enum wire::rdma_cm_status;
  const auto why = static_cast<wire::rdma_cm_status>(status);
  // RECFMT was 0, or the request would not have been taken.
  if (why == invalid_recfmt || why == invalid_private_data_length)
    return report(at, rule::cm_cause, "sts", status, bound::words("a field that is wrong"));
  if (rdma_->qid == 0 && (why == invalid_qid || (why == invalid_cntlid && rdma_->cntlid == 0)))
    report(at, rule::cm_cause, "sts", status, bound::words("a field that is wrong"));
}

// Connect says again what the private data said.
void queue_checker::check_private_data(const place& at) {
  if (!rdma_->request) return;
  if (queue_.qid != rdma_->qid)
    report(at, rule::cm_qid, "qid", queue_.qid, bound::is(rdma_->qid));
  else if (queue_.sqsize != rdma_->hsqsize)
    report(at, rule::cm_hsqsize, "sqsize", queue_.sqsize, bound::is(rdma_->hsqsize));
}

void queue_checker::check_private_cntlid(const place& at) {
  if (!rdma_->request || rdma_->cntlid == 0 || queue_.qid == 0) return;
  const auto cntlid = get<wire::connect_data, "cntlid">(at.p.data);
  if (cntlid != rdma_->cntlid)
    report(at, rule::cm_cntlid, "cntlid", cntlid, bound::is(rdma_->cntlid));
}

// The length of its data, and the key that its response may invalidate: that of its last
// descriptor.
void queue_checker::take_keys(const place& at, const command& k, transfer& t) {
  const auto add = [&](wire::byte_span sgl) {
    if (type_of(sgl) != sgl_type::keyed_data_block) return;
    t.length = t.length.value_or(0) +
               static_cast<std::uint32_t>(get<wire::keyed_sgl_layout, "length">(sgl));
    t.may_invalidate.reset();
    if (subtype_of(sgl) == sgl_subtype::invalidate_key)
      t.may_invalidate = static_cast<std::uint32_t>(get<wire::keyed_sgl_layout, "key">(sgl));
  };
  add(sgl1_of(k));
  if (type_of(sgl1_of(k)) != sgl_type::last_segment || at.p.data.size() != k.in_capsule) return;
  for (std::size_t i = 0; i + descriptor_bytes <= at.p.data.size(); i += descriptor_bytes)
    add(at.p.data.subspan(i, descriptor_bytes));
}

void queue_checker::check_rdma_sgl(const place& at, const command& k, const transfer& t) {
  const wire::byte_span sgl = sgl1_of(k);
  const sgl_type type = type_of(sgl);
  const sgl_subtype subtype = subtype_of(sgl);
  const std::uint64_t length = get<wire::sgl_layout, "length">(sgl);
  if (!(t.sends || t.receives) && k.in_capsule == 0) return;
  const bool fabrics = k.opcode() == wire::fabrics_opcode;
  if (get<wire::sqe_layout, "psdt">(k.sqe) == 0 && !fabrics && length != 0)
    return report(at, rule::rdma_sgl, "psdt", 0, bound::within(1, 2));
  if (type == sgl_type::keyed_data_block) {
    if (subtype != sgl_subtype::address && subtype != sgl_subtype::invalidate_key)
      return report(at, rule::rdma_sgl, "sgl1.subtype", static_cast<std::uint64_t>(subtype),
                    bound::words("address (0) or invalidate-key (15)"));
    if (k.in_capsule > 0)
      report(at, rule::rdma_capsule_data, "data in the capsule", k.in_capsule, bound::is(0));
    return;
  }
  const bool block = type == sgl_type::data_block, list = type == sgl_type::last_segment;
  if (block && length == 0 && k.in_capsule == 0) return;
  if (!(block || list) || (list && (fabrics || k.admin)))
    return report(at, rule::rdma_sgl, "sgl1.type", static_cast<std::uint64_t>(type),
                  list ? bound::words("one keyed data block (4)")
                       : bound::words("a keyed data block (4), or a data block or last segment in "
                                      "the capsule (0, 3)"));
  if (subtype != sgl_subtype::offset)
    return report(at, rule::rdma_sgl, "sgl1.subtype", static_cast<std::uint64_t>(subtype),
                  bound::words("offset (1)"));
  const std::uint64_t begin = get<wire::sgl_layout, "addr">(sgl);
  // A list stands behind the SQE, and may have data of other descriptors behind it.
  if (list ? begin + length > k.in_capsule : begin + length != k.in_capsule)
    return report(at, rule::rdma_capsule_data, "sgl1.addr + sgl1.length", begin + length,
                  list ? bound::at_most(k.in_capsule) : bound::is(k.in_capsule));
  if (block && facts_ != nullptr && facts_->identified && !fabrics &&
      begin < facts_->icdoff * icdoff_unit)
    report(at, rule::rdma_capsule_offset, "sgl1.addr", begin,
           bound::at_least(facts_->icdoff * icdoff_unit));
}

void queue_checker::check_rdma_capsule(const place& at, const command& k) {
  if (rdma_->request && rdma_->hrqsize > 0 && whole_ && at.on.outstanding() > rdma_->hrqsize)
    report(at, rule::rdma_receives, "outstanding commands", at.on.outstanding(),
           bound::at_most(rdma_->hrqsize));
  if (k.in_capsule == 0 || !at.on.queue_known()) return;
  const std::uint64_t bytes = capsule_bytes + k.in_capsule;
  if (k.admin)
    return report(at, rule::rdma_capsule_limit, "bytes of the capsule", bytes,
                  bound::is(capsule_bytes));
  if (k.opcode() == wire::fabrics_opcode)
    report(at, rule::rdma_fabrics_data, "data in the capsule", k.in_capsule, bound::is(0));
  const auto most = facts_ == nullptr ? std::nullopt : facts_->capsule_data_max();
  if (most && k.in_capsule > *most)
    report(at, rule::rdma_capsule_limit, "bytes of the capsule", bytes,
           bound::at_most(capsule_bytes + *most));
}

}  // namespace nvmf::trace
