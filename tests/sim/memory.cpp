// SPDX-License-Identifier: BSD-2-Clause
#include "memory.hpp"

#include <fmt/format.h>

#include <algorithm>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#define NVMF_SIM_POISON(p, n) __asan_poison_memory_region(p, n)
#define NVMF_SIM_UNPOISON(p, n) __asan_unpoison_memory_region(p, n)
#else
#define NVMF_SIM_POISON(p, n) (void)0
#define NVMF_SIM_UNPOISON(p, n) (void)0
#endif

namespace nvmf::sim {
namespace {

constexpr std::byte untouched{0xd7};

}  // namespace

user_memory::user_memory(std::size_t size, bool trap)
    : all_(size + 2 * static_cast<std::size_t>(guard), untouched), trap_(trap) {}

user_memory::~user_memory() {
  if (trap_) NVMF_SIM_UNPOISON(all_.data(), all_.size());
}

void user_memory::retire() {
  std::ranges::fill(data(), untouched);
  retired_ = true;
  if (trap_) NVMF_SIM_POISON(all_.data(), all_.size());
}

std::string user_memory::check() {
  if (trap_) NVMF_SIM_UNPOISON(all_.data(), all_.size());
  const auto end = static_cast<std::ptrdiff_t>(all_.size()) - guard;
  for (std::ptrdiff_t i = 0; i < static_cast<std::ptrdiff_t>(all_.size()); ++i) {
    const bool outside = i < guard || i >= end;
    if (all_[static_cast<std::size_t>(i)] == untouched || (!outside && !retired_)) continue;
    return outside ? fmt::format("memory beside that of a command was written, at {}", i - guard)
                   : fmt::format("memory was written after its callback, at {}", i - guard);
  }
  return {};
}

}  // namespace nvmf::sim
