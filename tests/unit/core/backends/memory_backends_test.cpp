// SPDX-License-Identifier: BSD-2-Clause
// ram, null and pattern.
#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include "backend_rig.hpp"
#include "support/raw_bytes.hpp"

using namespace nvmf;
using namespace nvmf::test;

namespace {

std::uint64_t resident_kib() {
  std::FILE* f = std::fopen("/proc/self/statm", "r");
  REQUIRE(f != nullptr);
  unsigned long size = 0, resident = 0;
  REQUIRE(std::fscanf(f, "%lu %lu", &size, &resident) == 2);
  std::fclose(f);
  return resident * 4;
}

// CRC32C bit by bit (reflected 1EDC6F41h), not the library's.
std::uint32_t crc32c_slow(std::span<const std::byte> data) {
  std::uint32_t crc = 0xffff'ffff;
  for (const std::byte b : data) {
    crc ^= std::to_integer<std::uint32_t>(b);
    for (int i = 0; i < 8; ++i) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0x82f6'3b78u : 0u);
  }
  return ~crc;
}

}  // namespace

TEST_CASE("ram: what is written is read, at every edge of a stripe") {
  for (const char* spec : {"ram:1M", "ram:1M,bs=4096"}) {
    backend_rig r(spec);
    const auto g = r.store->geometry();
    CHECK(g.blocks * g.block_size == 1 << 20);
    CHECK(g.deallocates);
    CHECK_FALSE(g.read_only);
    const std::uint32_t per_stripe = 65536 / g.block_size;
    for (const std::uint64_t lba : {std::uint64_t{0}, std::uint64_t{per_stripe - 1},
                                    std::uint64_t{per_stripe}, std::uint64_t{per_stripe + 1}}) {
      const auto data =
          bytes(std::size_t{per_stripe + 2} * g.block_size, static_cast<unsigned>(lba));
      CHECK(r.write(lba, data) == 0);
      CHECK(r.get(lba, per_stripe + 2) == data);
    }
    const auto last = bytes(g.block_size, 9);
    CHECK(r.write(g.blocks - 1, last) == 0);
    CHECK(r.get(g.blocks - 1, 1) == last);
    CHECK(r.flush() == 0);
  }
}

TEST_CASE("ram: zeroes in ranges that are not whole pages leave their neighbours alone") {
  backend_rig r("ram:32M");
  const auto before = bytes(1 << 20, 3);
  struct range {
    std::uint64_t lba, blocks;
  };
  for (const range z : {range{0, 1}, range{1, 7}, range{3, 8}, range{7, 2}, range{5, 200},
                        range{8, 8}, range{127, 129}, range{1, 2040}}) {
    CAPTURE(z.lba);
    CAPTURE(z.blocks);
    for (const bool deallocate : {false, true}) {
      CHECK(r.write(0, before) == 0);
      CHECK((deallocate ? r.deallocate(z.lba, z.blocks) : r.write_zeroes(z.lba, z.blocks)) == 0);
      auto expected = before;
      std::fill_n(expected.begin() + static_cast<std::ptrdiff_t>(z.lba * 512), z.blocks * 512,
                  std::byte{0});
      CHECK(r.get(0, 2048) == expected);
    }
  }
  // More than one round of stripes, beginning within one.
  CHECK(r.write(9, before) == 0);
  CHECK(r.write(65536 - 2048, before) == 0);
  CHECK(r.write_zeroes(9, 65536 - 9) == 0);
  CHECK(r.get(9, 2048) == zeroes(1 << 20));
  CHECK(r.get(65536 - 2048, 2048) == zeroes(1 << 20));
}

TEST_CASE("ram: sparse, and deallocation gives memory back") {
  backend_rig r("ram:256G");  // ThreadSanitizer leaves no room for 1T on every run
  const std::uint64_t start = resident_kib();
  const auto data = bytes(1 << 20, 1);
  for (std::uint64_t i = 0; i < 32; ++i) CHECK(r.write(i << 24, data) == 0);
  const std::uint64_t full = resident_kib();
  CHECK(full >= start + 30 * 1024);
  CHECK(r.deallocate(0, std::uint64_t{32} << 24) == 0);  // 256 GiB, in turns
  CHECK(resident_kib() + 30 * 1024 <= full);
  CHECK(r.get(5ull << 24, 8) == zeroes(4096));
}

TEST_CASE("ram: a block is never torn, whoever reads, writes and clears it") {
  auto made = make_ram_backend(4 << 20, 4096);
  REQUIRE(made.has_value());
  const auto store = *made;
  std::atomic<bool> torn{false};
  const auto whole = [](std::span<const std::byte> block) {
    return std::ranges::all_of(block, [&](std::byte b) { return b == block.front(); });
  };
  const auto work = [&](unsigned seed) {
    virtual_executor on;
    std::vector<std::byte> data(32 * 4096);
    for (unsigned i = 0; i < 300; ++i) {
      const std::uint64_t lba = (i * 5 + seed) % 64;
      switch ((i + seed) % 3) {
        case 0:
          for (std::size_t b = 0; b < 32; ++b)
            std::fill_n(data.begin() + static_cast<std::ptrdiff_t>(b * 4096), 4096,
                        static_cast<std::byte>(i + b + seed));
          store->write(on, lba, data, false, [](nvme_status) {});
          break;
        case 1:
          store->write_zeroes(on, lba, 32, true, false, [](nvme_status) {});
          break;
        default:
          store->read(on, lba, 32, [&](nvme_status, buffer b) {
            for (std::size_t at = 0; at < b.size(); at += 4096)
              if (!whole(b.bytes().subspan(at, 4096))) torn = true;
          });
      }
    }
  };
  std::thread other(work, 1), third(work, 2);
  work(3);
  other.join();
  third.join();
  CHECK_FALSE(torn);
}

TEST_CASE("null: zeroes, and nothing is kept") {
  backend_rig r("null:1T,bs=4096");
  CHECK(r.write(7, bytes(4096, 1)) == 0);
  CHECK(r.get(7, 1) == zeroes(4096));
  CHECK(r.get(0, 512) == zeroes(2 << 20));  // more than the shared zeroes
  CHECK(r.write_zeroes(0, 1) == 0);
  CHECK(r.deallocate(0, 1) == 0);
  CHECK(r.flush() == 0);
}

TEST_CASE("pattern: every block carries its LBA and its CRC32C") {
  for (const std::uint32_t size : {512u, 4096u}) {
    backend_rig r(*make_pattern_backend(1 << 30, size));
    const auto data = r.get(1000, 3);
    for (std::uint64_t i = 0; i < 3; ++i) {
      const auto block = std::span{data}.subspan(i * size, size);
      CHECK(peek(block, 0, 8) == 1000 + i);
      CHECK(peek(block, size - 4, 4) == crc32c_slow(block.first(size - 4)));
    }
    CHECK(r.get(1001, 1) == std::vector(data.begin() + size, data.begin() + 2 * size));
    CHECK(r.write(1000, data) == 0);
  }
}

TEST_CASE("pattern: writes are compared, wherever they differ") {
  backend_rig r("pattern:1M");
  auto data = r.get(10, 4);
  CHECK(r.write(11, data) == 0x284);  // the LBA of another block: Reference Tag
  for (const std::size_t at : {8u, 200u, 507u, 508u, 511u, 512u + 300u, 2047u}) {
    auto bad = data;
    bad[at] ^= std::byte{0x10};
    CHECK(r.write(10, bad) == 0x282);  // Guard
  }
  CHECK(r.write(10, data) == 0);
  CHECK(r.write_zeroes(10, 1) == 0x282);
  CHECK(r.deallocate(10, 1) == 0);
  CHECK_FALSE(r.store->geometry().deallocates);
  CHECK(r.get(10, 4) == data);
}
