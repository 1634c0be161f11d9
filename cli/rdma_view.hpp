// SPDX-License-Identifier: BSD-2-Clause
// The RDMA devices of a machine, for people and for scripts.
#pragma once

#include <boost/json/object.hpp>
#include <string>

#include "rdma/inventory/inventory.hpp"
#include "render/style.hpp"

namespace nvmf::cli {

// verbosity 0 leaves out GIDs and limits of devices that are usable.
std::string rdma_text(const rdma::machine_report& m, const style& look, int verbosity);
// Keys "devices" and "memlock_bytes".
boost::json::object rdma_json(const rdma::machine_report& m);
// The first address that `serve --listen` could take there; empty: none.
std::string listen_address(const rdma::device_report& d);

}  // namespace nvmf::cli
