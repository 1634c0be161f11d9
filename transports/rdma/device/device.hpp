// SPDX-License-Identifier: BSD-2-Clause
// The devices of this machine, through rdma-core.
#pragma once

#include <memory>

#include "../verbs.hpp"

namespace nvmf::rdma {

// nullptr in a build without rdma-core. Executors that it is used with are reactors. It opens
// nothing before it is used.
std::shared_ptr<verbs> make_device_verbs();

}  // namespace nvmf::rdma
