// SPDX-License-Identifier: BSD-2-Clause
// What a peer says that we did wrong, in words.
#pragma once

#include <nvmf/error.hpp>
#include <string>

namespace nvmf::engine {

// Of a TermReq that we got: "Invalid PDU Header Field (FES 1, FEI 8h: pfv of icreq)"
std::string termreq_text(const protocol_error& by_us);

}  // namespace nvmf::engine
