// SPDX-License-Identifier: BSD-2-Clause
// How many bytes go with a command, and the fields of the SQE that say so.
#pragma once

#include <expected>
#include <optional>
#include <span>
#include <string>

#include "capsule_plan.hpp"

namespace nvmf::cli {

struct length_question {
  std::span<std::byte, 64> sqe;
  const wire::command_info& command;
  bool admin;
  std::optional<std::uint64_t> wanted;  // bytes that --send brings or --recv asks for
  std::span<const std::string> said;    // names of the fields that the person has set
  bool raw;                             // the SQE was given whole: no field of it is chosen here
};

// The bytes of data of the command, 0: none; nullopt: blocks whose size only a connection tells.
// Where `wanted` is given and the length fields (NLB, NUMD, NR, TL ...) are not, they are set from
// it; the error says when it does not divide. Where neither is given, the fields are set for the
// whole structure.
std::expected<std::optional<std::uint64_t>, std::string> settle_length(
    const length_question& q, const block_size_of& block_size);

// Does the command without a namespace make no sense?
bool wants_namespace(std::span<const std::byte, 64> sqe, const wire::command_info& command);

}  // namespace nvmf::cli
