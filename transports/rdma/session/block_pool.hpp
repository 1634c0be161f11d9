// SPDX-License-Identifier: BSD-2-Clause
// Registered memory of one queue, in blocks: data that an RDMA device moves lies here, and is
// copied from and to the memory of users. To register is a system call that pins pages, too much
// for each command, so memory is registered in slabs, once, and kept (docs/adr/0016).
#pragma once

#include <array>
#include <bit>
#include <expected>
#include <nvmf/error.hpp>
#include <vector>

#include "../verbs.hpp"

namespace nvmf::rdma {

struct block {
  std::byte* data = nullptr;
  std::uint32_t size = 0;  // a power of two
  std::uint32_t local_key = 0;
  std::uint32_t remote_key = 0;
  explicit operator bool() const { return data != nullptr; }
  std::span<std::byte> first(std::size_t n) const { return {data, n}; }
};

class block_pool {
 public:
  static constexpr std::uint32_t least = 4096, slab_least = 128 * 1024;

  // `most`: bytes that are registered at a time; nothing larger can be taken.
  block_pool(std::size_t most, access rights) : most_(most), rights_(rights) {}
  block_pool(const block_pool&) = delete;
  block_pool& operator=(const block_pool&) = delete;

  // At least `size` bytes. busy: wait until another is given back. limit_exceeded: never. Else the
  // error of the registration.
  std::expected<block, std::error_code> take(link& from, std::uint32_t size);
  void give(const block& b);
  // Lets go of all memory; no block may be in use by a device.
  void clear();

  std::size_t used() const { return used_; }              // bytes
  std::size_t registered() const { return registered_; }  // bytes

 private:
  static constexpr std::size_t classes = 20;
  static std::size_t class_of(std::uint32_t size) {
    return static_cast<std::size_t>(std::bit_width((size - 1) / least));
  }
  std::expected<void, std::error_code> add_slab(link& from, std::uint32_t size);

  std::size_t most_;
  access rights_;
  std::size_t used_ = 0, registered_ = 0;
  std::vector<std::unique_ptr<region>> slabs_;
  std::array<std::vector<block>, classes> free_;
};

}  // namespace nvmf::rdma
