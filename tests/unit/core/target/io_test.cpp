// SPDX-License-Identifier: BSD-2-Clause
// I/O commands from capsule to backend and back.
#include <doctest/doctest.h>

#include "support/held_backend.hpp"
#include "support/target_fixture.hpp"

using namespace nvmf;
using namespace nvmf::test;

namespace {

std::vector<std::byte> bytes(std::size_t n, unsigned seed) {
  std::vector<std::byte> v(n);
  for (std::size_t i = 0; i < n; ++i)
    v[i] = static_cast<std::byte>((i * 13 + i / 509 + seed) & 0xff);
  return v;
}

struct with_ram : target_fixture {
  association a;
  std::shared_ptr<fake_wire> q;
  explicit with_ram(subsystem_options o = {}, target_limits limits = {})
      : target_fixture(limits, std::move(o)) {
    REQUIRE(t->add_namespace(sub_nqn, {.store = *make_ram_backend(64 << 20, 512)}) == 1);
    a = bring_up(1);
    q = a.io[0];
  }
  unsigned status(const raw_sqe& s, std::vector<std::byte> in_capsule = {}) {
    const auto cid = static_cast<std::uint16_t>(peek(s, 2, 2));
    std::erase_if(q->responses, [&](const cqe_bytes& c) { return peek(c, 12, 2) == cid; });
    raw_sqe command = s;
    if (!in_capsule.empty()) put(command, 39, 1, 0x01);
    submit(q, command, std::move(in_capsule));
    return q->status(cid);
  }
  unsigned write(std::uint64_t lba, const std::vector<std::byte>& data) {
    q->host_data[50] = data;
    return status(block_sqe(0x01, 50, 1, lba, static_cast<std::uint32_t>(data.size() / 512),
                            static_cast<std::uint32_t>(data.size())));
  }
  std::vector<std::byte> read(std::uint64_t lba, std::uint32_t blocks) {
    CHECK(status(block_sqe(0x02, 51, 1, lba, blocks, blocks * 512)) == 0);
    return q->sent[51];
  }
};

}  // namespace

TEST_CASE("sizes from one block to MDTS, in the capsule and fetched") {
  with_ram f;
  for (const std::uint32_t blocks : {1u, 2u, 7u, 8u, 9u, 128u, 255u, 2048u}) {
    CAPTURE(blocks);
    const auto data = bytes(blocks * 512, blocks);
    CHECK(f.write(blocks * 3, data) == 0);
    CHECK(f.read(blocks * 3, blocks) == data);
    if (blocks <= 16) {
      const auto other = bytes(blocks * 512, blocks + 1);
      CHECK(f.status(block_sqe(0x01, 9, 1, 100, blocks, blocks * 512), other) == 0);
      CHECK(f.read(100, blocks) == other);
    }
  }
  CHECK(f.status(block_sqe(0x02, 9, 1, 0, 2049, 2049 * 512)) == 0x002);  // above MDTS
  // An SGL longer than the blocks.
  CHECK(f.status(block_sqe(0x01, 9, 1, 5, 1, 1024), bytes(1024, 9)) == 0);
  const auto longer = bytes(1024, 9);
  CHECK(f.read(5, 1) == std::vector(longer.begin(), longer.begin() + 512));
}

TEST_CASE("a write whose data did not arrive whole changes nothing and may be tried again") {
  with_ram f;
  const auto before = bytes(65536, 1);
  CHECK(f.write(0, before) == 0);
  f.q->fetch_error = make_error_code(errc::data_digest);
  CHECK(f.write(0, bytes(65536, 2)) == 0x022);
  CHECK((peek(*f.q->response(50), 14, 2) & 0x8000) == 0);  // no DNR
  f.q->fetch_error = make_error_code(errc::data_incomplete);
  CHECK(f.write(0, bytes(65536, 2)) == 0x004);
  f.q->fetch_error = {};
  CHECK(f.read(0, 128) == before);
  CHECK(f.write(0, bytes(65536, 2)) == 0);
  CHECK(f.read(0, 128) == bytes(65536, 2));
}

TEST_CASE("Compare, in the capsule and fetched") {
  with_ram f;
  auto data = bytes(65536, 1);
  CHECK(f.write(10, data) == 0);
  const auto compare = block_sqe(0x05, 60, 1, 10, 128, 65536);
  f.q->host_data[60] = data;
  CHECK(f.status(compare) == 0);
  f.q->host_data[60][65535] ^= std::byte{1};
  CHECK(f.status(compare) == 0x285);
  CHECK(f.status(block_sqe(0x05, 61, 1, 10, 1, 512), {data.begin(), data.begin() + 512}) == 0);
  CHECK(f.status(block_sqe(0x05, 61, 1, 11, 1, 512), {data.begin(), data.begin() + 512}) == 0x285);
  CHECK(f.read(10, 128) == data);
}

TEST_CASE("Write Zeroes, Verify, Flush") {
  with_ram f;
  const auto data = bytes(65536, 1);
  CHECK(f.write(0, data) == 0);
  CHECK(f.status(block_sqe(0x08, 5, 1, 8, 16, 0)) == 0);
  auto expected = data;
  std::fill_n(expected.begin() + 4096, 8192, std::byte{0});
  CHECK(f.read(0, 128) == expected);
  CHECK(f.status(with(block_sqe(0x08, 5, 1, 100, 8, 0), 51, 1, 0x02)) == 0);  // DEAC
  CHECK(f.read(100, 8) == std::vector<std::byte>(4096));
  CHECK(f.status(block_sqe(0x0c, 6, 1, 0, 65536, 0)) == 0);  // Verify of 32 MiB
  CHECK(f.status(block_sqe(0x0c, 6, 1, 131'072 - 1, 2, 0)) == 0x080);
  CHECK(f.status(sqe(0x00, 7, 1)) == 0);
  CHECK(f.status(sqe(0x00, 7, 0xffff'ffff)) == 0);
  CHECK(f.status(sqe(0x00, 7, 2)) == 0x00b);
  CHECK(f.status(sqe(0x00, 7, 0)) == 0x00b);
}

TEST_CASE("Dataset Management deallocates all of its ranges, or none") {
  with_ram f;
  const auto data = bytes(65536, 1);
  CHECK(f.write(0, data) == 0);
  const auto dsm = [&](std::uint8_t ranges, std::uint32_t attributes) {
    return with(with(sqe(0x09, 9, 1, (ranges + 1u) * 16), 40, 1, ranges), 44, 4, attributes);
  };
  std::vector<std::byte> list(64);
  const auto range = [&](std::size_t i, std::uint64_t lba, std::uint32_t blocks) {
    put(list, i * 16 + 4, 4, blocks);
    put(list, i * 16 + 8, 8, lba);
  };
  range(0, 0, 8);
  range(1, 20, 0);
  range(2, 64, 1);
  range(3, 131'072, 1);  // beyond the end
  CHECK(f.status(dsm(3, 4), list) == 0x080);
  CHECK(f.read(0, 128) == data);
  CHECK(f.status(dsm(2, 1), {list.begin(), list.begin() + 48}) == 0);  // a hint only
  CHECK(f.read(0, 128) == data);
  CHECK(f.status(dsm(2, 4), {list.begin(), list.begin() + 48}) == 0);
  auto expected = data;
  std::fill_n(expected.begin(), 4096, std::byte{0});
  std::fill_n(expected.begin() + 64 * 512, 512, std::byte{0});
  CHECK(f.read(0, 128) == expected);
  // 256 ranges, fetched.
  list.assign(4096, std::byte{0});
  for (std::size_t i = 0; i < 256; ++i) range(i, i, 1);
  f.q->host_data[9] = list;
  CHECK(f.status(dsm(255, 4)) == 0);
  CHECK(f.read(0, 128) == std::vector<std::byte>(65536));
}

TEST_CASE("statuses of the backend reach the host, the error log and SMART") {
  with_ram f;
  const auto disk = std::make_shared<held_backend>();
  REQUIRE(f.t->add_namespace(sub_nqn, {.nsid = 5, .store = disk}) == 5);
  f.run();
  struct row {
    raw_sqe s;
    nvme_status end;
    unsigned status;
  };
  const row rows[] = {
      {block_sqe(0x02, 9, 5, 3, 1, 512), status_code::unrecovered_read_error, 0x281},
      {block_sqe(0x0c, 9, 5, 3, 1, 0), status_code::unrecovered_read_error, 0x281},
      {block_sqe(0x08, 9, 5, 3, 1, 0), status_code::write_fault, 0x280},
      {sqe(0x00, 9, 5), status_code::write_fault, 0x280},
      {sqe(0x00, 9, 0xffff'ffff), status_code::write_fault, 0x280},
  };
  for (const row& r : rows) {
    f.q->responses.clear();
    f.submit(f.q, r.s);
    REQUIRE(disk->operations.size() == 1);
    CHECK(f.q->response(9) == nullptr);
    disk->end_one(r.end);
    f.run();
    CHECK(f.q->status(9) == r.status);
    CHECK((peek(*f.q->response(9), 14, 2) & 0x4000) != 0);  // M: the error log tells more
  }
  f.q->responses.clear();
  f.submit(f.q, with(block_sqe(0x01, 9, 5, 3, 1, 512), 39, 1, 0x01), bytes(512, 1));
  disk->end_one({status_code::capacity_exceeded, true});
  f.run();
  CHECK(f.q->status(9) == 0x081);
  CHECK(f.status(block_sqe(0x02, 10, 1, 1ull << 40, 1, 512)) == 0x080);

  f.submit(f.a.admin, with(with(sqe(0x02, 70, 0, 128), 40, 1, 0x01), 42, 2, 31));
  const auto& log = f.a.admin->sent[70];
  CHECK(peek(log, 0, 8) == 7);
  CHECK(peek(log, 8, 2) == 1);    // SQID
  CHECK(peek(log, 10, 2) == 10);  // CID
  CHECK(((peek(log, 12, 2) >> 1) & 0x7ff) == 0x080);
  CHECK(peek(log, 14, 2) == 40);  // SLBA
  CHECK(peek(log, 16, 8) == 1ull << 40);
  CHECK(peek(log, 24, 4) == 1);
  CHECK(((peek(log, 64 + 12, 2) >> 1) & 0x7ff) == 0x081);
  f.submit(f.a.admin, with(with(sqe(0x02, 71, 0, 512), 40, 1, 0x02), 42, 2, 127));
  CHECK(peek(f.a.admin->sent[71], 160, 8) == 4);  // media errors
}

TEST_CASE("a host that does nothing but err: the latest errors are kept, all are counted") {
  with_ram f;
  // All before the controller, on another executor, hears of the first.
  for (std::uint16_t cid = 0; cid < 200; ++cid)
    f.q->queue->deliver(block_sqe(0x02, cid, 1, (1ull << 40) + cid, 1, 512), {});
  f.run();
  CHECK(f.q->responses.size() == 200);
  f.submit(f.a.admin, with(with(sqe(0x02, 70, 0, 4096), 40, 1, 0x01), 42, 2, 1023));
  const auto& log = f.a.admin->sent[70];
  REQUIRE(log.size() == 4096);
  for (std::uint16_t i = 0; i < 64; ++i) {
    CAPTURE(i);
    CHECK(peek(log, i * 64u, 8) == 200u - i);       // Error Count
    CHECK(peek(log, i * 64u + 10, 2) == 199u - i);  // CID
    CHECK(peek(log, i * 64u + 16, 8) == (1ull << 40) + 199 - i);
  }
}

TEST_CASE("SMART counts the I/O of queues that are and that were") {
  with_ram f;
  auto second = f.connect(2, 127, f.a.cntlid);
  for (int i = 0; i < 3; ++i) CHECK(f.write(0, bytes(512'000, 1)) == 0);
  for (int i = 0; i < 2; ++i) f.read(0, 1000);
  f.submit(second, block_sqe(0x02, 9, 1, 0, 1, 512));
  f.break_down(second, {});
  f.submit(f.a.admin, with(with(sqe(0x02, 71, 0, 512), 40, 1, 0x02), 42, 2, 127));
  const auto& log = f.a.admin->sent[71];
  CHECK(peek(log, 32, 8) == 3);  // 1,024,512 bytes read, in units of 512,000, rounded up
  CHECK(peek(log, 48, 8) == 3);
  CHECK(peek(log, 64, 8) == 3);
  CHECK(peek(log, 80, 8) == 3);
}

TEST_CASE("FUA and a disabled write cache reach the backend") {
  target_fixture f;
  const auto disk = std::make_shared<held_backend>();
  REQUIRE(f.t->add_namespace(sub_nqn, {.store = disk}) == 1);
  auto a = f.bring_up(1);
  const auto last = [&](const raw_sqe& s, std::vector<std::byte> data) {
    f.submit(a.io[0], s, std::move(data));
    const std::string what = disk->operations.back().what;
    disk->end_one();
    f.run();
    return what;
  };
  const auto plain = with(block_sqe(0x01, 9, 1, 8, 1, 512), 39, 1, 0x01);
  CHECK(last(plain, bytes(512, 1)) == "write 8+1");
  CHECK(last(with(plain, 51, 1, 0x40), bytes(512, 1)) == "write 8+1 durable");
  CHECK(last(with(block_sqe(0x08, 9, 1, 8, 4, 0), 51, 1, 0x42), {}) ==
        "zero 8+4 deallocate durable");
  f.submit(a.admin, with(with(sqe(0x09, 5), 40, 4, 0x06), 44, 4, 0));
  CHECK(last(plain, bytes(512, 1)) == "write 8+1 durable");
  CHECK(last(block_sqe(0x08, 9, 1, 8, 4, 0), {}) == "zero 8+4 durable");
  f.submit(a.admin, with(with(sqe(0x09, 5), 40, 4, 0x06), 44, 4, 1));
  CHECK(last(plain, bytes(512, 1)) == "write 8+1");
}

TEST_CASE("a write-protected namespace") {
  target_fixture f;
  const auto disk = std::make_shared<held_backend>();
  disk->shape.read_only = true;
  REQUIRE(f.t->add_namespace(sub_nqn, {.store = disk}) == 1);
  auto a = f.bring_up(1);
  f.submit(a.io[0], with(block_sqe(0x01, 9, 1, 8, 1, 512), 39, 1, 0x01), bytes(512, 1));
  CHECK(a.io[0]->status(9) == 0x020);
  CHECK(disk->operations.empty());
}

TEST_CASE("memory of a queue is bounded; commands wait in order and all end") {
  with_ram f({}, {.queue_data_max = 128 << 10});
  f.q->hold_buffers = true;
  for (std::uint16_t cid = 100; cid < 120; ++cid)
    f.submit(f.q, block_sqe(0x02, cid, 1, 0, 64, 32768));
  CHECK(f.q->buffers.size() == 4);
  CHECK(f.q->responses.size() == 4);
  std::uint16_t next = 104;
  while (!f.q->buffers.empty()) {
    f.q->buffers.erase(f.q->buffers.begin());
    f.run();
    REQUIRE(f.q->buffers.size() <= 4);
    if (next < 120) CHECK(f.q->status(next++) == 0);
  }
  CHECK(f.q->responses.size() == 20);
  // One that is larger than the bound goes alone; small ones behind it wait.
  f.q->responses.clear();
  f.submit(f.q, block_sqe(0x02, 200, 1, 0, 512, 262'144));
  f.submit(f.q, block_sqe(0x02, 201, 1, 0, 1, 512));
  CHECK(f.q->responses.size() == 1);
  f.q->buffers.clear();
  f.run();
  CHECK(f.q->responses.size() == 2);
}

TEST_CASE("writes, compares and reads that wait for memory do not wait for each other") {
  with_ram f({}, {.queue_data_max = 128 << 10});
  f.q->hold_fetches = true;
  const auto data = std::vector<std::byte>(65536);
  for (std::uint16_t cid = 1; cid <= 60; ++cid) {
    f.q->host_data[cid] = data;
    const std::uint8_t opcode = cid % 3 == 0 ? 0x01 : cid % 3 == 1 ? 0x05 : 0x02;
    f.post_command(f.q, block_sqe(opcode, cid, 1, 0, 128, 65536));
  }
  f.run();
  for (int i = 0; i < 60; ++i) {
    CHECK(f.q->fetches.size() <= 2);
    f.second.post([w = f.q] { fake_queue::serve(*w); });
    f.run();
  }
  CHECK(f.q->responses.size() == 60);
  for (std::uint16_t cid = 1; cid <= 60; ++cid) CHECK(f.q->status(cid) == 0);
}

TEST_CASE("commands that wait for memory when the connection goes end with it") {
  with_ram f({}, {.queue_data_max = 64 << 10});
  f.q->hold_buffers = f.q->hold_fetches = true;
  for (std::uint16_t cid = 1; cid <= 20; ++cid) {
    f.q->host_data[cid] = std::vector<std::byte>(32768);
    f.post_command(f.q, block_sqe(cid % 2 == 0 ? 0x01 : 0x02, cid, 1, 0, 64, 32768));
  }
  f.run();
  CHECK(f.q->responses.size() < 3);
  f.break_down(f.q, {.code = make_error_code(errc::reset)});
  CHECK(f.q->closed);
  CHECK(f.q->responses.size() < 3);
  f.q->buffers.clear();
  f.run();
  CHECK(f.t->controllers()[0].io_queues == 0);
  // What the queue held is free: another one of the controller gets all of it.
  const auto again = f.connect(1, 127, f.a.cntlid);
  again->responses.clear();
  f.submit(again, block_sqe(0x02, 9, 1, 0, 128, 65536));
  CHECK(again->status(9) == 0);
}

TEST_CASE("more commands than the queue has entries all end") {
  target_fixture f;
  const auto disk = std::make_shared<held_backend>();
  REQUIRE(f.t->add_namespace(sub_nqn, {.store = disk}) == 1);
  auto a = f.bring_up(1);  // 128 entries
  for (std::uint16_t cid = 0; cid < 500; ++cid) f.post_command(a.io[0], sqe(0x00, cid, 1));
  f.run();
  CHECK(disk->operations.size() == 128);
  while (!disk->operations.empty()) {
    disk->end_one();
    f.run();
  }
  CHECK(a.io[0]->responses.size() == 500);
}

TEST_CASE("without MDTS large commands go in pieces, in order") {
  subsystem_options o;
  o.mdts = 0;
  with_ram f(o);
  const auto data = bytes(5 << 20, 7);
  CHECK(f.write(3, data) == 0);
  CHECK(f.read(3, 10240) == data);
  f.q->host_data[60] = data;
  const auto compare = block_sqe(0x05, 60, 1, 3, 10240, 5 << 20);
  CHECK(f.status(compare) == 0);
  f.q->host_data[60][(4 << 20) + 1] ^= std::byte{1};
  CHECK(f.status(compare) == 0x285);
  // A read whose second piece fails ends once, with the failure.
  const auto disk = std::make_shared<held_backend>();
  disk->shape.blocks = 1 << 20;
  REQUIRE(f.t->add_namespace(sub_nqn, {.nsid = 2, .store = disk}) == 2);
  f.run();
  f.submit(f.q, block_sqe(0x02, 61, 2, 0, 8192, 4 << 20));
  disk->end_one();
  f.run();
  REQUIRE(disk->operations.size() == 1);
  CHECK(disk->operations[0].what == "read 2048+2048");
  disk->end_one(status_code::unrecovered_read_error);
  f.run();
  CHECK(f.q->status(61) == 0x281);
  CHECK(f.q->sent[61].size() == 1 << 20);
  CHECK(disk->operations.empty());
}

TEST_CASE("namespaces come and go under load") {
  with_ram f;
  CHECK(f.status(sqe(0x00, 7, 2)) == 0x00b);
  const auto disk = std::make_shared<held_backend>();
  std::weak_ptr<held_backend> gone = disk;
  CHECK(f.t->add_namespace(sub_nqn, {.store = disk}) == 2);
  CHECK_FALSE(f.t->add_namespace(sub_nqn, {.nsid = 2, .store = disk}).has_value());
  CHECK_FALSE(f.t->add_namespace(sub_nqn, {.nsid = 1025, .store = disk}).has_value());
  CHECK_FALSE(f.t->add_namespace("nqn.none", {.store = disk}).has_value());
  f.run();
  f.submit(f.q, block_sqe(0x02, 9, 2, 0, 1, 512));
  REQUIRE(disk->operations.size() == 1);
  REQUIRE(f.t->remove_namespace(sub_nqn, 2).has_value());
  CHECK_FALSE(f.t->remove_namespace(sub_nqn, 2).has_value());
  f.run();
  CHECK(f.status(block_sqe(0x02, 10, 2, 0, 1, 512)) == 0x00b);
  disk->end_one();
  f.run();
  CHECK(f.q->status(9) == 0);    // what had begun is done
  CHECK(gone.use_count() == 1);  // and nothing holds the backend but this test
}

TEST_CASE("adding and removing namespaces is told to every host that asked") {
  with_ram f;
  auto b = f.bring_up(1, host_b);
  for (const auto& admin : {f.a.admin, b.admin}) {
    f.submit(admin, with(with(sqe(0x09, 5), 40, 4, 0x0b), 44, 4, 0x100));
    f.submit(admin, sqe(0x0c, 6));
    CHECK(admin->response(6) == nullptr);
  }
  CHECK(f.t->add_namespace(sub_nqn, {.nsid = 9, .store = *make_ram_backend(4096)}) == 9);
  f.run();
  for (const auto& admin : {f.a.admin, b.admin}) {
    CHECK(admin->dw0(6) == 0x0004'0002);
    f.submit(admin, with(with(sqe(0x02, 7, 0, 4096), 40, 1, 0x04), 42, 2, 1023));
    CHECK(peek(admin->sent[7], 0, 4) == 9);
    CHECK(peek(admin->sent[7], 4, 4) == 0);
    f.submit(admin, with(sqe(0x06, 8, 0, 4096), 40, 1, 0x02));
    CHECK(peek(admin->sent[8], 4, 4) == 9);
  }
}
