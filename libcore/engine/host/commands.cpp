// SPDX-License-Identifier: BSD-2-Clause
#include "commands.hpp"

#include "wire/layouts/entries.hpp"
#include "wire/layouts/fabrics.hpp"
#include "wire/layouts/properties.hpp"

namespace nvmf::engine {

using wire::set;
using wire::sqe_layout;

namespace {

send_command fabrics(wire::fabrics_type type) {
  send_command c;
  set<wire::fabrics_command, "opc">(c.sqe, wire::fabrics_opcode);
  set<wire::fabrics_command, "fctype">(c.sqe, static_cast<std::uint8_t>(type));
  return c;
}

send_command admin(wire::admin_opcode opcode) {
  send_command c;
  set<sqe_layout, "opc">(c.sqe, static_cast<std::uint8_t>(opcode));
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
  set<sqe_layout, "nsid">(c.sqe, nsid);
  set<sqe_layout, "cdw10">(c.sqe, static_cast<std::uint32_t>(cns));
  c.receive = identify_size;
  return c;
}

send_command set_features(wire::feature fid, std::uint32_t dword11) {
  send_command c = admin(wire::admin_opcode::set_features);
  set<sqe_layout, "cdw10">(c.sqe, static_cast<std::uint32_t>(fid));
  set<sqe_layout, "cdw11">(c.sqe, dword11);
  return c;
}

send_command get_log_page(wire::log_page lid, std::uint64_t offset, std::uint32_t length,
                          bool retain) {
  assert(length > 0 && length % 4 == 0 && offset % 4 == 0);
  send_command c = admin(wire::admin_opcode::get_log_page);
  const std::uint32_t dwords = length / 4 - 1;  // NUMD, 0's based
  set<sqe_layout, "cdw10">(c.sqe, static_cast<std::uint32_t>(lid) | (retain ? 1u << 15 : 0u) |
                                      ((dwords & 0xffff) << 16));
  set<sqe_layout, "cdw11">(c.sqe, dwords >> 16);
  set<sqe_layout, "cdw12">(c.sqe, offset & 0xffff'ffff);
  set<sqe_layout, "cdw13">(c.sqe, offset >> 32);
  c.receive = length;
  return c;
}

sqe_bytes async_event_request() { return admin(wire::admin_opcode::async_event_request).sqe; }

sqe_bytes keep_alive_command() { return admin(wire::admin_opcode::keep_alive).sqe; }

sqe_bytes abort_command(std::uint16_t qid, std::uint16_t cid) {
  send_command c = admin(wire::admin_opcode::abort);
  set<sqe_layout, "cdw10">(c.sqe, qid | (static_cast<std::uint32_t>(cid) << 16));
  return c.sqe;
}

}  // namespace nvmf::engine
