// SPDX-License-Identifier: BSD-2-Clause
// Terminate Connection Requests: the last PDU of a connection that went wrong (NVMe/TCP 3.5).
#pragma once

#include <nvmf/error.hpp>
#include <nvmf/qpair.hpp>

#include "encode.hpp"

namespace nvmf::tcp {

// Fills `pdu` with the TermReq that `sender` sends about `why`; its error data is the offending
// header, as far as it is known, at most 128 bytes.
void encode_termreq(tx_pdu& pdu, role sender, const protocol_error& why,
                    std::span<const std::byte> offending);

// What a received TermReq says we did: header of 24 bytes, and the error data behind it.
protocol_error read_termreq(std::span<const std::byte> header, std::span<const std::byte> data);

}  // namespace nvmf::tcp
