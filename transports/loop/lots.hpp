// SPDX-License-Identifier: BSD-2-Clause
// Lots drawn from a seed, the same on every machine and standard library (SplitMix64).
#pragma once

#include <cstdint>

namespace nvmf::loop {

class lots {
 public:
  explicit lots(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
  std::uint64_t up_to(std::uint64_t most) {
    return most == ~std::uint64_t{0} ? next() : next() % (most + 1);
  }
  bool coin() { return (next() >> 63) != 0; }

 private:
  std::uint64_t state_;
};

}  // namespace nvmf::loop
