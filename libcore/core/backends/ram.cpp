// SPDX-License-Identifier: BSD-2-Clause
// ram:SIZE. Anonymous memory that is reserved, not taken: blocks that were never written, or that
// were deallocated, cost nothing and read as zeroes. Blocks are guarded by locks of stripes, so
// that a block is always read as one write left it, whoever reads and writes at the same time.
#include <fmt/format.h>
#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <mutex>
#include <nvmf/backend.hpp>

#include "block_pool.hpp"
#include "spec.hpp"

namespace nvmf {
namespace {

constexpr std::size_t stripe_bytes = 65536;  // a multiple of every block size and of the page
constexpr std::size_t stripes = 256;
constexpr std::size_t page_bytes = 4096;
// Pages are given back in pieces of this much: few calls, few locks held at once. It divides a
// round of all stripes, so that a piece never wraps around among the locks.
constexpr std::uint64_t released_at_once = 32 * stripe_bytes;
static_assert(stripes * stripe_bytes % released_at_once == 0);
// Zeroing gives up the thread after this much, so that other hosts are served meanwhile.
constexpr std::uint64_t zero_turn_bytes = std::uint64_t{64} << 20;

class ram final : public backend {
 public:
  ram(std::byte* base, std::uint64_t bytes, std::uint32_t block_size)
      : base_(base), bytes_(bytes), block_size_(block_size) {}
  ~ram() override { ::munmap(base_, bytes_); }

  backend_geometry geometry() const override {
    return {bytes_ / block_size_, block_size_, false, true};
  }
  std::string describe() const override { return backend_name("ram", bytes_, block_size_); }

  void read(executor&, std::uint64_t lba, std::uint32_t blocks, read_callback done) override {
    pooled_block data(std::size_t{blocks} * block_size_);
    if (!data) return done(no_memory, {});
    std::size_t at = 0;
    each_stripe(lba * block_size_, data.bytes().size(), [&](std::byte* p, std::size_t n) {
      std::memcpy(data.bytes().data() + at, p, n);
      at += n;
    });
    done({}, std::move(data).into_buffer());
  }

  void write(executor&, std::uint64_t lba, std::span<const std::byte> data, bool,
             done_callback done) override {
    std::size_t at = 0;
    each_stripe(lba * block_size_, data.size(), [&](std::byte* p, std::size_t n) {
      std::memcpy(p, data.data() + at, n);
      at += n;
    });
    done({});
  }

  void write_zeroes(executor& on, std::uint64_t lba, std::uint64_t blocks, bool, bool,
                    done_callback done) override {
    zero(on, lba * block_size_, blocks * block_size_, std::move(done));
  }
  void deallocate(executor& on, std::uint64_t lba, std::uint64_t blocks,
                  done_callback done) override {
    zero(on, lba * block_size_, blocks * block_size_, std::move(done));
  }
  void flush(executor&, done_callback done) override { done({}); }

 private:
  std::mutex& lock_of(std::uint64_t offset) {
    return locks_[(offset / stripe_bytes) % stripes].lock;
  }

  // Calls `use(memory, size)` for each stripe of the range, with that stripe locked.
  template <class Use>
  void each_stripe(std::uint64_t offset, std::uint64_t size, Use use) {
    while (size > 0) {
      const std::uint64_t n = std::min<std::uint64_t>(size, stripe_bytes - offset % stripe_bytes);
      const std::scoped_lock hold(lock_of(offset));
      use(base_ + offset, n);
      offset += n;
      size -= n;
    }
  }

  void zero(executor& on, std::uint64_t offset, std::uint64_t size, done_callback done) {
    const std::uint64_t now = std::min(size, zero_turn_bytes);
    zero_now(offset, now);
    if (now == size) return done({});
    on.post([this, &on, next = offset + now, rest = size - now, done = std::move(done)]() mutable {
      zero(on, next, rest, std::move(done));
    });
  }

  void zero_now(std::uint64_t offset, std::uint64_t size) {
    const auto clear = [](std::byte* p, std::size_t n) { std::memset(p, 0, n); };
    const std::uint64_t first = (offset + page_bytes - 1) / page_bytes * page_bytes;
    const std::uint64_t last = (offset + size) / page_bytes * page_bytes;
    if (first >= last) return each_stripe(offset, size, clear);
    each_stripe(offset, first - offset, clear);
    for (std::uint64_t at = first; at < last;) {
      const std::uint64_t n = std::min(last - at, released_at_once - at % released_at_once);
      release_pages(at, n);
      at += n;
    }
    each_stripe(last, offset + size - last, clear);
  }

  // Whole pages within one aligned `released_at_once`: gives them back while all their stripes are
  // locked. Those are neighbours among the locks and taken in ascending order, so that two of
  // these cannot wait for each other.
  void release_pages(std::uint64_t offset, std::uint64_t size) {
    const std::size_t first = offset / stripe_bytes % stripes;
    const std::size_t last = (offset + size - 1) / stripe_bytes % stripes;
    for (std::size_t i = first; i <= last; ++i) locks_[i].lock.lock();
    if (::madvise(base_ + offset, size, MADV_DONTNEED) != 0) std::memset(base_ + offset, 0, size);
    for (std::size_t i = first; i <= last; ++i) locks_[i].lock.unlock();
  }

  struct alignas(64) stripe {
    std::mutex lock;
  };
  std::byte* base_;
  std::uint64_t bytes_;
  std::uint32_t block_size_;
  std::array<stripe, stripes> locks_;
};

}  // namespace

std::expected<std::shared_ptr<backend>, std::string> make_ram_backend(std::uint64_t bytes,
                                                                      std::uint32_t block_size) {
  if (auto ok = check_size(bytes, block_size); !ok) return std::unexpected(ok.error());
  void* base = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (base == MAP_FAILED)
    return std::unexpected(fmt::format("{} bytes of memory cannot be reserved: {}", bytes,
                                       std::generic_category().message(errno)));
  return std::make_shared<ram>(static_cast<std::byte*>(base), bytes, block_size);
}

}  // namespace nvmf
