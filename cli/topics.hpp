// SPDX-License-Identifier: BSD-2-Clause
// What `describe` explains beside tables and layouts. One line in topics.cpp adds a topic.
#pragma once

#include <string_view>
#include <vector>

#include "wire/topic.hpp"

namespace nvmf::cli {

const std::vector<const wire::topic*>& all_topics();

// The topic of that name, or nullptr.
const wire::topic* find_topic(std::string_view name);

}  // namespace nvmf::cli
