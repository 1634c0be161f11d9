// SPDX-License-Identifier: BSD-2-Clause
// What this process holds, for tests that look for leaks over many rounds.
#pragma once

#include <malloc.h>

#include <cstddef>
#include <filesystem>
#include <iterator>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define NVMF_SANITIZER_HEAP 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define NVMF_SANITIZER_HEAP 1
#endif
#endif
#ifdef NVMF_SANITIZER_HEAP
// Not every compiler comes with <sanitizer/allocator_interface.h>.
extern "C" std::size_t __sanitizer_get_current_allocated_bytes();
#endif

namespace nvmf::test {

// Bytes allocated and not freed.
inline std::size_t heap_in_use() {
#ifdef NVMF_SANITIZER_HEAP
  return __sanitizer_get_current_allocated_bytes();
#else
  return mallinfo2().uordblks;
#endif
}

inline std::size_t open_descriptors() {
  const std::filesystem::directory_iterator all("/proc/self/fd");
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

}  // namespace nvmf::test
