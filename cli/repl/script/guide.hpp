// SPDX-License-Identifier: BSD-2-Clause
// The language explained: `describe script`, the man page of run.
#pragma once

#include "wire/topic.hpp"

namespace nvmf::cli::repl {

const wire::topic& script_topic();

}  // namespace nvmf::cli::repl
