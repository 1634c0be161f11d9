// SPDX-License-Identifier: BSD-2-Clause
// The one list of transports.
#pragma once

#include <nvmf/transport.hpp>
#include <span>
#include <string_view>

namespace nvmf::cli {

// Adds every transport of this build.
void add_transports(transport_registry& registry);

struct transport_note {
  std::string_view type;
  bool built_in;
  std::string_view note;  // "built without rdma-core"
};
std::span<const transport_note> transport_notes();

}  // namespace nvmf::cli
