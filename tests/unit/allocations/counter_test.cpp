// SPDX-License-Identifier: BSD-2-Clause
#include "counter.hpp"

#include <doctest/doctest.h>
#include <malloc.h>

#include <array>
#include <cstddef>
#include <cstdlib>
#include <memory>
#include <new>

std::size_t nvmf::test::allocations = 0;
std::size_t nvmf::test::held = 0;

namespace {

void* counted(std::size_t n, std::size_t alignment) {
  ++nvmf::test::allocations;
  void* p = alignment > alignof(std::max_align_t)
                ? std::aligned_alloc(alignment, (n + alignment - 1) / alignment * alignment)
                : std::malloc(n == 0 ? 1 : n);
  if (p == nullptr) std::abort();
  nvmf::test::held += ::malloc_usable_size(p);
  return p;
}
void released(void* p) {
  nvmf::test::held -= ::malloc_usable_size(p);
  std::free(p);
}
}  // namespace

void* operator new(std::size_t n) { return counted(n, 0); }
void* operator new[](std::size_t n) { return counted(n, 0); }
void* operator new(std::size_t n, const std::nothrow_t&) noexcept { return counted(n, 0); }
void* operator new[](std::size_t n, const std::nothrow_t&) noexcept { return counted(n, 0); }
void* operator new(std::size_t n, std::align_val_t a) {
  return counted(n, static_cast<std::size_t>(a));
}
void* operator new[](std::size_t n, std::align_val_t a) {
  return counted(n, static_cast<std::size_t>(a));
}
void* operator new(std::size_t n, std::align_val_t a, const std::nothrow_t&) noexcept {
  return counted(n, static_cast<std::size_t>(a));
}
void operator delete(void* p) noexcept { released(p); }
void operator delete[](void* p) noexcept { released(p); }
void operator delete(void* p, std::size_t) noexcept { released(p); }
void operator delete[](void* p, std::size_t) noexcept { released(p); }
void operator delete(void* p, std::align_val_t) noexcept { released(p); }
void operator delete[](void* p, std::align_val_t) noexcept { released(p); }
void operator delete(void* p, std::size_t, std::align_val_t) noexcept { released(p); }
void operator delete[](void* p, std::size_t, std::align_val_t) noexcept { released(p); }

TEST_CASE("the counter counts") {
  const std::size_t before = nvmf::test::allocations, held = nvmf::test::held;
  auto p = std::make_unique<std::array<std::byte, 100>>();
  CHECK(nvmf::test::allocations == before + 1);
  CHECK(nvmf::test::held >= held + 100);
  p.reset();
  CHECK(nvmf::test::held == held);
}
