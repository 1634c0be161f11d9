// SPDX-License-Identifier: BSD-2-Clause
// Every command form, and the completions and data that belong to them.
#pragma once

#include "commands_admin.hpp"
#include "commands_nvm.hpp"
#include "responses.hpp"
