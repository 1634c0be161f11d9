// SPDX-License-Identifier: BSD-2-Clause
#include "room.hpp"

namespace nvmf::tcp {

const asio::execution_context::id room::id;

}  // namespace nvmf::tcp
