// SPDX-License-Identifier: BSD-2-Clause
#include "log.hpp"

#include <spdlog/logger.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/ostream_sink.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <mutex>

namespace nvmf::cli {
namespace {

// spdlog's own file sink makes missing folders, which hides a mistyped name.
class file_sink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit file_sink(std::ofstream opened) : stream_(std::move(opened)) {}

 private:
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t line;
    formatter_->format(message, line);
    stream_.write(line.data(), static_cast<std::streamsize>(line.size()));
  }
  void flush_() override { stream_.flush(); }

  std::ofstream stream_;
};

}  // namespace

std::span<const std::string_view> log_levels() {
  static constexpr std::array<std::string_view, 6> names{"trace", "debug", "info",
                                                         "warn",  "error", "off"};
  return names;
}

std::expected<std::shared_ptr<spdlog::logger>, std::string> make_log(std::ostream& err,
                                                                     const std::string& file,
                                                                     std::string_view level) {
  std::shared_ptr<spdlog::sinks::sink> sink;
  if (file.empty()) {
    sink = std::make_shared<spdlog::sinks::ostream_sink_mt>(err, /*force_flush=*/true);
    sink->set_pattern("nvmfctl: %l: %v");
  } else {
    std::ofstream stream{file, std::ios::app};
    if (!stream) return std::unexpected(file + ": " + std::strerror(errno));
    sink = std::make_shared<file_sink>(std::move(stream));
    sink->set_pattern("%Y-%m-%dT%H:%M:%S.%f%z %l: %v");
  }
  auto log = std::make_shared<spdlog::logger>("nvmfctl", std::move(sink));
  log->set_level(spdlog::level::from_str(std::string{level}));
  log->flush_on(spdlog::level::trace);
  return log;
}

}  // namespace nvmf::cli
