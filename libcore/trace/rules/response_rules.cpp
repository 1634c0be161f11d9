// SPDX-License-Identifier: BSD-2-Clause
// Rules of completions.
#include "queue_checker.hpp"
#include "wire/layouts/entries.hpp"
#include "wire/layouts/pdu.hpp"
#include "wire/status.hpp"
#include "wire/tables.hpp"

namespace nvmf::trace {

using wire::get;

namespace {

bool is_read(const command& k) {
  return !k.admin && k.opcode() == static_cast<std::uint8_t>(wire::nvm_opcode::read);
}

}  // namespace

void queue_checker::take_response(const place& found, const command* of) {
  const wire::byte_span cqe = found.p.header.subspan(wire::pdu_common.size);
  place at = found;
  at.cid = static_cast<std::uint16_t>(get<wire::cqe_layout, "cid">(cqe));
  check_entry(at, of);
  if (of == nullptr) return check_unknown_response(at);
  const bool good = get<wire::cqe_layout, "sc">(cqe) == 0 && get<wire::cqe_layout, "sct">(cqe) == 0;
  if (is_fabrics(*of, wire::fabrics_type::connect) && good && !queue_.connected)
    take_connect_response(at, *of);
  const transfer* t = transfer_of(*of);
  if (t == nullptr) return;
  if (!is_fabrics(*of, wire::fabrics_type::connect)) check_sqhd(at, *of, *t);
  if (rdma_ != nullptr) check_rdma_response(at, *of, *t);
  if (good && at.on.carried_by() == fabric::tcp) check_data_sent(at, *of, *t);
}

// Before a command succeeded.
void queue_checker::check_data_sent(const place& at, const command& k, const transfer& t) {
  if (t.open_r2ts > 0)
    report(at, rule::response_before_data, "outstanding R2Ts", t.open_r2ts, bound::is(0));
  if (t.received > 0 && !t.last_seen)
    report(at, rule::c2h_last, "flags.last of the data before", 0, bound::is(1));
  if (is_read(k) && queue_.connected && t.length && t.received < *t.length)
    report(at, rule::read_short, "bytes of data", t.received, bound::is(*t.length));
}

// What every entry has.
void queue_checker::check_entry(const place& at, const command* of) {
  const wire::byte_span cqe = at.p.header.subspan(wire::pdu_common.size);
  if (get<wire::cqe_layout, "p">(cqe) != 0) report(at, rule::cqe_phase, "p", 1, bound::is(0));
  const auto status = static_cast<std::uint16_t>(wire::load_le(cqe, 14, 2) >> 1 & 0x7ff);
  constexpr unsigned vendor_type = 7, vendor_code = 0xc0;
  if (status >> 8 == vendor_type || (status & 0xff) >= vendor_code) return;
  const auto names = of != nullptr && of->opcode() == wire::fabrics_opcode
                         ? wire::status_set::fabrics
                         : wire::status_set::nvm;
  if (wire::find_status(status, names) == nullptr)
    report(at, rule::cqe_status, "sct, sc", status, bound::words("a status of the tables"));
}

void queue_checker::check_unknown_response(const place& at) {
  if (!whole_) return;
  const auto ended = finished_.find(*at.cid);
  if (!ended)
    return report(at, rule::response_command, "cid", *at.cid, bound::words("that of a command"));
  const bool success = *ended == fate::success;
  report(at, success ? rule::response_after_success : rule::response_twice, "cid", *at.cid,
         bound::words(success ? "nothing: SUCCESS has completed it" : "that of a command"));
}

// The head stands behind all that was completed before this command was sent (and behind this
// command), and not beyond what was sent until now.
void queue_checker::check_sqhd(const place& at, const command&, const transfer& t) {
  if (!whole_ || !queue_.connected || !queue_.counted || !queue_.flow_control) return;
  const std::uint64_t size = queue_.sqsize + 1u;
  const auto sqhd = get<wire::cqe_layout, "sqhd">(at.p.header.subspan(wire::pdu_common.size));
  if (sqhd >= size) return report(at, rule::sqhd, "sqhd", sqhd, bound::at_most(size - 1));
  // Whether Connect takes a place of the queue, controllers see differently.
  const std::uint64_t head_min = t.completed_before;
  if (sent_ - head_min >= size) return;
  if ((sqhd + size - head_min % size) % size > sent_ - head_min)
    report(at, rule::sqhd, "sqhd", sqhd, bound::within(head_min % size, sent_ % size));
}

}  // namespace nvmf::trace
