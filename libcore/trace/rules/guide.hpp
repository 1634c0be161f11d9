// SPDX-License-Identifier: BSD-2-Clause
// The rules explained, from their table: all of them, and one by one.
#pragma once

#include <string_view>

#include "wire/topic.hpp"

namespace nvmf::trace {

// "rules": every rule, by weight and by who can break it.
const wire::topic& rules_topic();
// "rule-r2t-range"; or nullptr.
const wire::topic* rule_topic(std::string_view name);

}  // namespace nvmf::trace
