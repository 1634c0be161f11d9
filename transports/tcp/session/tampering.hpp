// SPDX-License-Identifier: BSD-2-Clause
// A PDU as one may tamper with it (nvmf/tamper.hpp), and the PDU that comes of it.
#pragma once

#include <nvmf/tamper.hpp>

#include "encode.hpp"

namespace nvmf::tcp {

outgoing_kind kind_of(const tx_pdu& pdu);

// The PDU as it is; `header` lies in it.
outgoing show(tx_pdu& pdu, std::uint16_t qid);

// Makes `pdu`, of which `before` was shown, what `wanted` says.
void alter(tx_pdu& pdu, const outgoing& before, const outgoing& wanted, const send_rules& rules);

// Makes `to` the same, with a copy of the payload: it may leave later than the original.
void copy(const tx_pdu& from, tx_pdu& to);

}  // namespace nvmf::tcp
