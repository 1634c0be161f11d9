// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <boost/json/object.hpp>
#include <nvmf/status.hpp>

namespace nvmf::cli {

// Which status codes the answer to that opcode uses.
constexpr status_set set_of(std::uint8_t opcode) {
  return opcode == wire::fabrics_opcode ? status_set::fabrics : status_set::nvm;
}

boost::json::object status_json(nvme_status s, status_set set);

}  // namespace nvmf::cli
