// SPDX-License-Identifier: BSD-2-Clause
#include "transports.hpp"

#include <array>

#include "loop/loop.hpp"
#include "tcp/tcp.hpp"

namespace nvmf::cli {

void add_transports(transport_registry& registry) {
  registry.add(make_tcp_transport());
  registry.add(make_loop_transport());
}

std::span<const transport_note> transport_notes() {
  static constexpr std::array<transport_note, 3> notes{{
      {"tcp", true, "NVMe/TCP"},
      {"loop", true, "in this process, for tests and demonstrations"},
      {"rdma", false, "not in this build: made without rdma-core"},
  }};
  return notes;
}

}  // namespace nvmf::cli
