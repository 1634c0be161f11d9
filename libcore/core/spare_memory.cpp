// SPDX-License-Identifier: BSD-2-Clause
#include "spare_memory.hpp"

#include <atomic>
#include <cstdlib>
#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace nvmf {

void give_back_spare_memory() noexcept {
#ifdef __GLIBC__
  ::malloc_trim(0);
#endif
}

void note_spare_memory(std::size_t bytes) noexcept {
  constexpr std::size_t worth_a_walk = std::size_t{1} << 20;  // through the heap
  static std::atomic<std::size_t> noted{0};
  if (bytes == 0 || noted.fetch_add(bytes, std::memory_order_relaxed) + bytes < worth_a_walk)
    return;
  if (noted.exchange(0, std::memory_order_relaxed) >= worth_a_walk) give_back_spare_memory();
}

}  // namespace nvmf
