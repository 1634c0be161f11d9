// SPDX-License-Identifier: BSD-2-Clause
#include "commands.hpp"

#include "wire/layouts/commands_admin.hpp"
#include "wire/layouts/fabrics.hpp"
#include "wire/layouts/features.hpp"
#include "wire/layouts/properties.hpp"

namespace nvmf::engine {

using wire::set;

namespace {

send_command fabrics(wire::fabrics_type type) {
  send_command c;
  set<wire::fabrics_command, "opc">(c.sqe, wire::fabrics_opcode);
  set<wire::fabrics_command, "fctype">(c.sqe, static_cast<std::uint8_t>(type));
  return c;
}

send_command admin(wire::admin_opcode opcode) {
  send_command c;
  set<wire::sqe_layout, "opc">(c.sqe, static_cast<std::uint8_t>(opcode));
  return c;
}

}  // namespace

std::uint32_t property_size(wire::property which) {
  const wire::layout* l = wire::property_layout(static_cast<std::uint32_t>(which));
  assert(l != nullptr);
  return l->size;
}

std::string_view property_abbreviation(wire::property which) {
  switch (which) {
    case wire::property::cap:
      return "CAP";
    case wire::property::vs:
      return "VS";
    case wire::property::cc:
      return "CC";
    case wire::property::csts:
      return "CSTS";
    case wire::property::crto:
      return "CRTO";
    default:
      return "property";
  }
}

send_command property_get(wire::property which) {
  send_command c = fabrics(wire::fabrics_type::property_get);
  set<wire::property_get_command, "attrib">(c.sqe, property_size(which) == 8 ? 1 : 0);
  set<wire::property_get_command, "ofst">(c.sqe, static_cast<std::uint32_t>(which));
  return c;
}

send_command property_set(wire::property which, std::uint64_t value) {
  send_command c = fabrics(wire::fabrics_type::property_set);
  set<wire::property_set_command, "attrib">(c.sqe, property_size(which) == 8 ? 1 : 0);
  set<wire::property_set_command, "ofst">(c.sqe, static_cast<std::uint32_t>(which));
  set<wire::property_set_command, "value">(c.sqe, value);
  return c;
}

send_command identify(wire::cns cns, std::uint32_t nsid) {
  send_command c = admin(wire::admin_opcode::identify);
  set<wire::identify_command, "nsid">(c.sqe, nsid);
  set<wire::identify_command, "cns">(c.sqe, static_cast<std::uint8_t>(cns));
  c.receive = identify_size;
  return c;
}

send_command set_features(wire::feature fid, std::uint32_t dword11) {
  send_command c = admin(wire::admin_opcode::set_features);
  set<wire::set_features_command, "fid">(c.sqe, static_cast<std::uint8_t>(fid));
  set<wire::set_features_command, "cdw11">(c.sqe, dword11);
  return c;
}

send_command set_number_of_queues(std::uint32_t count) {
  assert(count >= 1 && count <= 65535);
  std::array<std::byte, 4> dword{};
  set<wire::feature_queues_request, "nsqr">(dword, count - 1);
  set<wire::feature_queues_request, "ncqr">(dword, count - 1);
  return set_features(wire::feature::number_of_queues,
                      static_cast<std::uint32_t>(wire::load_le(dword, 0, 4)));
}

send_command get_log_page(wire::log_page lid, std::uint64_t offset, std::uint32_t length,
                          bool retain) {
  assert(length > 0 && length % 4 == 0 && offset % 4 == 0);
  send_command c = admin(wire::admin_opcode::get_log_page);
  const std::uint32_t dwords = length / 4 - 1;  // NUMD, 0's based
  set<wire::get_log_page_command, "lid">(c.sqe, static_cast<std::uint8_t>(lid));
  set<wire::get_log_page_command, "rae">(c.sqe, retain ? 1 : 0);
  set<wire::get_log_page_command, "numdl">(c.sqe, dwords & 0xffff);
  set<wire::get_log_page_command, "numdu">(c.sqe, dwords >> 16);
  set<wire::get_log_page_command, "lpol">(c.sqe, offset & 0xffff'ffff);
  set<wire::get_log_page_command, "lpou">(c.sqe, offset >> 32);
  c.receive = length;
  return c;
}

sqe_bytes async_event_request() { return admin(wire::admin_opcode::async_event_request).sqe; }

sqe_bytes keep_alive_request() { return admin(wire::admin_opcode::keep_alive).sqe; }

sqe_bytes abort_request(std::uint16_t qid, std::uint16_t cid) {
  send_command c = admin(wire::admin_opcode::abort);
  set<wire::abort_command, "sqid">(c.sqe, qid);
  set<wire::abort_command, "abort_cid">(c.sqe, cid);
  return c.sqe;
}

}  // namespace nvmf::engine
