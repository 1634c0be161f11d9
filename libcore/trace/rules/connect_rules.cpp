// SPDX-License-Identifier: BSD-2-Clause
// Rules of Connect, and what is learned of the controller behind it.
#include <algorithm>
#include <array>

#include "queue_checker.hpp"
#include "wire/layouts/commands.hpp"
#include "wire/layouts/entries.hpp"
#include "wire/layouts/fabrics.hpp"
#include "wire/layouts/pdu.hpp"
#include "wire/nqn.hpp"
#include "wire/tables.hpp"

namespace nvmf::trace {

using wire::get;

namespace {

constexpr std::uint16_t cntlid_max = 0xffef;
constexpr std::uint16_t cntlid_static = 0xfffe;
constexpr std::uint16_t sqhd_no_flow_control = 0xffff;

}  // namespace

void queue_checker::take_connect(const place& at, const command& k) {
  if (queue_.connected) {
    if (whole_)
      report(at, rule::connect_once, "opc", k.opcode(), bound::words("any other command"));
    return;
  }
  queue_ = {};
  queue_.asked = true;
  queue_.qid = static_cast<std::uint16_t>(get<wire::connect_command, "qid">(k.sqe));
  queue_.sqsize = static_cast<std::uint16_t>(get<wire::connect_command, "sqsize">(k.sqe));
  queue_.no_flow_control_asked = at.on.agreed().no_sq_flow_control;
  queue_.counted = k.number == 1;
  const auto recfmt = get<wire::connect_command, "recfmt">(k.sqe);
  const auto kato = get<wire::connect_command, "kato">(k.sqe);
  if (recfmt != 0) report(at, rule::connect_format, "recfmt", recfmt, bound::is(0));
  if (queue_.sqsize == 0) report(at, rule::connect_sqsize, "sqsize", 0, bound::at_least(1));
  if (queue_.qid != 0 && kato != 0) report(at, rule::connect_kato, "kato", kato, bound::is(0));
  const transfer& t = transfers_[k.slot];
  if (t.length && *t.length != wire::connect_data.size)
    report(at, rule::connect_data, "sgl1.length", *t.length, bound::is(wire::connect_data.size));
  facts_.reset();
  if (rdma_ != nullptr) check_private_data(at);
  take_connect_data(at);
}

// In its capsule, or fetched by the controller.
void queue_checker::take_connect_data(const place& at) {
  if (at.p.data.size() < wire::connect_data.size) return;
  check_connect_data(at);
  if (rdma_ != nullptr) check_private_cntlid(at);
  join_controller(at);
}

void queue_checker::check_connect_data(const place& at) {
  const wire::byte_span b = at.p.data;
  const auto cntlid = get<wire::connect_data, "cntlid">(b);
  if (queue_.qid == 0 && cntlid > cntlid_max && cntlid < cntlid_static)
    report(at, rule::connect_cntlid, "cntlid", cntlid, bound::words("0 to 65519, 65534 or 65535"));
  if (queue_.qid != 0 && cntlid > cntlid_max)
    report(at, rule::connect_cntlid, "cntlid", cntlid, bound::at_most(cntlid_max));
  const auto name = bound::words("a name of 1 to 223 bytes with a zero behind it");
  if (!wire::nqn_in_field(wire::bytes_of<wire::connect_data, "subnqn">(b), "subnqn"))
    report(at, rule::connect_names, "subnqn", std::nullopt, name);
  if (!wire::nqn_in_field(wire::bytes_of<wire::connect_data, "hostnqn">(b), "hostnqn"))
    report(at, rule::connect_names, "hostnqn", std::nullopt, name);
  const auto id = wire::bytes_of<wire::connect_data, "hostid">(b);
  if (std::ranges::all_of(id, [](std::byte x) { return x == std::byte{}; }))
    report(at, rule::connect_host_id, "hostid", 0, bound::words("anything else"));
}

// Which controller this is a queue of, and whether the host may connect it now.
void queue_checker::join_controller(const place& at) {
  const agreement& now = at.on.agreed();
  if (queue_.qid == 0) {
    facts_ = std::make_shared<controller_facts>();
    facts_->admin = &at.on;
    facts_->whole = whole_;
    facts_->host_nqn = now.host_nqn;
    facts_->host_id = now.host_id;
    return;
  }
  const auto cntlid = static_cast<std::uint16_t>(get<wire::connect_data, "cntlid">(at.p.data));
  facts_ = controllers_.find(at.on.controller(), now.subsystem_nqn, cntlid);
  if (facts_ != nullptr) ++facts_->io_queues;
  if (facts_ == nullptr || !facts_->whole || facts_->admin == nullptr) return;
  if (facts_->admin->in_doubt()) return facts_.reset();
  if (facts_->host_nqn != now.host_nqn)
    report(at, rule::connect_same_host, "hostnqn", std::nullopt,
           bound::words("that of the Admin Queue"));
  else if (facts_->host_id != now.host_id)
    report(at, rule::connect_same_host, "hostid", std::nullopt,
           bound::words("that of the Admin Queue"));
  if (!facts_->enabled) report(at, rule::io_before_enable, "cc.en", 0, bound::is(1));
  if (!facts_->cap) return;
  const std::uint64_t mqes = *facts_->cap & 0xffff;
  if (queue_.sqsize > mqes)
    report(at, rule::connect_sqsize, "sqsize", queue_.sqsize, bound::at_most(mqes));
}

void queue_checker::take_connect_response(const place& at, const command&) {
  const wire::byte_span cqe = at.p.header.subspan(wire::pdu_common.size);
  const auto cntlid = get<wire::connect_response, "cntlid">(cqe);
  const bool unlimited = get<wire::connect_response, "sqhd">(cqe) == sqhd_no_flow_control;
  if (cntlid > cntlid_max)
    report(at, rule::connect_granted, "cntlid", cntlid, bound::at_most(cntlid_max));
  if (unlimited && queue_.asked && !queue_.no_flow_control_asked)
    report(at, rule::connect_flow_control, "sqhd", sqhd_no_flow_control,
           bound::at_most(queue_.sqsize));
  queue_.flow_control = !unlimited;
}

void queue_checker::learn(const connection& c, const command& k, const completion& done) {
  if (done.how != fate::completed || done.cqe.empty() || !k.whole) return;
  if (is_fabrics(k, wire::fabrics_type::connect) && !queue_.connected) {
    queue_.connected = !done.failed();
    if (done.failed()) return facts_.reset();
    if (facts_ == nullptr || queue_.qid != 0) return;
    facts_->open = true;
    facts_->kato_ms = static_cast<std::uint32_t>(get<wire::connect_command, "kato">(k.sqe));
    facts_->alive_ns = done.at.ns;
    const auto cntlid = static_cast<std::uint16_t>(get<wire::connect_response, "cntlid">(done.cqe));
    return controllers_.add(c.controller(), c.agreed().subsystem_nqn, cntlid, facts_);
  }
  if (facts_ == nullptr || queue_.qid != 0 || done.failed()) return;
  const auto offset = static_cast<wire::property>(get<wire::property_get_command, "ofst">(k.sqe));
  if (is_fabrics(k, wire::fabrics_type::property_get) && offset == wire::property::cap)
    facts_->cap = get<wire::property_get_response, "value">(done.cqe);
  if (is_fabrics(k, wire::fabrics_type::property_set) && offset == wire::property::cc)
    facts_->enabled = (get<wire::property_set_command, "value">(k.sqe) & 1) != 0;
  if (k.opcode() == static_cast<std::uint8_t>(wire::admin_opcode::set_features) &&
      get<wire::set_features_command, "fid">(k.sqe) ==
          static_cast<std::uint64_t>(wire::feature::keep_alive_timer)) {
    facts_->kato_ms = static_cast<std::uint32_t>(get<wire::set_features_command, "cdw11">(k.sqe));
    facts_->alive_ns = done.at.ns;
  }
}

}  // namespace nvmf::trace
