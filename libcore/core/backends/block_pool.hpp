// SPDX-License-Identifier: BSD-2-Clause
// Memory for the data of commands: blocks of 4 KiB to 1 MiB from the calling thread's pool, so that
// a busy queue neither allocates nor faults pages in. A block may be let go of on any thread; it
// joins that thread's pool. What a pool keeps is bounded.
#pragma once

#include <cstddef>
#include <nvmf/buffer.hpp>
#include <nvmf/status.hpp>
#include <span>
#include <utility>

namespace nvmf {

// What a command gets whose data finds no memory; it may be tried again.
inline constexpr nvme_status no_memory = wire::status_code::internal_error;

// Bytes that a thread's pool keeps at most, over all sizes.
inline constexpr std::size_t pool_bytes_max = std::size_t{16} << 20;

// Move-only owner of a block, page aligned. Its bytes are not cleared. False when there was no
// memory for it.
class pooled_block {
 public:
  pooled_block() = default;
  explicit pooled_block(std::size_t bytes);
  pooled_block(pooled_block&& o) noexcept
      : bytes_(std::exchange(o.bytes_, {})), size_class_(o.size_class_) {}
  pooled_block& operator=(pooled_block&& o) noexcept {
    if (this != &o) {
      reset();
      bytes_ = std::exchange(o.bytes_, {});
      size_class_ = o.size_class_;
    }
    return *this;
  }
  pooled_block(const pooled_block&) = delete;
  pooled_block& operator=(const pooled_block&) = delete;
  ~pooled_block() { reset(); }

  std::span<std::byte> bytes() const { return bytes_; }
  explicit operator bool() const { return !bytes_.empty(); }
  void reset() noexcept;
  // The block as what travels to a transport; this is empty then.
  buffer into_buffer() &&;

 private:
  std::span<std::byte> bytes_;
  unsigned size_class_ = 0;
};

// Bytes that the calling thread's pool keeps now; for tests.
std::size_t pool_bytes_kept();

}  // namespace nvmf
