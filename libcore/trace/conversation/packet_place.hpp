// SPDX-License-Identifier: BSD-2-Clause
// Where a packet stands in its connection, for who keeps some packets and not others.
#pragma once

#include <cstdint>

#include "pdu.hpp"

namespace nvmf::trace {

struct packet_place {
  std::uint32_t connection = 0;  // its number; 0: of none that is known
  way going = way::to_controller;
  bool carries = false;  // data
  bool ends = false;     // says that its end sends no more, or that all is over
  // Behind it no PDU of its direction is left open, and no packet is waited for.
  bool whole = false;
};

}  // namespace nvmf::trace
