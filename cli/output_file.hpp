// SPDX-License-Identifier: BSD-2-Clause
// Files are written whole or not at all: into a temporary file beside the target, which is renamed
// over it when every byte is there. A failure leaves what was there before.
#pragma once

#include <cstddef>
#include <expected>
#include <span>
#include <string>
#include <vector>

namespace nvmf::cli {

// The error names the file and says why. A target that is not a regular file (a pipe, /dev/null) is
// written in place.
std::expected<void, std::string> write_file(const std::string& path,
                                            std::span<const std::byte> bytes);

// Could write_file() do its part? Asked before the work whose result would be lost.
std::expected<void, std::string> check_writable(const std::string& path);

// Reads at most `most` bytes; a longer file is an error.
std::expected<std::vector<std::byte>, std::string> read_file(const std::string& path,
                                                             std::size_t most);

}  // namespace nvmf::cli
