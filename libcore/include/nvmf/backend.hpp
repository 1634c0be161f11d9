// SPDX-License-Identifier: BSD-2-Clause
// Where the blocks of a namespace live. A backend may be used from several executors at once.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "buffer.hpp"
#include "executor.hpp"
#include "status.hpp"

namespace nvmf {

struct backend_geometry {
  std::uint64_t blocks = 0;
  std::uint32_t block_size = 512;  // bytes, a power of two from 512
  bool read_only = false;
  bool deallocates = false;  // Dataset Management frees space; deallocated blocks read as zeroes
};

class backend {
 public:
  using read_callback = std::move_only_function<void(nvme_status, buffer)>;
  using done_callback = std::move_only_function<void(nvme_status)>;

  virtual ~backend() = default;
  virtual backend_geometry geometry() const = 0;
  virtual std::string describe() const = 0;  // "ram:64M", for lists and messages

  // Block ranges have been checked against the geometry. Each callback runs exactly once on
  // `on`: from within the call when the work is done at once, later otherwise.
  // The buffer of read has blocks * block_size bytes and belongs to the callee.
  virtual void read(executor& on, std::uint64_t lba, std::uint32_t blocks, read_callback done) = 0;
  // Data must be in the file (it survives the end of this process) when `done` runs; with `durable`
  // (FUA) it survives a power cut. `data` is borrowed until `done`.
  virtual void write(executor& on, std::uint64_t lba, std::span<const std::byte> data, bool durable,
                     done_callback done) = 0;
  virtual void write_zeroes(executor& on, std::uint64_t lba, std::uint64_t blocks, bool deallocate,
                            bool durable, done_callback done) = 0;
  virtual void deallocate(executor& on, std::uint64_t lba, std::uint64_t blocks,
                          done_callback done) = 0;
  // Everything written before survives a power cut when `done` runs.
  virtual void flush(executor& on, done_callback done) = 0;
};

}  // namespace nvmf
