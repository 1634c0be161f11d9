// SPDX-License-Identifier: BSD-2-Clause
#include "memory_reserve.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cassert>
#include <new>

namespace nvmf {
namespace {

thread_local reserve_share share = reserve_share::all;

// The new handler and whole() may meet on several threads; neither may allocate or block for long.
class spin_guard {
 public:
  explicit spin_guard(std::atomic_flag& flag) : flag_(flag) {
    while (flag_.test_and_set(std::memory_order_acquire)) {
    }
  }
  ~spin_guard() { flag_.clear(std::memory_order_release); }
  spin_guard(const spin_guard&) = delete;
  spin_guard& operator=(const spin_guard&) = delete;

 private:
  std::atomic_flag& flag_;
};

std::atomic_flag busy;
bool installed = false;
std::array<void*, memory_reserve::pieces> kept{};  // the first `count` are there
std::size_t count = 0;

// Pages of their own, so that the system has them back at once, for whichever arena asks.
bool refill() {
  while (count < kept.size()) {
    void* piece = ::mmap(nullptr, memory_reserve::piece_bytes, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (piece == MAP_FAILED) return false;
    kept[count++] = piece;
  }
  return true;
}

void give_one() {
  {
    const spin_guard hold(busy);
    const std::size_t stays = share == reserve_share::half ? kept.size() / 2 : 0;
    if (share != reserve_share::none && count > stays) {
      ::munmap(kept[--count], memory_reserve::piece_bytes);
      return;
    }
  }
  throw std::bad_alloc();
}

}  // namespace

reserve_scope::reserve_scope(reserve_share most) noexcept : before_(share) {
  share = std::min(share, most);
}
reserve_scope::~reserve_scope() { share = before_; }

memory_reserve::memory_reserve() {
  assert(!installed);
  installed = true;
  whole();
  std::set_new_handler(give_one);
}

memory_reserve::~memory_reserve() {
  std::set_new_handler(nullptr);
  const spin_guard hold(busy);
  while (count > 0) ::munmap(kept[--count], piece_bytes);
  installed = false;
}

bool memory_reserve::whole() noexcept {
  const spin_guard hold(busy);
  return refill();
}

}  // namespace nvmf
