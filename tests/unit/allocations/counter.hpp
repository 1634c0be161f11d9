// SPDX-License-Identifier: BSD-2-Clause
// This program counts every operator new, which is why it is one of its own.
#pragma once

#include <cstddef>

namespace nvmf::test {

extern std::size_t allocations;

}  // namespace nvmf::test
