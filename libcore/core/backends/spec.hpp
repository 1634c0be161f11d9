// SPDX-License-Identifier: BSD-2-Clause
// What the kinds of backend share: checks of their sizes, and their names.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

namespace nvmf {

// Nothing, or what is wrong with a size: zero, not whole blocks, a block size that is not 512 or
// 4096, more than can be addressed.
std::expected<void, std::string> check_size(std::uint64_t bytes, std::uint32_t block_size);

// "ram:64M" or "ram:64M,bs=4096".
std::string backend_name(std::string_view kind, std::uint64_t bytes, std::uint32_t block_size);

}  // namespace nvmf
