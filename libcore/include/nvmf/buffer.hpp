// SPDX-License-Identifier: BSD-2-Clause
// buffer owns bytes that travel to the transport for good: send_controller_data takes one, keeps it
// until the last byte has left, and then releases it. What "release" means is the maker's: give the
// block back to a pool, unpin, free. It is called exactly once, on the qpair's executor.
#pragma once

#include <cstddef>
#include <span>
#include <utility>

namespace nvmf {

class buffer {
 public:
  using release_hook = void (*)(void* context, std::span<const std::byte> bytes) noexcept;

  buffer() = default;
  // Bytes of somebody else's: `release(context, bytes)` tells when they are no longer needed.
  // A null hook is for memory that outlives every qpair (a constant page of zeroes).
  buffer(std::span<const std::byte> bytes, release_hook release, void* context)
      : bytes_(bytes), release_(release), context_(context) {}
  // Bytes of its own, on the heap.
  static buffer copy_of(std::span<const std::byte> bytes);

  buffer(buffer&& other) noexcept
      : bytes_(std::exchange(other.bytes_, {})),
        release_(std::exchange(other.release_, nullptr)),
        context_(other.context_) {}
  buffer& operator=(buffer&& other) noexcept {
    if (this != &other) {
      reset();
      bytes_ = std::exchange(other.bytes_, {});
      release_ = std::exchange(other.release_, nullptr);
      context_ = other.context_;
    }
    return *this;
  }
  buffer(const buffer&) = delete;
  buffer& operator=(const buffer&) = delete;
  ~buffer() { reset(); }

  std::span<const std::byte> bytes() const { return bytes_; }
  std::size_t size() const { return bytes_.size(); }

  void reset() noexcept {
    const auto bytes = std::exchange(bytes_, {});
    if (auto hook = std::exchange(release_, nullptr)) hook(context_, bytes);
  }

 private:
  std::span<const std::byte> bytes_;
  release_hook release_ = nullptr;
  void* context_ = nullptr;
};

}  // namespace nvmf
