// SPDX-License-Identifier: BSD-2-Clause
// Rules of data over RDMA: a controller reads and writes memory of the host, by keys that commands
// gave; and what a response may say of it.
#include <algorithm>

#include "queue_checker.hpp"
#include "trace/rdma/rdma_facts.hpp"
#include "trace/rdma/roce_packet.hpp"
#include "wire/layouts/entries.hpp"
#include "wire/layouts/pdu.hpp"
#include "wire/tables.hpp"

namespace nvmf::trace {

using wire::get;

namespace {

bool is_keyed(wire::byte_span sgl) {
  return static_cast<wire::sgl_type>(get<wire::sgl_layout, "type">(sgl)) ==
         wire::sgl_type::keyed_data_block;
}
std::uint32_t key_of(wire::byte_span sgl) {
  return static_cast<std::uint32_t>(get<wire::keyed_sgl_layout, "key">(sgl));
}
bool is(const command& k, wire::nvm_opcode opcode) {
  return !k.admin && k.opcode() == static_cast<std::uint8_t>(opcode);
}

}  // namespace

// A READ or WRITE with a key that no outstanding command gave.
void queue_checker::check_key(const place& found) {
  // An end tells of a work request when it is done, which may be after the response.
  if (!whole_ || !found.p.rdma->packets) return;
  place at = found;
  const std::uint32_t key = *at.p.rdma->key;
  const auto used = rdma_->find_used(key);
  if (used) at.cid = used->cid;
  report(at, used ? rule::rdma_after_response : rule::rdma_key, "key", key,
         bound::words(used ? "nothing: the command has been answered"
                           : "that of a command that is outstanding"));
}

void queue_checker::check_memory(const place& at, const command& k, std::uint64_t bytes) {
  const wire::byte_span sgl = sgl1_of(k);
  if (!is_keyed(sgl)) return;  // a list: it is known which key, and not which piece of memory
  const std::uint64_t from = get<wire::keyed_sgl_layout, "addr">(sgl);
  const std::uint64_t length = get<wire::keyed_sgl_layout, "length">(sgl);
  const std::uint64_t begin = at.p.rdma->address;
  if (begin - from > length)
    report(at, rule::rdma_range, "address", begin, bound::within(from, from + length));
  else if (bytes > length - (begin - from))
    report(at, rule::rdma_range, "address + length", begin + bytes, bound::at_most(from + length));
}

void queue_checker::take_write(const place& at, const command* of) {
  const rdma_facts* r = at.p.rdma;
  if (r == nullptr || !r->key || rdma_ == nullptr) {  // told by an end
    if (of != nullptr) learn_data(at, *of);
    return;
  }
  if (r->host_asked) return;  // the question was reported
  if (r->packets && !r->broken && at.p.data_bytes != r->announced)
    report(at, rule::rdma_length, "bytes of the WRITE", at.p.data_bytes, bound::is(r->announced));
  if (of == nullptr) return check_key(at);
  learn_data(at, *of);
  const transfer* t = transfer_of(*of);
  if (t == nullptr) return;
  if (!t->receives)
    return report(at, rule::rdma_direction, "operation", std::nullopt,
                  bound::words("no WRITE for a command that receives nothing"));
  check_memory(at, *of, at.p.data_bytes);
}

void queue_checker::take_read(const place& at, const command* of) {
  const rdma_facts* r = at.p.rdma;
  if (r == nullptr || !r->key || rdma_ == nullptr) return;
  if (r->host_asked)
    return report(at, rule::rdma_host_access, "operation", std::nullopt,
                  bound::words("no READ by the host"));
  if (of == nullptr) return check_key(at);
  const transfer* t = transfer_of(*of);
  if (t == nullptr) return;
  if (!t->sends)
    return report(at, rule::rdma_direction, "operation", std::nullopt,
                  bound::words("no READ for a command that sends nothing"));
  check_memory(at, *of, r->packets ? r->announced : get<wire::pdu_r2t, "r2tl">(at.p.header));
  if (!r->packets) return;
  if (rdma_->reads.size() == rdma_ledger::reads_max) rdma_->reads.erase(rdma_->reads.begin());
  rdma_->reads.push_back({.psn = r->psn, .slot = of->slot, .number = of->number});
}

void queue_checker::take_read_answer(const place& at, const command* of) {
  const rdma_facts* r = at.p.rdma;
  if (of != nullptr && is_fabrics(*of, wire::fabrics_type::connect) &&
      get<wire::pdu_h2c_data, "datao">(at.p.header) == 0 && transfer_of(*of) != nullptr)
    take_connect_data(at);
  if (r == nullptr || !r->key || rdma_ == nullptr) return;
  if (r->host_asked)
    return report(at, rule::rdma_host_access, "operation", std::nullopt,
                  bound::words("no WRITE by the host"));
  if (!r->packets) return;
  if (!r->broken && at.p.data_bytes != r->announced)
    report(at, rule::rdma_length, "bytes of the answer", at.p.data_bytes, bound::is(r->announced));
  // They are answered in order: of those before it the capture does not have the answers.
  const auto first_after = std::ranges::find_if(
      rdma_->reads, [&](const rdma_ledger::read& q) { return psn_distance(q.psn, r->psn) < 0; });
  const bool found = first_after != rdma_->reads.begin() && (first_after - 1)->psn == r->psn;
  if (found && (first_after - 1)->done)
    report(at.on, {.id = rule::rdma_before_data,
                   .by = side::controller,
                   .going = way::to_host,
                   .at = at.p.ended,
                   .offset = at.p.offset,
                   .pdu = at.p.type,
                   .cid = at.cid,
                   .shown = {"response", std::nullopt, bound::words("one behind this data")}});
  rdma_->reads.erase(rdma_->reads.begin(), first_after);
}

void queue_checker::check_rdma_response(const place& at, const command& k, const transfer& t) {
  const rdma_facts* r = at.p.rdma;
  if (r == nullptr || !r->packets) return;
  if (r->invalidated && r->invalidated != t.may_invalidate)
    report(at, rule::rdma_invalidate, "invalidated key", *r->invalidated,
           t.may_invalidate ? bound::is(*t.may_invalidate) : bound::words("none"));
  const wire::byte_span cqe = at.p.header.subspan(wire::pdu_common.size);
  const bool good = get<wire::cqe_layout, "sc">(cqe) == 0 && get<wire::cqe_layout, "sct">(cqe) == 0;
  if (!good || !t.length || t.in_capsule || !queue_.connected) return;
  const bool read = is(k, wire::nvm_opcode::read);
  if (!read && !is(k, wire::nvm_opcode::write)) return;
  const std::uint64_t moved = read ? k.c2h_bytes : k.asked;
  if (moved < *t.length) report(at, rule::rdma_short, "bytes of data", moved, bound::is(*t.length));
}

void queue_checker::finish_rdma(const command& k, const completion& done) {
  if (!done.answered()) return;
  if (const wire::byte_span sgl = sgl1_of(k); is_keyed(sgl) && key_of(sgl) != 0)
    rdma_->add_used({key_of(sgl), k.cid});
  const bool good = !done.failed();
  for (rdma_ledger::read& q : rdma_->reads)
    if (q.number == k.number) q.done = good;
}

}  // namespace nvmf::trace
