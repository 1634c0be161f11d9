// SPDX-License-Identifier: BSD-2-Clause
// `--trace[=FILE]`: what our own ends say and hear, as `nvmfctl trace` would show it. The machines
// tell it by events; a thread of its own makes lines and files of them, so that what is traced is
// hardly held up.
#pragma once

#include <condition_variable>
#include <expected>
#include <memory>
#include <mutex>
#include <nvmf/event.hpp>
#include <string>
#include <thread>
#include <vector>

#include "inside_flows.hpp"
#include "options.hpp"

namespace nvmf::cli {

struct context;
struct result;

struct trace_choice {
  bool on = false;
  std::string file;                // empty: lines to standard error
  std::uint64_t data_bytes = 128;  // of the data of each PDU of an I/O queue

  void add(option_table& table);
};

class inside_trace final : public observer {
 public:
  // What waits for the thread; more is waited for.
  static constexpr std::size_t waiting_bytes_max = 32u << 20;

  // Null when `how` asks for none. The error is a sentence.
  static std::expected<std::unique_ptr<inside_trace>, std::string> start(const trace_choice& how,
                                                                         context& ctx);
  ~inside_trace() override;

  // To be told; it passes events on to `next`, if any. One observer for all executors.
  observer* before(observer* next) {
    next_ = next;
    return this;
  }
  void on_event(const event& e) noexcept override;
  // Beside PDUs the capsules in them would be told twice.
  event_set wanted_with_pdus() const noexcept override;
  // Everything that was told is written. Nothing may be told any more. What there is to warn of is
  // said, and a file that is not there makes a success a failure.
  static void end(const std::unique_ptr<inside_trace>& which, context& ctx,
                  std::string_view command, result& r);

 private:
  struct ending {
    std::vector<std::string> warnings{};
    std::string error{};  // the file is not there
  };
  ending finish();
  class writer;
  struct batch {
    std::vector<inside_record> records{};
    std::vector<std::byte> bytes{};
  };

  inside_trace(const trace_choice& how, std::unique_ptr<writer> to);
  void run();

  std::size_t data_bytes_;
  observer* next_ = nullptr;
  std::unique_ptr<writer> writer_;
  std::mutex lock_;
  std::condition_variable wake_, room_;
  batch filling_;
  bool idle_ = false, stopping_ = false, over_ = false;
  std::thread thread_;
};

}  // namespace nvmf::cli
