// SPDX-License-Identifier: BSD-2-Clause
// The command identifiers in use on a queue. Hosts use few of the 65536, so memory is taken by
// pages of 1024 when one of them is used first.
#pragma once

#include <array>
#include <cstdint>
#include <memory>

namespace nvmf {

class cid_set {
 public:
  // False: it is in use already.
  bool insert(std::uint16_t cid) {
    auto& page = pages_[cid >> 10];
    if (page == nullptr) page = std::make_unique<bits>();
    std::uint64_t& word = (*page)[(cid >> 6) & 15];
    const std::uint64_t bit = std::uint64_t{1} << (cid & 63);
    if ((word & bit) != 0) return false;
    word |= bit;
    return true;
  }
  // It is in use.
  void erase(std::uint16_t cid) {
    (*pages_[cid >> 10])[(cid >> 6) & 15] &= ~(std::uint64_t{1} << (cid & 63));
  }

 private:
  using bits = std::array<std::uint64_t, 16>;
  std::array<std::unique_ptr<bits>, 64> pages_;
};

}  // namespace nvmf
