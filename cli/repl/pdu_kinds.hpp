// SPDX-License-Identifier: BSD-2-Clause
// What leaves a queue and comes to it, by the words that a person types and reads.
#pragma once

#include <array>
#include <nvmf/tamper.hpp>
#include <string_view>

#include "arguments.hpp"

namespace nvmf::cli::repl {

struct pdu_kind {
  std::string_view name;   // "h2cdata"
  std::string_view title;  // "H2CData"
  outgoing_kind kind;
};
inline constexpr std::array<pdu_kind, 6> pdu_kinds{{
    {"command", "CapsuleCmd", outgoing_kind::command},
    {"response", "CapsuleResp", outgoing_kind::response},
    {"r2t", "R2T", outgoing_kind::request},
    {"h2cdata", "H2CData", outgoing_kind::host_data},
    {"c2hdata", "C2HData", outgoing_kind::controller_data},
    {"termreq", "TermReq", outgoing_kind::termination},
}};

std::string_view title_of(outgoing_kind kind);
std::expected<outgoing_kind, complaint> take_pdu_kind(arguments& args);

}  // namespace nvmf::cli::repl
