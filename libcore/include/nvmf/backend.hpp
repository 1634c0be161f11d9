// SPDX-License-Identifier: BSD-2-Clause
// Where the blocks of a namespace live. A backend may be used from several executors at once.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

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

  // `tell` hears what the system said about operations that failed, in words for a log and not for
  // each of many; on any thread, until another takes its place. An empty one hears nothing.
  virtual void on_trouble(std::function<void(std::string_view)> tell) { static_cast<void>(tell); }
};

// "ram:64M", "file:PATH[,ro]", "null:1T", "pattern:1G", each with ",bs=4096" if wanted; blocks have
// 512 bytes else. The error is one line that names the specification and what is wrong with it.
std::expected<std::shared_ptr<backend>, std::string> parse_backend(std::string_view spec);

// block_size: 512 or 4096. Errors: a size of 0, not whole blocks, or more than there is room for.
// Sparse memory: what was never written or was deallocated takes none and reads as zeroes. A block
// is read as one write left it, however many queues read and write it at once.
std::expected<std::shared_ptr<backend>, std::string> make_ram_backend(
    std::uint64_t bytes, std::uint32_t block_size = 512);
// Reads are zeroes, writes are forgotten.
std::expected<std::shared_ptr<backend>, std::string> make_null_backend(
    std::uint64_t bytes, std::uint32_t block_size = 512);
// Every block has one right content, which is never stored: bytes 0 to 7 its LBA (little-endian),
// the last 4 bytes the CRC32C of all before them, between them bytes that follow from the LBA.
// Reads make it. Writes are compared with it: another LBA in the block is an End-to-end Reference
// Tag Check Error, anything else that differs an End-to-end Guard Check Error, and so is Write
// Zeroes. Deallocate does nothing.
std::expected<std::shared_ptr<backend>, std::string> make_pattern_backend(
    std::uint64_t bytes, std::uint32_t block_size = 512);
// A regular file or a block device of whole blocks. Its size is fixed when it is opened: what it
// grows by is not seen; beyond the end of a file that was cut short nothing is read or written.
std::expected<std::shared_ptr<backend>, std::string> make_file_backend(
    std::string path, std::uint32_t block_size = 512, bool read_only = false);

}  // namespace nvmf
