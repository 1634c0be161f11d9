// SPDX-License-Identifier: BSD-2-Clause
// What every condition on commands can ask for, under the same name: fault plans, trace filters.
#pragma once

#include <array>

#include "../expression.hpp"
#include "../tables.hpp"
#include "symbols.hpp"

namespace nvmf::wire::command_fields {

inline constexpr std::uint64_t max16 = 0xffff, max32 = 0xffff'ffff;
inline constexpr std::array<std::string_view, 1> queue_names{"qid"};
inline constexpr std::array<std::string_view, 1> connection_names{"connection"};
inline constexpr std::array<std::string_view, 1> host_names{"hostnqn"};

inline constexpr expression_field cmd{
    .name = "cmd",
    .title = "command, by name: read, get-log-page, dsm; admin:0xc1, nvm:0x90",
    .kind = value_kind::symbol,
    .example = "read",
    .lookup = lookup_command,
    .spell = spell_command};
inline constexpr expression_field opcode{
    .name = "opcode", .title = "opcode, whatever the queue", .example = "0x02", .max = 0xff};
inline constexpr expression_field fctype{
    .name = "fctype",
    .title = "type of a fabrics command, by name or number; others have none",
    .example = "connect",
    .max = 0xff,
    .symbols = &fabrics_types};
inline constexpr expression_field queue{.name = "queue",
                                        .title = "queue identifier; admin is 0",
                                        .example = "admin",
                                        .max = max16,
                                        .also = queue_names,
                                        .lookup = lookup_queue};
inline constexpr expression_field cid{
    .name = "cid", .title = "command identifier", .example = "0x10", .max = max16};
inline constexpr expression_field nsid{.name = "nsid",
                                       .title = "namespace identifier; a fabrics command has none",
                                       .example = "1",
                                       .max = max32};
inline constexpr expression_field slba{
    .name = "slba", .title = "first block of a command that has a range of them", .example = "0"};
inline constexpr expression_field nlb{
    .name = "nlb",
    .title = "number of blocks as it stands in the command: 0's based, 7 is eight",
    .example = "7",
    .max = max16};

}  // namespace nvmf::wire::command_fields
