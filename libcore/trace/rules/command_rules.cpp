// SPDX-License-Identifier: BSD-2-Clause
// Rules of commands and their capsules, and of the silence between them.
#include "queue_checker.hpp"
#include "wire/layouts/commands.hpp"
#include "wire/layouts/commands_admin.hpp"
#include "wire/layouts/commands_nvm.hpp"
#include "wire/layouts/entries.hpp"
#include "wire/layouts/fabrics.hpp"
#include "wire/tables.hpp"

namespace nvmf::trace {

using wire::get;

namespace {

// In-capsule data of the Admin Queue and of Fabrics commands (TCP 3.2.4).
constexpr std::uint32_t admin_capsule_data_max = 8192;
constexpr std::uint64_t identify_data = 4096, dsm_range_bytes = 16;

bool is_admin(const command& k, wire::admin_opcode opcode) {
  return k.admin && k.opcode() == static_cast<std::uint8_t>(opcode);
}

struct descriptor {
  std::uint64_t address, length;
  wire::sgl_type type;
  wire::sgl_subtype subtype;
};
descriptor sgl_of(const command& k) {
  const wire::byte_span b = wire::bytes_of<wire::sqe_layout, "sgl1">(wire::byte_span{k.sqe});
  return {get<wire::sgl_layout, "addr">(b), get<wire::sgl_layout, "length">(b),
          static_cast<wire::sgl_type>(get<wire::sgl_layout, "type">(b)),
          static_cast<wire::sgl_subtype>(get<wire::sgl_layout, "subtype">(b))};
}

}  // namespace

void queue_checker::take_command(const place& at, const command& k) {
  ++sent_;
  if (is_admin(k, wire::admin_opcode::async_event_request)) ++aers_;
  if (k.slot >= transfers_.size()) transfers_.resize(k.slot + 1);
  transfer& t = transfers_[k.slot];
  t = {};
  if (half_of(at.p.going).doubtful > 0) return;
  t.number = k.number;
  t.epoch = epoch_;
  t.completed_before = completed_;
  t.in_capsule = k.in_capsule > 0;
  const unsigned direction = (is_fabrics(k) ? k.fctype() : k.opcode()) & 3u;
  t.sends = (direction & 1) != 0;
  t.receives = (direction & 2) != 0;
  const descriptor sgl = sgl_of(k);
  if (sgl.type == wire::sgl_type::data_block || sgl.type == wire::sgl_type::transport_data_block)
    t.length = static_cast<std::uint32_t>(sgl.length);
  if (rdma_ != nullptr) take_keys(at, k, t);
  if (is_fabrics(k, wire::fabrics_type::connect))
    take_connect(at, k);
  else
    check_queue(at, k);
  if (at.on.carried_by() == fabric::tcp)
    check_sgl(at, k, t);
  else if (rdma_ != nullptr)
    check_rdma_sgl(at, k, t);
  check_sgl_length(at, k, t);
  check_limits(at, k, t);
  check_alive(at.on, at.p.ended, &at.p, &k);
}

void queue_checker::check_queue(const place& at, const command& k) {
  if (whole_ && !queue_.connected)
    report(at, rule::connect_first, "opc", k.opcode(), bound::words("Connect, and its success"));
  if (!queue_.asked) return;
  const bool property = is_fabrics(k, wire::fabrics_type::property_get) ||
                        is_fabrics(k, wire::fabrics_type::property_set);
  if (property && queue_.qid != 0)
    report(at, rule::property_queue, "qid", queue_.qid, bound::is(0));
  if (is_fabrics(k, wire::fabrics_type::disconnect) && queue_.qid == 0)
    report(at, rule::disconnect_queue, "qid", 0, bound::at_least(1));
  if (!whole_) return;
  const std::uint64_t counted = at.on.outstanding() - aers_;
  if (queue_.connected && queue_.sqsize > 0 && counted > queue_.sqsize)
    report(at, rule::queue_depth, "outstanding commands", counted, bound::at_most(queue_.sqsize));
  if (facts_ == nullptr || !facts_->identified || queue_.qid != 0) return;
  if (is_admin(k, wire::admin_opcode::async_event_request) && aers_ > facts_->aerl + 1u)
    report(at, rule::aer_limit, "outstanding requests", aers_, bound::at_most(facts_->aerl + 1u));
}

void queue_checker::check_sgl(const place& at, const command& k, const transfer& t) {
  const descriptor sgl = sgl_of(k);
  const bool data = t.sends || t.receives;
  const bool blank = sgl.length == 0 && sgl.type == wire::sgl_type::data_block;
  // A command may have none of the data that its opcode could move.
  if (blank && k.in_capsule == 0) return;
  const auto psdt = get<wire::sqe_layout, "psdt">(k.sqe);
  if (data && psdt == 0 && !is_fabrics(k))
    return report(at, rule::sgl_form, "psdt", psdt, bound::within(1, 2));
  if (!data && k.in_capsule == 0) return;
  const bool in_place =
      sgl.type == wire::sgl_type::data_block && sgl.subtype == wire::sgl_subtype::offset;
  const bool transport = sgl.type == wire::sgl_type::transport_data_block &&
                         sgl.subtype == wire::sgl_subtype::transport;
  const bool single =
      sgl.type == wire::sgl_type::data_block || sgl.type == wire::sgl_type::transport_data_block;
  if (sgl.type == wire::sgl_type::keyed_data_block)
    return report(at, rule::sgl_form, "sgl1.type", static_cast<std::uint64_t>(sgl.type),
                  bound::words("a data block of the capsule (0) or of the transport (5)"));
  if (single && !in_place && !transport)
    return report(at, rule::sgl_form, "sgl1.subtype", static_cast<std::uint64_t>(sgl.subtype),
                  bound::words("offset (1) of a data block, transport (10) of the transport's"));
  if (transport && k.in_capsule > 0)
    return report(at, rule::capsule_sgl, "data in the capsule", k.in_capsule, bound::is(0));
  if (in_place && sgl.address + sgl.length != k.in_capsule)
    report(at, rule::capsule_sgl, "sgl1.addr + sgl1.length", sgl.address + sgl.length,
           bound::is(k.in_capsule));
}

// What the fields of a command tell of its data.
void queue_checker::check_sgl_length(const place& at, const command& k, const transfer& t) {
  if (!t.length || *t.length == 0 || is_fabrics(k) || !at.on.queue_known()) return;
  std::uint64_t data = 0;
  if (is_admin(k, wire::admin_opcode::identify))
    data = identify_data;
  else if (is_admin(k, wire::admin_opcode::get_log_page))
    data = (get<wire::get_log_page_command, "numdl">(k.sqe) |
            get<wire::get_log_page_command, "numdu">(k.sqe) << 16) *
               4 +
           4;
  else if (!k.admin &&
           k.opcode() == static_cast<std::uint8_t>(wire::nvm_opcode::dataset_management))
    data = (get<wire::dataset_management_command, "nr">(k.sqe) + 1) * dsm_range_bytes;
  if (*t.length < data)
    report(at, rule::sgl_length, "sgl1.length", *t.length, bound::at_least(data));
}

void queue_checker::check_limits(const place& at, const command& k, const transfer& t) {
  const bool known = at.on.queue_known();
  if (at.on.carried_by() != fabric::tcp) {
    if (rdma_ != nullptr) check_rdma_capsule(at, k);
  } else if (is_fabrics(k) || (known && k.admin)) {
    if (k.in_capsule > admin_capsule_data_max)
      report(at, rule::capsule_limit, "data in the capsule", k.in_capsule,
             bound::at_most(admin_capsule_data_max));
  } else if (known && facts_ != nullptr) {
    const auto most = facts_->capsule_data_max();
    if (most && k.in_capsule > *most)
      report(at, rule::capsule_limit, "data in the capsule", k.in_capsule, bound::at_most(*most));
  }
  if (facts_ == nullptr || is_fabrics(k) || !t.length || !(t.sends || t.receives)) return;
  const std::uint64_t most = facts_->transfer_max();
  if (most > 0 && *t.length > most)
    report(at, rule::mdts, "sgl1.length", *t.length, bound::at_most(most));
}

void queue_checker::check_alive(const connection& c, const stamp& at, const pdu* p,
                                const command* k) {
  if (facts_ == nullptr || !facts_->open || queue_.qid != 0) return;
  const bool counts = facts_->tbkas || k == nullptr || is_admin(*k, wire::admin_opcode::keep_alive);
  if (!counts) return;
  const std::int64_t silent = at.ns - facts_->alive_ns, most = facts_->kato_ns();
  facts_->alive_ns = at.ns;
  // With TBKAS a command of an I/O queue is enough, also one that the capture does not have.
  if (c.in_doubt() || (facts_->tbkas && facts_->io_queues > 0)) return;
  if (most > 0 && silent > most && facts_->whole)
    report(c, {.id = rule::keep_alive,
               .by = side::host,
               .going = way::to_controller,
               .at = at,
               .offset = p != nullptr ? p->offset : 0,
               .pdu = p != nullptr ? std::optional{p->type} : std::nullopt,
               .cid = k != nullptr ? std::optional{k->cid} : std::nullopt,
               .shown = {"ms of silence", static_cast<std::uint64_t>(silent / 1'000'000),
                         bound::at_most(static_cast<std::uint64_t>(most / 1'000'000))}});
}

}  // namespace nvmf::trace
