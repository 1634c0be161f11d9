// SPDX-License-Identifier: BSD-2-Clause
#include "block_pool.hpp"

#include "core/memory_reserve.hpp"

#include <array>
#include <bit>
#include <cassert>
#include <cstdint>
#include <cstdlib>
#include <new>

#if defined(__SANITIZE_ADDRESS__)
#define NVMF_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define NVMF_ASAN 1
#endif
#endif
#ifdef NVMF_ASAN
#include <sanitizer/asan_interface.h>
#endif

namespace nvmf {
namespace {

constexpr std::size_t smallest = 4096;
constexpr unsigned size_classes = 9;  // 4 KiB to 1 MiB
constexpr unsigned unpooled = size_classes;

constexpr std::size_t class_bytes(unsigned c) { return smallest << c; }

unsigned class_of(std::size_t bytes) {
  if (bytes <= smallest) return 0;
  const auto c = static_cast<unsigned>(std::bit_width((bytes - 1) / smallest));
  return c < size_classes ? c : unpooled;
}

// A kept block begins with the link to the next one of its size.
struct kept_block {
  kept_block* next;
};

// The rest of a kept block is nobody's: ASan is to say so when somebody still uses it.
void mark_unused([[maybe_unused]] std::byte* block, [[maybe_unused]] std::size_t bytes) {
#ifdef NVMF_ASAN
  ASAN_POISON_MEMORY_REGION(block + sizeof(kept_block), bytes - sizeof(kept_block));
#endif
}
void mark_used([[maybe_unused]] std::byte* block, [[maybe_unused]] std::size_t bytes) {
#ifdef NVMF_ASAN
  ASAN_UNPOISON_MEMORY_REGION(block, bytes);
#endif
}

// The data of a command can be refused, so the reserve is not for it. nullptr: there is no memory.
std::byte* allocate(std::size_t bytes) {
  const reserve_scope refusable(reserve_share::none);
  const std::size_t rounded = (bytes + smallest - 1) / smallest * smallest;
  return static_cast<std::byte*>(::operator new(rounded, std::align_val_t{smallest}, std::nothrow));
}

struct thread_pool_state {
  std::array<kept_block*, size_classes> free{};
  std::size_t kept = 0;

  ~thread_pool_state();
};
// Outlives the pool of its thread: blocks let go of later are freed at once.
thread_local bool pool_gone = false;
thread_local thread_pool_state pool;

thread_pool_state::~thread_pool_state() {
  pool_gone = true;
  for (unsigned c = 0; c < size_classes; ++c)
    while (kept_block* b = free[c]) {
      free[c] = b->next;
      mark_used(reinterpret_cast<std::byte*>(b), class_bytes(c));
      ::operator delete(b, std::align_val_t{smallest});
    }
}

std::byte* take(unsigned c, std::size_t bytes) {
  if (c == unpooled || pool_gone) return allocate(c == unpooled ? bytes : class_bytes(c));
  kept_block* b = pool.free[c];
  if (b == nullptr) return allocate(class_bytes(c));
  pool.free[c] = b->next;
  pool.kept -= class_bytes(c);
  auto* block = reinterpret_cast<std::byte*>(b);
  mark_used(block, class_bytes(c));
  return block;
}

void give_back(std::byte* block, unsigned c) noexcept {
  if (c == unpooled || pool_gone || pool.kept + class_bytes(c) > pool_bytes_max) {
    ::operator delete(block, std::align_val_t{smallest});
    return;
  }
  pool.free[c] = new (block) kept_block{pool.free[c]};
  pool.kept += class_bytes(c);
  mark_unused(block, class_bytes(c));
}

}  // namespace

pooled_block::pooled_block(std::size_t bytes) : size_class_(class_of(bytes)) {
  assert(bytes > 0);
  if (std::byte* block = take(size_class_, bytes)) bytes_ = {block, bytes};
}

void pooled_block::reset() noexcept {
  const auto bytes = std::exchange(bytes_, {});
  if (!bytes.empty()) give_back(bytes.data(), size_class_);
}

buffer pooled_block::into_buffer() && {
  const std::span<const std::byte> bytes = std::exchange(bytes_, {});
  // The context carries the size class; a buffer always begins where the block does.
  return {bytes,
          [](void* context, std::span<const std::byte> b) noexcept {
            give_back(const_cast<std::byte*>(b.data()),
                      static_cast<unsigned>(reinterpret_cast<std::uintptr_t>(context)));
          },
          reinterpret_cast<void*>(std::uintptr_t{size_class_})};
}

std::size_t pool_bytes_kept() { return pool_gone ? 0 : pool.kept; }

}  // namespace nvmf
