// SPDX-License-Identifier: BSD-2-Clause
// Fault plans explained, from the tables that read them.
#pragma once

#include "wire/topic.hpp"

namespace nvmf::engine {

const wire::topic& fault_plan_topic();

}  // namespace nvmf::engine
