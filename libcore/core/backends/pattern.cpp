// SPDX-License-Identifier: BSD-2-Clause
// pattern:SIZE. The content of a block follows from its LBA: a block that lands in the wrong place,
// is torn or is damaged on its way shows at once, on reads at the host and on writes here.
#include <algorithm>
#include <nvmf/backend.hpp>

#include "block_pool.hpp"
#include "spec.hpp"
#include "wire/bytes.hpp"
#include "wire/crc32c.hpp"

namespace nvmf {
namespace {

using wire::status_code;

constexpr std::uint32_t crc_bytes = 4;

// The one right content of block `lba`; see make_pattern_backend.
void fill(std::span<std::byte> block, std::uint64_t lba) {
  wire::store_le(block, 0, 8, lba);
  std::uint64_t x = lba * 0x9e37'79b9'7f4a'7c15u + 1;
  const std::size_t end = block.size() - crc_bytes;
  for (std::size_t at = 8; at < end; at += 8) {
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    wire::store_le(block, at, std::min<std::size_t>(8, end - at), x);
  }
  wire::store_le(block, end, crc_bytes, wire::crc32c(0, block.first(end)));
}

nvme_status check(std::span<const std::byte> block, std::uint64_t lba,
                  std::span<std::byte> expected) {
  if (wire::load_le(block, 0, 8) != lba) return {status_code::reference_tag_check_error, true};
  fill(expected, lba);
  if (!std::ranges::equal(block, expected)) return {status_code::guard_check_error, true};
  return {};
}

class pattern final : public backend {
 public:
  pattern(std::uint64_t bytes, std::uint32_t block_size) : bytes_(bytes), block_size_(block_size) {}

  backend_geometry geometry() const override {
    return {bytes_ / block_size_, block_size_, false, false};
  }
  std::string describe() const override { return backend_name("pattern", bytes_, block_size_); }

  void read(executor&, std::uint64_t lba, std::uint32_t blocks, read_callback done) override {
    pooled_block data(std::size_t{blocks} * block_size_);
    if (!data) return done(no_memory, {});
    for (std::uint32_t i = 0; i < blocks; ++i)
      fill(data.bytes().subspan(std::size_t{i} * block_size_, block_size_), lba + i);
    done({}, std::move(data).into_buffer());
  }

  void write(executor&, std::uint64_t lba, std::span<const std::byte> data, bool,
             done_callback done) override {
    const pooled_block expected(block_size_);
    if (!expected) return done(no_memory);
    for (; !data.empty(); data = data.subspan(block_size_))
      if (const auto s = check(data.first(block_size_), lba++, expected.bytes()); !s.ok())
        return done(s);
    done({});
  }

  void write_zeroes(executor&, std::uint64_t, std::uint64_t, bool, bool,
                    done_callback done) override {
    done({status_code::guard_check_error, true});
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

std::expected<std::shared_ptr<backend>, std::string> make_pattern_backend(
    std::uint64_t bytes, std::uint32_t block_size) {
  if (auto ok = check_size(bytes, block_size); !ok) return std::unexpected(ok.error());
  return std::make_shared<pattern>(bytes, block_size);
}

}  // namespace nvmf
