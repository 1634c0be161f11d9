// SPDX-License-Identifier: BSD-2-Clause
// Identify (Base 2.0, 5.17): the bytes at their offsets, and what is refused.
#include <algorithm>

#include "support/engine_host.hpp"

using namespace nvmf;
using namespace nvmf::test;

namespace {
bool all_zero(std::span<const std::byte> b) {
  return std::ranges::all_of(b, [](std::byte x) { return x == std::byte{0}; });
}
std::span<const std::byte> part(const engine::answer& r, std::size_t at, std::size_t n) {
  return std::span{r.data}.subspan(at, n);
}
}  // namespace

TEST_CASE("Identify Controller of an I/O controller") {
  engine_host h;
  h.enable();
  const auto r = h.identify(0x01);
  REQUIRE(r.status.ok());
  const std::span<const std::byte> id{r.data};
  REQUIRE(id.size() == 4096);
  CHECK(text_at(id, 4, 20) == "SN1                 ");
  CHECK(text_at(id, 24, 40) == "Model                                   ");
  CHECK(text_at(id, 64, 8) == "1.2     ");
  CHECK(peek(id, 76, 1) == 0x03);          // CMIC: ports, controllers
  CHECK(peek(id, 77, 1) == 5);             // MDTS
  CHECK(peek(id, 78, 2) == 7);             // CNTLID
  CHECK(peek(id, 80, 4) == 0x0002'0000);   // VER
  CHECK(peek(id, 92, 4) == 0x100);         // OAES
  CHECK(peek(id, 96, 4) == 0x41);          // CTRATT: 128-bit host ID, TBKAS
  CHECK(peek(id, 111, 1) == 1);            // CNTRLTYPE
  CHECK(peek(id, 256, 2) == 0);            // OACS
  CHECK(peek(id, 259, 1) == 7);            // AERL
  CHECK(peek(id, 260, 1) == 0x03);         // FRMW: one slot, read only
  CHECK(peek(id, 261, 1) == 0x06);         // LPA: effects, extended data
  CHECK(peek(id, 262, 1) == 63);           // ELPE
  CHECK(peek(id, 320, 2) == 1);            // KAS
  CHECK(peek(id, 512, 1) == 0x66);         // SQES
  CHECK(peek(id, 513, 1) == 0x44);         // CQES
  CHECK(peek(id, 514, 2) == 128);          // MAXCMD
  CHECK(peek(id, 516, 4) == 1024);         // NN
  CHECK(peek(id, 520, 2) == 0x9d);         // ONCS: compare, DSM, WZ, save/select, verify
  CHECK(peek(id, 522, 2) == 0);            // FUSES
  CHECK(peek(id, 525, 1) == 0x07);         // VWC: present, Flush of all
  CHECK(peek(id, 536, 4) == 0x0034'0001);  // SGLS: oversize, offset, transport
  CHECK(text_at(id, 768, 26) == "nqn.2026-11.io.example:one");
  CHECK(all_zero(id.subspan(768 + 26, 256 - 26)));
  CHECK(peek(id, 1792, 4) == (64 + 8192) / 16);  // IOCCSZ
  CHECK(peek(id, 1796, 4) == 1);                 // IORCSZ
  CHECK(peek(id, 1800, 2) == 0);                 // ICDOFF
  CHECK(peek(id, 1802, 1) == 0);                 // FCATT: dynamic
  CHECK(peek(id, 1803, 1) == 1);                 // MSDBD
  CHECK(peek(id, 1804, 2) == 1);                 // OFCS: Disconnect
}

TEST_CASE("Identify Controller tells keyed SGLs and the static model") {
  auto k = engine_host::io_config();
  k.keyed_sgl = true;
  k.offset_sgl = false;
  k.static_model = true;
  engine_host h(k);
  h.enable();
  const auto r = h.identify(0x01);
  CHECK(peek(r.data, 536, 4) == 0x0004'0005);
  CHECK(peek(r.data, 1802, 1) == 1);
}

TEST_CASE("Identify Controller of a discovery controller, and nothing else") {
  engine_host h(engine_host::discovery_config());
  h.enable();
  const auto r = h.identify(0x01);
  REQUIRE(r.status.ok());
  CHECK(peek(r.data, 111, 1) == 2);
  CHECK(peek(r.data, 92, 4) == 0x8000'0000);  // OAES: discovery log change
  CHECK(peek(r.data, 261, 1) == 0x04);        // LPA: extended data
  CHECK(peek(r.data, 516, 4) == 0);           // NN
  CHECK(peek(r.data, 1792, 4) == 0);          // IOCCSZ: no I/O queues
  for (const std::uint8_t cns :
       std::initializer_list<std::uint8_t>{0x00, 0x02, 0x03, 0x05, 0x06, 0x08, 0x1c})
    CHECK(h.identify(cns, 1).status.raw_code() == 0x002);
}

TEST_CASE("Identify Namespace") {
  engine_host h;
  h.enable();
  const auto r = h.identify(0x00, 1);
  REQUIRE(r.status.ok());
  CHECK(peek(r.data, 0, 8) == 2048);
  CHECK(peek(r.data, 8, 8) == 2048);
  CHECK(peek(r.data, 16, 8) == 2048);
  CHECK(peek(r.data, 25, 1) == 0);     // NLBAF: one
  CHECK(peek(r.data, 26, 1) == 0);     // FLBAS
  CHECK(peek(r.data, 30, 1) == 1);     // NMIC: shared
  CHECK(peek(r.data, 33, 1) == 0x09);  // DLFEAT: zeroes, Write Zeroes may deallocate
  CHECK(peek(r.data, 48, 8) == 2048 * 512);
  CHECK(peek(r.data, 99, 1) == 0);
  CHECK(peek(r.data, 128, 4) == 0x0009'0000);  // LBAF 0: 2^9, no metadata
  const auto second = h.identify(0x00, 3);
  CHECK(peek(second.data, 33, 1) == 0);
  CHECK(peek(second.data, 99, 1) == 1);  // NSATTR: write protected
  CHECK(peek(second.data, 128, 4) == 0x000c'0000);
  // Valid but not active: zeroes.
  const auto none = h.identify(0x00, 2);
  CHECK(none.status.ok());
  CHECK(all_zero(none.data));
  CHECK(h.identify(0x00, 0).status.raw_code() == 0x00b);
  CHECK(h.identify(0x00, 1025).status.raw_code() == 0x00b);
  CHECK(h.identify(0x00, 0xffff'ffff).status.raw_code() == 0x00b);
}

TEST_CASE("a namespace of 4 EiB keeps its upper capacity") {
  engine_host h;
  h.all = {{1, std::uint64_t{1} << 53, 4096, false, false}};
  h.enable();
  const auto r = h.identify(0x00, 1);
  CHECK(peek(r.data, 48, 8) == 0);
  CHECK(peek(r.data, 56, 8) == 2);  // 2^53 * 2^12 = 2^65
}

TEST_CASE("lists of active namespaces") {
  engine_host h;
  h.all.clear();
  for (std::uint32_t n = 1; n <= 1024; ++n) h.all.push_back({n, 1, 512});
  h.enable();
  auto r = h.identify(0x02, 0);
  REQUIRE(r.status.ok());
  CHECK(peek(r.data, 0, 4) == 1);
  CHECK(peek(r.data, 4092, 4) == 1024);
  r = h.identify(0x02, 1022);
  CHECK(peek(r.data, 0, 4) == 1023);
  CHECK(peek(r.data, 4, 4) == 1024);
  CHECK(peek(r.data, 8, 4) == 0);
  CHECK(all_zero(h.identify(0x02, 1024).data));
  CHECK(h.identify(0x02, 0xffff'fffe).status.raw_code() == 0x00b);
  CHECK(h.identify(0x02, 0xffff'ffff).status.raw_code() == 0x00b);
  CHECK(h.identify(0x07, 1022).data == r.data);
}

TEST_CASE("namespace identification descriptors: EUI64, NGUID, UUID and CSI, always the same") {
  engine_host h, other;
  h.enable();
  other.enable();
  const auto r = h.identify(0x03, 1);
  REQUIRE(r.status.ok());
  CHECK(peek(r.data, 0, 4) == 0x0801);   // EUI64, 8 bytes
  CHECK(peek(r.data, 12, 4) == 0x1002);  // NGUID, 16 bytes
  CHECK(peek(r.data, 32, 4) == 0x1003);  // UUID, 16 bytes
  CHECK(peek(r.data, 52, 4) == 0x0104);  // CSI, 1 byte
  CHECK(peek(r.data, 56, 1) == 0);       // NVM
  CHECK(all_zero(part(r, 57, 4096 - 57)));
  CHECK((peek(r.data, 36 + 6, 1) & 0xf0) == 0x80);  // UUID version 8
  CHECK((peek(r.data, 36 + 8, 1) & 0xc0) == 0x80);  // and variant
  CHECK((peek(r.data, 4, 1) & 0x03) == 0x02);       // EUI64: local, individual
  CHECK(other.identify(0x03, 1).data == r.data);
  CHECK(h.identify(0x03, 3).data != r.data);
  // Identify Namespace says the same.
  const auto ns = h.identify(0x00, 1);
  CHECK(std::ranges::equal(part(ns, 104, 16), part(r, 16, 16)));
  CHECK(std::ranges::equal(part(ns, 120, 8), part(r, 4, 8)));
  CHECK(h.identify(0x03, 2).status.raw_code() == 0x00b);
  CHECK(h.identify(0x03, 0xffff'ffff).status.raw_code() == 0x00b);
  // Another subsystem, other identifiers.
  CHECK(engine::ids_of("nqn.a", 1).uuid != engine::ids_of("nqn.b", 1).uuid);
  CHECK(engine::ids_of("nqn.a", 1).eui64 != engine::ids_of("nqn.a", 2).eui64);
}

TEST_CASE("the structures that Linux asks for besides") {
  engine_host h;
  h.enable();
  CHECK(all_zero(h.identify(0x05, 1).data));
  CHECK(all_zero(h.identify(0x06).data));
  const auto independent = h.identify(0x08, 3);
  CHECK(peek(independent.data, 1, 1) == 1);   // NMIC
  CHECK(peek(independent.data, 8, 1) == 1);   // NSATTR
  CHECK(peek(independent.data, 14, 1) == 1);  // NSTAT: ready
  const auto sets = h.identify(0x1c);
  CHECK(peek(sets.data, 0, 8) == 1);
  CHECK(all_zero(part(sets, 8, 4088)));
  // Another command set than NVM.
  for (const std::uint8_t cns : std::initializer_list<std::uint8_t>{0x05, 0x06, 0x07}) {
    auto s = with(sqe(0x06, 1, 1, 4096), 40, 1, cns);
    CHECK(h.status(with(s, 47, 1, 2)) == 0x002);
  }
}

TEST_CASE("reserved CNS, short SGL") {
  engine_host h;
  h.enable();
  for (const std::uint8_t cns :
       std::initializer_list<std::uint8_t>{0x04, 0x09, 0x10, 0x11, 0x13, 0x20, 0xff}) {
    const auto r = h.identify(cns, 1);
    CHECK(r.status.raw_code() == 0x002);
    CHECK(r.data.empty());
  }
  CHECK(h.identify(0x01, 0, 4092).status.raw_code() == 0x00f);
  CHECK(h.identify(0x01, 0, 8192).status.ok());
}
