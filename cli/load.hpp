// SPDX-License-Identifier: BSD-2-Clause
// A load of reads or writes on one association: a fixed number of commands always in flight, each
// submitted from the completion of the one before. No allocation and one look at the clock for
// each.
#pragma once

#include <memory>
#include <nvmf/host.hpp>

#include "histogram.hpp"

namespace nvmf::cli {

struct load_shape {
  bool write = false;
  bool random = false;
  std::uint32_t block_size = 512;  // of the namespace, bytes
  std::uint64_t blocks = 0;        // of the namespace
  std::uint32_t nsid = 1;
  std::uint32_t blocks_per_command = 8;
  std::uint32_t depth = 1;   // commands in flight on each queue
  std::uint32_t queues = 1;  // queue 1 to this
  duration warm_up{};
  duration measured{};
  std::uint64_t seed = 1;
};

struct load_report {
  histogram times;           // nanoseconds
  duration elapsed{};        // that was measured
  double cpu_seconds = 0;    // of this thread, user and system, in that time
  command_result failure{};  // the first command that failed
  std::uint64_t failed = 0;
};

class load {
 public:
  load(association& with, executor& on, load_shape shape);
  ~load();
  load(const load&) = delete;
  load& operator=(const load&) = delete;

  // `done` runs once, when the time is over or a command has failed, and nothing is in flight.
  void start(task done);
  // Ends it early; `done` still runs.
  void stop();
  const load_report& report() const { return report_; }

 private:
  struct slot;
  void submit(slot& s);
  void completed(slot& s, const command_result& r);
  void begin_measuring();
  void end_measuring();
  std::uint64_t next_lba(slot& s);

  association& with_;
  executor& on_;
  load_shape shape_;
  load_report report_;
  task done_;
  struct free_memory {
    void operator()(std::byte* p) const noexcept;
  };
  std::unique_ptr<std::byte, free_memory> memory_;
  std::vector<slot> slots_;
  std::uint64_t random_;
  std::uint64_t positions_;  // places a command can start at
  std::uint32_t in_flight_ = 0;
  timer_id timer_ = 0;
  time_point began_{};
  double cpu_began_ = 0;
  bool measuring_ = false, stopping_ = false;
};

}  // namespace nvmf::cli
