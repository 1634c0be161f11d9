// SPDX-License-Identifier: BSD-2-Clause
// NVMe/RDMA: the transport, over whatever has the device.
#pragma once

#include <memory>
#include <nvmf/transport.hpp>

#include "session/session.hpp"
#include "verbs.hpp"

namespace nvmf {

std::shared_ptr<transport> make_rdma_transport(std::shared_ptr<rdma::verbs> device,
                                               rdma::session_limits limits = {});

}  // namespace nvmf
