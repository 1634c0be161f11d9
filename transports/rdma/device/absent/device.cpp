// SPDX-License-Identifier: BSD-2-Clause
// A build without rdma-core.
#include "rdma/device/device.hpp"

namespace nvmf::rdma {

std::shared_ptr<verbs> make_device_verbs() { return nullptr; }

}  // namespace nvmf::rdma
