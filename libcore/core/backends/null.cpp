// SPDX-License-Identifier: BSD-2-Clause
// null:SIZE. Reads are zeroes, writes are forgotten: for measuring everything else.
#include <sys/mman.h>

#include <cstring>
#include <nvmf/backend.hpp>

#include "block_pool.hpp"
#include "spec.hpp"

namespace nvmf {
namespace {

// Zeroes that reads are sent from: untouched anonymous memory, one page of it at most is real.
constexpr std::size_t zeroes_bytes = std::size_t{1} << 20;

std::span<const std::byte> zeroes() {
  static const auto* const base = [] {
    void* p = ::mmap(nullptr, zeroes_bytes, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return p == MAP_FAILED ? nullptr : static_cast<const std::byte*>(p);
  }();
  return {base, base == nullptr ? 0 : zeroes_bytes};
}

class null final : public backend {
 public:
  null(std::uint64_t bytes, std::uint32_t block_size) : bytes_(bytes), block_size_(block_size) {}

  backend_geometry geometry() const override {
    return {bytes_ / block_size_, block_size_, false, true};
  }
  std::string describe() const override { return backend_name("null", bytes_, block_size_); }

  void read(executor&, std::uint64_t, std::uint32_t blocks, read_callback done) override {
    const std::size_t size = std::size_t{blocks} * block_size_;
    if (size <= zeroes().size()) return done({}, {zeroes().first(size), nullptr, nullptr});
    pooled_block data(size);
    if (!data) return done(no_memory, {});
    std::memset(data.bytes().data(), 0, size);
    done({}, std::move(data).into_buffer());
  }
  void write(executor&, std::uint64_t, std::span<const std::byte>, bool,
             done_callback done) override {
    done({});
  }
  void write_zeroes(executor&, std::uint64_t, std::uint64_t, bool, bool,
                    done_callback done) override {
    done({});
  }
  void deallocate(executor&, std::uint64_t, std::uint64_t, done_callback done) override {
    done({});
  }
  void flush(executor&, done_callback done) override { done({}); }

 private:
  std::uint64_t bytes_;
  std::uint32_t block_size_;
};

}  // namespace

std::expected<std::shared_ptr<backend>, std::string> make_null_backend(std::uint64_t bytes,
                                                                       std::uint32_t block_size) {
  if (auto ok = check_size(bytes, block_size); !ok) return std::unexpected(ok.error());
  return std::make_shared<null>(bytes, block_size);
}

}  // namespace nvmf
