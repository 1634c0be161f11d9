// SPDX-License-Identifier: BSD-2-Clause
// I/O commands against a namespace and the limits (NVM 1.0, 3).
#include "engine/controller/io_command.hpp"

#include <doctest/doctest.h>

#include "support/raw_bytes.hpp"

using namespace nvmf;
using namespace nvmf::engine;
using namespace nvmf::test;

namespace {

constexpr namespace_view disk{1, 1000, 512, false, true};
constexpr namespace_view protected_disk{1, 1000, 512, true, false};
constexpr namespace_view large{1, ~std::uint64_t{0}, 4096, false, true};
constexpr io_limits mdts{131'072};

std::expected<io_request, refusal> read(const raw_sqe& s, const namespace_view* ns = &disk,
                                        io_limits limits = mdts) {
  return read_io_command(s, static_cast<std::uint32_t>(peek(s, 32, 4)), ns, limits);
}
unsigned status(const raw_sqe& s, const namespace_view* ns = &disk, io_limits limits = mdts) {
  const auto r = read(s, ns, limits);
  return r ? 0 : r.error().status.raw_code();
}

}  // namespace

TEST_CASE("Read and Write in plain numbers") {
  const auto r = read(block_sqe(0x02, 1, 1, 992, 8, 4096));
  REQUIRE(r.has_value());
  CHECK(r->kind == io_kind::read);
  CHECK(r->lba == 992);
  CHECK(r->blocks == 8);
  CHECK(r->bytes == 4096);
  CHECK_FALSE(r->durable);
  const auto w = read(with(block_sqe(0x01, 1, 1, 0, 1, 512), 51, 1, 0xc0));  // FUA, LR
  REQUIRE(w.has_value());
  CHECK(w->kind == io_kind::write);
  CHECK(w->durable);
  // PRINFO without protection information is not processed.
  CHECK(status(with(block_sqe(0x01, 1, 1, 0, 1, 512), 51, 1, 0x3c)) == 0);
}

TEST_CASE("block ranges: the end, beyond it, and sums that would wrap") {
  for (const std::uint8_t opcode :
       std::initializer_list<std::uint8_t>{0x01, 0x02, 0x05, 0x08, 0x0c}) {
    CAPTURE(opcode);
    const std::uint32_t bytes = 512;
    CHECK(status(block_sqe(opcode, 1, 1, 999, 1, bytes)) == 0);
    CHECK(status(block_sqe(opcode, 1, 1, 1000, 1, bytes)) == 0x080);
    CHECK(status(block_sqe(opcode, 1, 1, 999, 2, 2 * bytes)) == 0x080);
    CHECK(status(block_sqe(opcode, 1, 1, ~std::uint64_t{0}, 1, bytes)) == 0x080);
    CHECK(status(block_sqe(opcode, 1, 1, ~std::uint64_t{0} - 1, 4, 4 * bytes)) == 0x080);
    CHECK(status(block_sqe(opcode, 1, 1, 0, 65536, 0xffff'ffff), &disk, {}) == 0x080);
  }
  CHECK(status(block_sqe(0x02, 1, 1, ~std::uint64_t{0} - 8, 8, 32768), &large) == 0);
  CHECK(status(block_sqe(0x02, 1, 1, ~std::uint64_t{0} - 8, 9, 36864), &large) == 0x080);
}

TEST_CASE("MDTS, and SGL lengths") {
  CHECK(status(block_sqe(0x02, 1, 1, 0, 256, 131'072)) == 0);
  CHECK(status(block_sqe(0x02, 1, 1, 0, 257, 131'584)) == 0x002);
  CHECK(status(block_sqe(0x01, 1, 1, 0, 257, 131'584)) == 0x002);
  CHECK(status(block_sqe(0x02, 1, 1, 0, 257, 131'584), &disk, {}) == 0);
  CHECK(status(block_sqe(0x02, 1, 1, 0, 8, 4095)) == 0x00f);
  CHECK(status(block_sqe(0x01, 1, 1, 0, 8, 4095)) == 0x00f);
  CHECK(status(block_sqe(0x05, 1, 1, 0, 8, 0)) == 0x00f);
  CHECK(status(block_sqe(0x02, 1, 1, 0, 8, 8192)) == 0);
  // 65536 blocks of 64 KiB do not fit 32 bits.
  constexpr namespace_view coarse{1, 100'000, 65536, false, false};
  CHECK(status(block_sqe(0x02, 1, 1, 0, 65536, 0xffff'ffff), &coarse, {}) == 0x00f);
  // Without data there is no limit but the namespace.
  CHECK(status(block_sqe(0x08, 1, 1, 0, 1000, 0)) == 0);
  CHECK(status(block_sqe(0x0c, 1, 1, 0, 1000, 0)) == 0);
}

TEST_CASE("namespaces: none, protected, all") {
  for (const std::uint8_t opcode :
       std::initializer_list<std::uint8_t>{0x00, 0x01, 0x02, 0x05, 0x08, 0x09, 0x0c})
    CHECK(status(block_sqe(opcode, 1, 9, 0, 1, 512), nullptr) == 0x00b);
  for (const std::uint8_t opcode : std::initializer_list<std::uint8_t>{0x01, 0x08})
    CHECK(status(block_sqe(opcode, 1, 1, 0, 1, 512), &protected_disk) == 0x020);
  for (const std::uint8_t opcode : std::initializer_list<std::uint8_t>{0x02, 0x05, 0x0c, 0x00})
    CHECK(status(block_sqe(opcode, 1, 1, 0, 1, 512), &protected_disk) == 0);
  const auto all = read(sqe(0x00, 1, 0xffff'ffff), nullptr);
  REQUIRE(all.has_value());
  CHECK(all->kind == io_kind::flush);
  CHECK(all->nsid == 0xffff'ffff);
  CHECK(status(sqe(0x02, 1, 0xffff'ffff, 512), nullptr) == 0x00b);
}

TEST_CASE("opcodes that are not carried out, and fused commands") {
  for (const std::uint8_t opcode : std::initializer_list<std::uint8_t>{
           0x03, 0x04, 0x0d, 0x0e, 0x11, 0x15, 0x19, 0x79, 0x80, 0xff})
    CHECK(status(block_sqe(opcode, 1, 1, 0, 1, 512)) == 0x001);
  CHECK(status(with(block_sqe(0x05, 1, 1, 0, 1, 512), 1, 1, 0x41)) == 0x002);
  CHECK(status(with(block_sqe(0x01, 1, 1, 0, 1, 512), 1, 1, 0x42)) == 0x002);
}

TEST_CASE("Write Zeroes and its bits") {
  const auto plain = read(block_sqe(0x08, 1, 1, 5, 10, 0));
  REQUIRE(plain.has_value());
  CHECK(plain->kind == io_kind::write_zeroes);
  CHECK(plain->bytes == 0);
  CHECK_FALSE(plain->deallocate);
  const auto deac = read(with(block_sqe(0x08, 1, 1, 5, 10, 0), 51, 1, 0x42));  // FUA, DEAC
  REQUIRE(deac.has_value());
  CHECK(deac->deallocate);
  CHECK(deac->durable);
}

TEST_CASE("Dataset Management and its ranges") {
  const auto dsm = [](std::uint8_t nr, std::uint32_t attributes, std::uint32_t length) {
    return with(with(sqe(0x09, 1, 1, length), 40, 1, nr), 44, 4, attributes);
  };
  const auto r = read(dsm(1, 4, 32));
  REQUIRE(r.has_value());
  CHECK(r->kind == io_kind::deallocate);
  CHECK(r->ranges == 2);
  CHECK(r->bytes == 32);
  CHECK(read(dsm(255, 4, 4096))->ranges == 256);
  CHECK(read(dsm(0, 3, 16))->kind == io_kind::hint);
  CHECK(status(dsm(1, 4, 31)) == 0x00f);
  CHECK(status(dsm(0, 4, 16), &protected_disk) == 0x020);
  CHECK(status(dsm(0, 1, 16), &protected_disk) == 0);

  std::vector<std::byte> ranges(48);
  const auto put_range = [&](std::size_t i, std::uint64_t lba, std::uint32_t blocks) {
    put(ranges, i * 16 + 4, 4, blocks);
    put(ranges, i * 16 + 8, 8, lba);
  };
  put_range(0, 990, 10);
  put_range(1, 1000, 0);
  put_range(2, 991, 10);
  CHECK(read_range(ranges, 0, disk)->lba == 990);
  CHECK(read_range(ranges, 0, disk)->blocks == 10);
  CHECK(read_range(ranges, 1, disk)->blocks == 0);
  CHECK(read_range(ranges, 2, disk).error().status.raw_code() == 0x080);
  put_range(0, ~std::uint64_t{0}, 2);
  CHECK_FALSE(read_range(ranges, 0, disk).has_value());
}
