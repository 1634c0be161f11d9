// SPDX-License-Identifier: BSD-2-Clause
// A target against a host that is in the input's hands, from the IC exchange to the end.
#include "fuzz/connection.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return nvmf::fuzz::play(nvmf::role::host, data, size);
}
