// SPDX-License-Identifier: BSD-2-Clause
// This program counts every operator new, which is why it is one of its own.
#pragma once

#include <cstddef>

namespace nvmf::test {

extern std::size_t allocations;
// Bytes that have been taken and not given back.
extern std::size_t held;

}  // namespace nvmf::test
