// SPDX-License-Identifier: BSD-2-Clause
// The log of the program: to a file, or to the stream that main gave.
#pragma once

#include <expected>
#include <iosfwd>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace spdlog {
class logger;
}

namespace nvmf::cli {

std::span<const std::string_view> log_levels();  // "trace" ... "off"

// `level`: a name of log_levels(). An empty file means `err`. The error says why the file could not
// be opened.
std::expected<std::shared_ptr<spdlog::logger>, std::string> make_log(std::ostream& err,
                                                                     const std::string& file,
                                                                     std::string_view level);

}  // namespace nvmf::cli
