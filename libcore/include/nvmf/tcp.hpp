// SPDX-License-Identifier: BSD-2-Clause
// NVMe/TCP as a transport: type "tcp", priority 0. Its executors must be reactors: event_loop.hpp.
#pragma once

#include "transport.hpp"

namespace nvmf {

std::shared_ptr<transport> make_tcp_transport();

}  // namespace nvmf
