// SPDX-License-Identifier: BSD-2-Clause
// A host against a controller that is in the input's hands, from the IC exchange to the end.
#include "fuzz/connection.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return nvmf::fuzz::play(nvmf::role::controller, data, size);
}
