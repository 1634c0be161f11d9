// SPDX-License-Identifier: BSD-2-Clause
// What the connection manager says of a request that was rejected: by whom, and why.
#pragma once

#include <cstddef>
#include <span>
#include <system_error>

#include "../verbs.hpp"

namespace nvmf::rdma {

struct rejection {
  cm_refusal by = cm_refusal::nobody;
  std::span<const std::byte> private_data{};  // of a listener; empty: it gave none
  std::error_code error{};                    // by the way there: why
};

// `status` as the connection manager has it: over InfiniBand and RoCE the reason of a REJ message,
// over iWARP, which has none, a negative errno.
rejection read_rejection(int status, std::span<const std::byte> private_data);

// Names what `status` says; its category is called "rdma".
std::error_code rejection_error(int status);

}  // namespace nvmf::rdma
