// SPDX-License-Identifier: BSD-2-Clause
// What a host's session shows of itself to a person.
#include "core/command_data.hpp"
#include "host_session.hpp"
#include "wire/layouts/entries.hpp"

namespace nvmf::tcp {
namespace {

std::string_view awaited(const host_command& c) {
  if (c.queued > 0 && c.open_r2ts == 0) return "to leave";
  if (c.way == direction::send && !c.in_capsule) {
    if (c.open_r2ts > 0) return "its data to leave";
    if (c.asked < c.length) return "an R2T";
  }
  if (c.way == direction::receive && !c.last_seen && c.arrived < c.length) return "data";
  return "a response";
}

}  // namespace

qpair_action host_session::next_made() const {
  if (transfers_.empty()) return {};
  const h2c_transfer& t = *transfers_.front();
  tx_pdu pdu;
  pdu.data = t.command->data.window(t.offset, h2c_size(t));
  encode_h2c_data(pdu, {}, send_rules_);
  return {.kind = action_kind::send,
          .unit = outgoing_kind::host_data,
          .cid = t.command->index,
          .has_cid = true,
          .bytes = pdu.size()};
}

void host_session::show_commands(qpair_inside& show) const {
  commands_.for_each([&](const host_command& c) {
    if (!c.outstanding) return;
    command_inside of{
        .cid = c.index,
        .opcode = static_cast<std::uint8_t>(wire::get<wire::sqe_layout, "opc">(c.entry)),
        .fctype = fabrics_type_of(c.entry),
        .way = c.way,
        .length = c.length,
        .moved = c.moved,
        .awaits = awaited(c)};
    if (c.since != time_point{}) of.age = who_.runs_on->now() - c.since;
    show.commands.push_back(of);
  });
  for (const h2c_transfer* t = transfers_.front(); t != nullptr; t = t->next)
    show.r2ts.push_back({.cid = t->command->index,
                         .ttag = t->ttag,
                         .offset = t->begin,
                         .length = t->end - t->begin,
                         .moved = t->offset - t->begin});
}

}  // namespace nvmf::tcp
