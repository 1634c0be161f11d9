// SPDX-License-Identifier: BSD-2-Clause
// A build without rdma-core sees no device.
#include "../inventory.hpp"

namespace nvmf::rdma {

std::expected<machine_report, std::string> look() {
  return std::unexpected("this build has no RDMA: it was made without rdma-core (NVMF_RDMA=OFF)");
}
bool have_rdma_core() { return false; }

}  // namespace nvmf::rdma
