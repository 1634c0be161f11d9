// SPDX-License-Identifier: BSD-2-Clause
// The outstanding commands of a queue by CID. CIDs are any 16-bit numbers (Linux puts a generation
// into the upper bits), so they are hashed. Slots are used again: a queue allocates while its depth
// grows, and no more.
#pragma once

#include <cstdint>
#include <vector>

#include "command.hpp"

namespace nvmf::trace {

class command_table {
 public:
  command* find(std::uint16_t cid);
  // The CID must not be outstanding. Earlier pointers are no longer good.
  command& add(std::uint16_t cid);
  void erase(command& c);

  std::size_t size() const { return size_; }
  std::size_t most() const { return slots_.size(); }
  // The outstanding commands, oldest first.
  std::vector<std::uint16_t> cids() const;

 private:
  static constexpr std::uint32_t none = ~std::uint32_t{0};
  std::size_t mask() const { return index_.size() - 1; }
  std::size_t home(std::uint16_t cid) const { return (cid * 0x9e3779b1u >> 8) & mask(); }
  void put(std::uint32_t slot);

  std::vector<command> slots_;
  std::vector<bool> used_;
  std::vector<std::uint32_t> free_;
  std::vector<std::uint32_t> index_ = std::vector<std::uint32_t>(16, none);
  std::size_t size_ = 0;
};

}  // namespace nvmf::trace
