// SPDX-License-Identifier: BSD-2-Clause
// The parts of an explanation that all users of expressions share.
#pragma once

#include <span>

#include "../expression.hpp"
#include "../topic.hpp"

namespace nvmf::wire {

topic_section conditions_section();
topic_section fields_section(std::span<const expression_field> fields);

}  // namespace nvmf::wire
