// SPDX-License-Identifier: BSD-2-Clause
// A namespace as controllers see it, and the identifiers that every controller of a subsystem must
// give it alike (Base 2.0, 4.5.1, 5.17.2.3).
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace nvmf::engine {

inline constexpr std::uint32_t broadcast_nsid = 0xffff'ffff;
inline constexpr std::uint32_t nsid_max = 1024;  // NN: the highest NSID a subsystem may have

struct namespace_view {
  std::uint32_t nsid = 0;
  std::uint64_t blocks = 0;
  std::uint32_t block_size = 512;  // bytes, a power of two
  bool read_only = false;
  bool deallocates = false;

  unsigned block_shift() const { return static_cast<unsigned>(std::countr_zero(block_size)); }
};

struct namespace_ids {
  std::array<std::byte, 16> uuid{};
  std::array<std::byte, 16> nguid{};
  std::array<std::byte, 8> eui64{};
};
// The same for the same subsystem NQN and NSID, in every process and on every machine; different
// for different ones as far as 64 bits of a good mix can tell.
namespace_ids ids_of(std::string_view subsystem_nqn, std::uint32_t nsid);

}  // namespace nvmf::engine
