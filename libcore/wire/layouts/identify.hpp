// SPDX-License-Identifier: BSD-2-Clause
// What Identify returns (Base 2.0, 5.17.2 and NVM 1.0, 4.1.5).
#pragma once

#include "identify_controller.hpp"
#include "identify_lists.hpp"
#include "identify_namespace.hpp"
