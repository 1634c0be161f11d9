// SPDX-License-Identifier: BSD-2-Clause
// What a controller's session shows of itself to a person.
#include <algorithm>

#include "controller_session.hpp"
#include "core/command_data.hpp"
#include "wire/layouts/entries.hpp"

namespace nvmf::tcp {
void controller_session::show_commands(qpair_inside& show) const {
  std::vector<const void*> answered;
  tx_.for_each([&](const tx_pdu& pdu) {
    if (pdu.ends && pdu.owner != nullptr) answered.push_back(pdu.owner);
  });
  commands_.for_each([&](const command_slot& c) {
    if (!c.listed) return;
    command_inside of{
        .cid = c.cid,
        .opcode = static_cast<std::uint8_t>(wire::get<wire::sqe_layout, "opc">(c.entry)),
        .fctype = fabrics_type_of(c.entry),
        .way = way_of(c.entry),
        .length = sgl_length(c.entry),
        .moved = c.carried + c.fetched + c.sent};
    if (c.since != time_point{}) of.age = who_.runs_on->now() - c.since;
    if (std::ranges::find(answered, &c) != answered.end())
      of.awaits = "its response to leave";
    else if (c.open_r2ts > 0 || !c.waiting.empty())
      of.awaits = "data of the host";
    else if (c.handle_live)
      of.awaits = "an answer of the program";
    else
      of.awaits = c.users > 0 ? "to be delivered" : "a response of the program";
    show.commands.push_back(of);
  });
  transfers_.for_each([&](const transfer& t) {
    if (!t.taken || !t.open) return;
    show.r2ts.push_back({.cid = t.command->cid,
                         .ttag = t.index,
                         .offset = t.offset,
                         .length = t.length,
                         .moved = t.arrived});
  });
}

}  // namespace nvmf::tcp
