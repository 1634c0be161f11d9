// SPDX-License-Identifier: BSD-2-Clause
// What is left when memory runs out (ulimit -v, a cgroup, overcommit switched off). Little things
// that cannot fail half way, a post or a response, are made from a reserve; what can be refused is
// refused before it touches that: the data of commands, new connections. docs/adr/0011 says why.
#pragma once

#include <cstddef>
#include <cstdint>

namespace nvmf {

// How much of the reserve the calling thread's allocations may use.
enum class reserve_share : std::uint8_t { none, half, all };

// For the life of this object the calling thread uses no more than that; the smaller of nested
// shares holds. An allocation that would need more throws std::bad_alloc.
class reserve_scope {
 public:
  explicit reserve_scope(reserve_share most) noexcept;
  ~reserve_scope();
  reserve_scope(const reserve_scope&) = delete;
  reserve_scope& operator=(const reserve_scope&) = delete;

 private:
  reserve_share before_;
};

// Address space that operator new is given, piece by piece, when the system gives no more. It takes
// no memory while nobody writes there. One at a time in a process; the program has it, not the
// library.
class memory_reserve {
 public:
  memory_reserve();
  ~memory_reserve();
  memory_reserve(const memory_reserve&) = delete;
  memory_reserve& operator=(const memory_reserve&) = delete;

  // Takes back what was given away, if the system has it again. True when the reserve is whole:
  // there is memory for something new. Any thread.
  static bool whole() noexcept;
  static constexpr std::size_t piece_bytes = std::size_t{1} << 20;
  static constexpr std::size_t pieces = 8;
};

}  // namespace nvmf
