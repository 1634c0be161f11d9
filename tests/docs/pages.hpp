// SPDX-License-Identifier: BSD-2-Clause
// docs/generated as text: one page per table and per layout, and the index.
#pragma once

#include <map>
#include <string>

namespace nvmf::docs {

// File name (relative to docs/generated) to content.
std::map<std::string, std::string> all_pages();

}  // namespace nvmf::docs
