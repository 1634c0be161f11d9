// SPDX-License-Identifier: BSD-2-Clause
// What ties an I/O queue to its controller when the two live on different executors: facts fixed
// when the queue joined, and numbers that one side writes and the other reads.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "engine/controller/logs.hpp"
#include "shard.hpp"

namespace nvmf {

// Set by the controller, read by its I/O queues.
struct controller_flags {
  std::atomic<bool> write_through{false};  // the volatile write cache is off
};

// A number that one thread writes and others read.
class shared_count {
 public:
  void add(std::uint64_t n) {
    value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
  std::uint64_t get() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

struct io_link : std::enable_shared_from_this<io_link> {
  std::uint16_t qid = 0;
  std::shared_ptr<shard> home;  // where the controller lives
  std::uint64_t home_session = 0;
  std::shared_ptr<const controller_flags> flags;
  std::uint64_t transfer_max = 0;  // bytes, 0: no limit
  std::uint32_t in_capsule_bytes = 0;

  // Any command since the controller looked last; written by both.
  std::atomic<bool> traffic{false};
  shared_count read_bytes, written_bytes, read_commands, write_commands, media_errors;

  void note_traffic() {
    if (!traffic.load(std::memory_order_relaxed)) traffic.store(true, std::memory_order_relaxed);
  }
  engine::io_counters counters() const {
    return {read_bytes.get(), written_bytes.get(), read_commands.get(), write_commands.get(),
            media_errors.get()};
  }
  // Tells the controller that the queue is no more. Once, from the queue's executor.
  void tell_gone();
  // Tells the controller that the queue broke down and the association with it.
  void tell_fatal(std::string why);
};

}  // namespace nvmf
