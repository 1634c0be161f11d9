// SPDX-License-Identifier: BSD-2-Clause
// The discovery service of a target, and the checks of its options.
#include <doctest/doctest.h>

#include "support/target_fixture.hpp"

using namespace nvmf;
using namespace nvmf::test;

namespace {

std::vector<std::byte> log_of(target_fixture& f, const std::shared_ptr<fake_wire>& w,
                              std::uint64_t offset, std::uint32_t length) {
  raw_sqe s = with(with(sqe(0x02, 77, 0, length), 40, 1, 0x70), 42, 2, length / 4 - 1);
  put(s, 48, 8, offset);
  f.submit(w, s);
  return w->sent[77];
}
std::shared_ptr<fake_wire> discover(target_fixture& f, std::string_view host,
                                    std::size_t listener = 0) {
  auto w = f.connect(0, 31, 0xffff, host, discovery_nqn, 0, 0, listener);
  REQUIRE(w->status(1) == 0);
  f.submit(w, property_set_sqe(2, 0x14, cc_enabled));
  return w;
}

}  // namespace

TEST_CASE("every listener serves discovery, with the address the host came to") {
  target_fixture f;
  REQUIRE(f.t->listen({.transport = "tcp", .at = {"0.0.0.0", 4421}}));
  REQUIRE(f.t->listen({.transport = "tcp", .at = {"192.0.2.2", 8009}, .discovery_only = true}));
  REQUIRE(f.t->add_subsystem(
      {.nqn = "nqn.2026-11.io.example:two", .allowed_hosts = {std::string(host_b)}}));
  for (const std::size_t listener : {0u, 1u, 2u}) {
    const auto w = discover(f, host_a, listener);
    const auto log = log_of(f, w, 0, 4096);
    CHECK(peek(log, 8, 8) == 2);  // one subsystem, two ports
    CHECK(text_at(log, 1024 + 256, sub_nqn.size()) == sub_nqn);
    CHECK(text_at(log, 1024 + 32, 5) == "4420 ");
    CHECK(text_at(log, 2048 + 32, 5) == "4421 ");
    CHECK(text_at(log, 2048 + 512, 10) == "192.0.2.2 ");  // not 0.0.0.0
    CHECK(peek(log, 2048 + 4, 2) == 2);
  }
  const auto b = discover(f, host_b);
  CHECK(peek(log_of(f, b, 0, 1024), 8, 8) == 4);
  // In pieces it is the same.
  const auto whole = log_of(f, b, 0, 8192);
  std::vector<std::byte> pieces;
  for (std::uint32_t at = 0; at < 5120; at += 1028) {
    const auto part = log_of(f, b, at, std::min(1028u, 5120 - at));
    pieces.insert(pieces.end(), part.begin(), part.end());
  }
  CHECK(std::equal(pieces.begin(), pieces.end(), whole.begin()));
}

TEST_CASE("a change moves GENCTR and is told to hosts that stay") {
  target_fixture f;
  const auto w = discover(f, host_a);
  const auto before = peek(log_of(f, w, 0, 1024), 0, 8);
  CHECK(peek(log_of(f, w, 0, 1024), 0, 8) == before);
  f.submit(w, with(with(sqe(0x09, 5), 40, 4, 0x0b), 44, 4, 0x8000'0000));
  f.submit(w, sqe(0x0c, 6));
  REQUIRE(f.t->add_subsystem({.nqn = "nqn.2026-11.io.example:two"}));
  f.run();
  CHECK(w->dw0(6) == 0x0070'f002);
  CHECK(peek(log_of(f, w, 0, 1024), 0, 8) == before + 1);
}

TEST_CASE("a discovery controller takes no I/O and no other log") {
  target_fixture f;
  const auto w = discover(f, host_a);
  CHECK(f.connect(1, 31, 1, host_a, discovery_nqn)->status(1) == 0x182);
  f.submit(w, with(with(sqe(0x02, 9, 0, 512), 40, 1, 0x02), 42, 2, 127));
  CHECK(w->status(9) == 0x109);
  f.submit(w, block_sqe(0x02, 10, 1, 0, 1, 512));
  CHECK(w->response(10) != nullptr);
  auto a = f.bring_up(0);
  f.submit(a.admin, with(with(sqe(0x02, 9, 0, 1024), 40, 1, 0x70), 42, 2, 255));
  CHECK(a.admin->status(9) == 0x109);
}

TEST_CASE("subsystems that cannot be") {
  target_fixture f;
  const auto error = [&](subsystem_options o) {
    const auto r = f.t->add_subsystem(std::move(o));
    return r ? std::string("accepted") : r.error();
  };
  const auto named = [](auto change) {
    subsystem_options o{.nqn = "nqn.2026-11.io.example:two"};
    change(o);
    return o;
  };
  struct row {
    subsystem_options o;
    std::string_view says;
  };
  const row rows[] = {
      {{.nqn = std::string(sub_nqn)}, "a subsystem of that NQN already"},
      {{.nqn = std::string(discovery_nqn)}, "discovery"},
      {{.nqn = "iqn.x"}, "nqn"},
      {{.nqn = "nqn.2026-11.io.example:" + std::string(230, 'x')}, "nqn"},
      {named([](auto& o) { o.serial = std::string(21, 'x'); }), "serial number"},
      {named([](auto& o) { o.serial = "\n"; }), "serial number: printable"},
      {named([](auto& o) { o.model = std::string(41, 'x'); }), "model number"},
      {named([](auto& o) { o.firmware = "123456789"; }), "firmware revision"},
      {named([](auto& o) { o.allowed_hosts = {"me"}; }), "hostnqn"},
      {named([](auto& o) { o.max_io_queues = 0; }), "I/O queues"},
      {named([](auto& o) { o.max_io_queues = 65535; }), "I/O queues"},
      {named([](auto& o) { o.max_io_queue_size = 1; }), "I/O queue size"},
      {named([](auto& o) { o.max_io_queue_size = 65537; }), "I/O queue size"},
      {named([](auto& o) { o.mdts = 14; }), "MDTS"},
  };
  for (const row& r : rows) {
    const std::string e = error(r.o);
    CAPTURE(e);
    CHECK(e.find(r.says) != std::string::npos);
  }
  CHECK(error(named([](auto&) {})) == "accepted");
  CHECK_FALSE(f.t->listen({.transport = "carrier-pigeon", .at = {"192.0.2.2", 1}}).has_value());
}
