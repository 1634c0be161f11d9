// SPDX-License-Identifier: BSD-2-Clause
// Every event as a line of the log, level trace (-vv). Passes them on to another reader, if any.
#pragma once

#include <memory>
#include <nvmf/event.hpp>

namespace spdlog {
class logger;
}

namespace nvmf::cli {

class event_log final : public observer {
 public:
  explicit event_log(std::shared_ptr<spdlog::logger> log, observer* next = nullptr)
      : log_(std::move(log)), next_(next) {}

  // Does anybody want these lines? Without it the log need not be asked at all.
  static bool wanted(const spdlog::logger& log);
  void on_event(const event& e) noexcept override;

 private:
  std::shared_ptr<spdlog::logger> log_;
  observer* next_;
};

}  // namespace nvmf::cli
