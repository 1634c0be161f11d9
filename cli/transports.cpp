// SPDX-License-Identifier: BSD-2-Clause
#include "transports.hpp"

#include <array>

#include "loop/loop.hpp"
#include "rdma/device/device.hpp"
#include "rdma/inventory/inventory.hpp"
#include "rdma/rdma.hpp"
#include "tcp/tcp.hpp"

namespace nvmf::cli {

void add_transports(transport_registry& registry) {
  registry.add(make_tcp_transport());
  registry.add(make_loop_transport());
  if (auto devices = rdma::make_device_verbs())
    registry.add(make_rdma_transport(std::move(devices)));
}

std::span<const transport_note> transport_notes() {
  static const bool rdma = rdma::have_rdma_core();
  static const std::array<transport_note, 3> notes{{
      {"tcp", true, "NVMe/TCP"},
      {"loop", true, "in this process, for tests and demonstrations"},
      {"rdma", rdma, rdma ? "NVMe/RDMA" : "not in this build: made without rdma-core"},
  }};
  return notes;
}

}  // namespace nvmf::cli
