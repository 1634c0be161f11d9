// SPDX-License-Identifier: BSD-2-Clause
#include "connect.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "wire/layouts/fabrics.hpp"
#include "wire/nqn.hpp"

namespace nvmf::engine {

using wire::get;
using wire::set;

send_command connect_command(const connect_parameters& asked) {
  assert(asked.entries >= 2 && asked.entries <= 65536);
  send_command c;
  c.qid = asked.qid;
  set<wire::connect_command, "opc">(c.sqe, wire::fabrics_opcode);
  set<wire::connect_command, "fctype">(c.sqe,
                                       static_cast<std::uint8_t>(wire::fabrics_type::connect));
  set<wire::connect_command, "qid">(c.sqe, asked.qid);
  set<wire::connect_command, "sqsize">(c.sqe, asked.entries - 1);
  if (asked.qid == 0) set<wire::connect_command, "kato">(c.sqe, asked.kato_ms);
  auto cattr = wire::bytes_of<wire::connect_command, "cattr">(wire::mutable_byte_span{c.sqe});
  set<wire::cattr_layout, "nosqfc">(cattr, asked.disable_sq_flow_control ? 1 : 0);

  c.send.resize(wire::connect_data.size);
  const wire::mutable_byte_span data{c.send};
  std::ranges::copy(asked.host_id, wire::bytes_of<wire::connect_data, "hostid">(data).begin());
  set<wire::connect_data, "cntlid">(data, asked.cntlid);
  wire::put_nqn(wire::bytes_of<wire::connect_data, "subnqn">(data), asked.subsystem_nqn);
  wire::put_nqn(wire::bytes_of<wire::connect_data, "hostnqn">(data), asked.host_nqn);
  return c;
}

connect_machine::connect_machine(host_stage stage, const connect_parameters& asked,
                                 authenticator* auth)
    : stage_(stage), asked_(asked), auth_(auth) {}

action connect_machine::start() {
  sent_ = connect_command(asked_);
  return sent_;
}

action connect_machine::on_reply(const reply& got, time_point now) {
  return authenticating_ ? auth_->on_reply(got, now) : on_response(got, now);
}

action connect_machine::on_response(const reply& got, time_point now) {
  if (!got.result.ok()) return failed{refused(stage_, sent_, got)};
  const auto& cqe = got.result.cqe;
  cntlid_ = static_cast<std::uint16_t>(get<wire::connect_response, "cntlid">(cqe));
  authreq_ = static_cast<std::uint16_t>(get<wire::connect_response, "authreq">(cqe));
  if (asked_.qid == 0 && cntlid_ >= first_reserved_cntlid)
    return failed{bad_value(stage_, wire::connect_response, "cntlid", cntlid_,
                            first_reserved_cntlid - 1, "this controller ID is reserved")};
  // The controller agrees to go without flow control by an SQHD of FFFFh; otherwise it stays on.
  sq_flow_control_ = !(asked_.disable_sq_flow_control && got.result.sqhd_valid &&
                       get<wire::connect_response, "sqhd">(cqe) == 0xffff);

  wire::byte_span word = wire::bytes_of<wire::connect_response, "authreq">(wire::byte_span{cqe});
  const bool required =
      get<wire::authreq_layout, "atr">(word) != 0 || get<wire::authreq_layout, "ascr">(word) != 0;
  if (auth_ != nullptr) {
    authenticating_ = true;
    return auth_->start(asked_.qid, authreq_, now);
  }
  if (!required) return finished{};
  host_failure f = refused(stage_, sent_, got);
  f.status = wire::fabrics_status_code::authentication_required;
  f.detail = fmt::format(
      "Connect was accepted, but the controller requires authentication before any other command "
      "(AUTHREQ {:04X}h), and none is configured",
      authreq_);
  return failed{std::move(f)};
}

}  // namespace nvmf::engine
