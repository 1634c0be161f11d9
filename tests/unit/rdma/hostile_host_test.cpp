// SPDX-License-Identifier: BSD-2-Clause
// Commands that a host should not send, each byte of their SGL made by hand (Base 4.1.2, NVMe/RDMA
// 3.2): those that a status answers leave the queue alive, the others end it with one error.
#include "raw_host.hpp"

using namespace nvmf;
using namespace nvmf::test;

namespace {

using sgl_bytes = std::array<unsigned, 16>;

// A controller program that keeps what comes, and what it is told of it.
struct keeper {
  explicit keeper(rdma_pair& on) : p(on) {}
  void start() {
    p.controller.start(
        {.on_receive =
             [this](capsule c) {
               verdicts.push_back(p.controller.validate_command(c).raw_code());
               held.push_back(std::move(c));
             },
         .on_error = [this](const qpair_error& e) { p.controller_errors.push_back(e); }});
  }
  rdma_pair& p;
  std::vector<unsigned> verdicts;
  std::deque<capsule> held;
};

sgl_bytes keyed(std::uint64_t address, std::uint32_t length, std::uint32_t key,
                unsigned subtype = 0) {
  sgl_bytes b{};
  for (std::size_t i = 0; i < 8; ++i) b[i] = (address >> (8 * i)) & 0xff;
  for (std::size_t i = 0; i < 3; ++i) b[8 + i] = (length >> (8 * i)) & 0xff;
  for (std::size_t i = 0; i < 4; ++i) b[11 + i] = (key >> (8 * i)) & 0xff;
  b[15] = 0x40 | subtype;
  return b;
}

std::function<void(std::span<std::byte>)> capsule_with(unsigned opcode, unsigned cid,
                                                       const sgl_bytes& sgl,
                                                       unsigned flags = 0x40) {
  return [=](std::span<std::byte> sqe) {
    sqe[0] = static_cast<std::byte>(opcode);
    sqe[1] = static_cast<std::byte>(flags);
    sqe[2] = static_cast<std::byte>(cid & 0xff);
    sqe[3] = static_cast<std::byte>(cid >> 8);
    for (std::size_t i = 0; i < 16; ++i) sqe[24 + i] = static_cast<std::byte>(sgl[i]);
  };
}

void check_nothing_left(rdma_pair& p, raw_host& h) {
  h.memory.reset();
  h.wire.reset();
  p.end();
  CHECK(p.fetches == p.fetches_ended);
  CHECK(p.provider->qpairs() == 0);
  CHECK(p.fabric->regions == 0);
  CHECK(p.fabric->links[0] + p.fabric->links[1] == 0);
  CHECK(p.fabric->overruns == 0);
}

}  // namespace

TEST_CASE("rdma: each SGL 1 that does not fit its capsule is answered by a status") {
  struct row {
    const char* name;
    sgl_bytes sgl;
    std::size_t carried;
    unsigned status;  // generic command status
    unsigned flags = 0x40;
  };
  const row rows[] = {
      {"keyed data block", keyed(0x1000, 512, 7), 0, 0},
      {"keyed, of no bytes", keyed(0, 0, 0), 0, 0},
      {"all zero", {}, 0, 0},
      {"offset, as long as what came", {0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 1}, 512, 0},
      {"offset, a byte longer", {0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 0, 1}, 512, 0x0f},
      {"offset, a byte shorter", {0, 0, 0, 0, 0, 0, 0, 0, 0xff, 1, 0, 0, 0, 0, 0, 1}, 512, 0x0f},
      {"offset, all that 32 bits can say",
       {0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 1},
       512,
       0x0f},
      {"offset, beyond ICDOFF", {64, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 1}, 512, 0x16},
      {"offset, beyond 2^63", {0, 0, 0, 0, 0, 0, 0, 0x80, 0, 2, 0, 0, 0, 0, 0, 1}, 512, 0x16},
      {"offset, more than was offered",
       {0, 0, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 0, 0, 1},
       2048,
       0x0f},
      {"keyed, and data in the capsule", keyed(0x1000, 512, 7), 512, 0x02},
      {"keyed, sub type 1", keyed(0x1000, 512, 7, 1), 0, 0x11},
      {"keyed, sub type Ah", keyed(0x1000, 512, 7, 0xa), 0, 0x11},
      {"data block by address", {0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0}, 0, 0x11},
      {"bit bucket", {0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0x10}, 0, 0x11},
      {"segment", {0, 0, 0, 0, 0, 0, 0, 0, 16, 0, 0, 0, 0, 0, 0, 0x20}, 0, 0x11},
      {"last segment", {0, 0, 0, 0, 0, 0, 0, 0, 16, 0, 0, 0, 0, 0, 0, 0x31}, 16, 0x11},
      {"transport data block", {0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0x5a}, 0, 0x11},
      {"type 6h, reserved", {0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0x60}, 0, 0x11},
      {"type Fh, the vendor's", {0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0xf0}, 0, 0x11},
      {"PSDT 00b", keyed(0x1000, 512, 7), 0, 0x02, 0x00},
      {"PSDT 10b", keyed(0x1000, 512, 7), 0, 0x02, 0x80},
      {"PSDT 11b", keyed(0x1000, 512, 7), 0, 0x02, 0xc0},
  };
  rdma_pair p;
  raw_host h(p, 16);
  keeper k(p);
  REQUIRE(h.connect(cm_request_bytes(0, 1, 16, 15), 16, [&] { k.start(); }));
  p.controller.set_max_in_capsule(1024);
  for (const row& r : rows) {
    CAPTURE(std::string(r.name));
    h.send(64 + r.carried, capsule_with(1, 5, r.sgl, r.flags));
    REQUIRE(k.held.size() == 1);
    CHECK(k.verdicts.back() == r.status);
    CHECK(p.controller.in_capsule_data(k.held[0]).size() == r.carried);
    k.held.clear();
    p.respond(5);
    p.run();
    h.take_responses();
  }
  CHECK(p.controller_errors.empty());
  check_nothing_left(p, h);
}

TEST_CASE("rdma: a key or a range that the host's own device refuses ends the queue") {
  constexpr std::string_view refused =
      "the host's device refuses the address, the length or the key";
  struct row {
    const char* name;
    unsigned opcode;
    std::function<sgl_bytes(std::uint64_t base, std::uint32_t key)> sgl;
  };
  const row rows[] = {
      {"a key that is none", 1, [](auto base, auto) { return keyed(base, 512, 0xdeadbeef); }},
      {"key 0", 1, [](auto base, auto) { return keyed(base, 512, 0); }},
      {"the key as it was before", 1,
       [](auto base, auto key) { return keyed(base, 512, key + 1); }},
      {"not its memory", 1, [](auto base, auto key) { return keyed(base - 1, 512, key); }},
      {"a byte beyond", 1, [](auto base, auto key) { return keyed(base + 65536 - 511, 512, key); }},
      {"a length of 24 bits, in many pieces", 1,
       [](auto base, auto key) { return keyed(base, 0xff'ffff, key); }},
      {"beyond the end of all addresses", 1,
       [](auto, auto key) { return keyed(0xffff'ffff'ffff'ff00, 512, key); }},
      {"the same, for a read", 2,
       [](auto, auto key) { return keyed(0xffff'ffff'ffff'ff00, 512, key); }},
      {"memory that nobody may write", 2,
       [](auto base, auto key) { return keyed(base, 512, key); }},
  };
  for (const row& r : rows) {
    CAPTURE(std::string(r.name));
    rdma_pair p({}, {.piece_bytes = 4096});
    raw_host h(p, 16);
    REQUIRE(h.connect(cm_request_bytes(0, 1, 16, 15)));
    const auto base = reinterpret_cast<std::uintptr_t>(h.memory->bytes().data());
    h.send(64, capsule_with(r.opcode, 3, r.sgl(base, h.memory->remote_key())));
    REQUIRE(p.controller_errors.size() == 1);
    const qpair_error& e = p.controller_errors[0];
    CHECK(e.code == errc::protocol_violation);
    CHECK(e.violation.structure == "keyed-sgl");
    CHECK(e.violation.offset == 11);
    CHECK(e.violation.reason == refused);
    CHECK(h.disconnected);
    check_nothing_left(p, h);
  }
}

TEST_CASE("rdma: a key that is to be taken back, and is none of the host's") {
  rdma_pair p;
  raw_host h(p, 16);
  REQUIRE(h.connect(cm_request_bytes(0, 1, 16, 15)));
  h.send(64, capsule_with(0, 3, keyed(0, 0, 0xbeef00, 0xf)));
  REQUIRE(p.controller_errors.size() == 1);
  const qpair_error& e = p.controller_errors[0];
  CHECK(e.code == errc::protocol_violation);
  CHECK(e.violation.structure == "keyed-sgl");
  CHECK(e.violation.offset == 11);
  CHECK(e.violation.reason == "the host's device refuses to take back the key");
  check_nothing_left(p, h);
}

TEST_CASE("rdma: a CID that comes again while it is outstanding") {
  rdma_pair p;
  raw_host h(p, 16);
  keeper k(p);
  REQUIRE(h.connect(cm_request_bytes(0, 1, 16, 15), 16, [&] { k.start(); }));
  for (int i = 0; i < 3; ++i) h.send(64, capsule_with(0, 7, keyed(0, 0, 0)));
  CHECK(k.verdicts == std::vector<unsigned>{0, 0x03, 0x03});
  // Each is answered, and none more often than it came.
  cqe_bytes cqe{};
  cqe[12] = std::byte{7};
  for (int i = 0; i < 4; ++i) {
    auto r = p.controller.allocate_response(cqe);
    REQUIRE(r.has_value());
    const auto error = p.controller.transmit_response(std::move(*r));
    CHECK(error == (i < 3 ? std::error_code{} : make_error_code(errc::invalid_argument)));
  }
  p.run();
  k.held.clear();
  h.send(64, capsule_with(0, 7, keyed(0, 0, 0)));
  CHECK(k.verdicts.back() == 0);
  CHECK(p.controller_errors.empty());
  k.held.clear();
  check_nothing_left(p, h);
}

TEST_CASE("rdma: more commands than the queue has entries") {
  rdma_pair p;
  raw_host h(p, 16);
  keeper k(p);
  REQUIRE(h.connect(cm_request_bytes(0, 1, 16, 15), 16, [&] { k.start(); }));
  // Connect has settled on less than HSQSIZE allows.
  REQUIRE_FALSE(p.controller.set_queue(1, 4, true));
  for (unsigned cid = 0; cid < 5; ++cid) h.send(64, capsule_with(0, cid, keyed(0, 0, 0)));
  CHECK(k.held.size() == 4);
  REQUIRE(p.controller_errors.size() == 1);
  const qpair_error& e = p.controller_errors[0];
  CHECK(e.code == errc::protocol_violation);
  CHECK(e.violation.structure == "capsule-cmd");
  CHECK(e.violation.reason == "more commands than the queue has entries");
  CHECK(e.violation.value == 5);
  CHECK(e.violation.limit == 4);
  k.held.clear();
  check_nothing_left(p, h);
}

TEST_CASE("rdma: more commands than HSQSIZE find no receive") {
  rdma_pair p;
  raw_host h(p, 16);
  keeper k(p);
  REQUIRE(h.connect(cm_request_bytes(0, 1, 16, 3), 16, [&] { k.start(); }));
  for (unsigned cid = 0; cid < 5; ++cid) h.send(64, capsule_with(0, cid, keyed(0, 0, 0)));
  CHECK(k.held.size() == 4);
  CHECK(p.fabric->not_ready == 1);
  // It is the host's device that gives up; the controller hears that it has gone.
  h.wire.reset();
  p.run();
  REQUIRE(p.controller_errors.size() == 1);
  CHECK_FALSE(p.controller_errors[0].code);
  k.held.clear();
  check_nothing_left(p, h);
}

TEST_CASE("rdma: a host that has no receive at all gets no response") {
  rdma_pair p;
  raw_host h(p, 0);
  REQUIRE(h.connect(cm_request_bytes(0, 1, 1, 15)));
  h.send(64, capsule_with(0, 0, keyed(0, 0, 0)));
  REQUIRE(p.controller_errors.size() == 1);
  CHECK(p.controller_errors[0].code == errc::timed_out);
  CHECK(p.controller_errors[0].violation.structure == "SEND");
  CHECK(p.controller_errors[0].violation.reason == "receiver not ready: retries exceeded");
  check_nothing_left(p, h);
}

TEST_CASE("rdma: a host that is gone after any step of a queue's life") {
  for (int steps = 0;; ++steps) {
    CAPTURE(steps);
    bool all = false;
    rdma_pair p({}, {.piece_bytes = 4096});
    raw_host h(p, 16);
    h.begin(cm_request_bytes(0, 1, 16, 15));
    const auto base = reinterpret_cast<std::uintptr_t>(h.memory->bytes().data());
    bool started = false;
    for (int taken = 0; taken < steps && !all; ++taken) {
      all = !(p.left.step() | p.right.step());
      if (!h.established || !p.controller || std::exchange(started, true)) continue;
      all = false;
      p.start();
      for (unsigned cid = 0; cid < 3; ++cid)
        h.post(64, capsule_with(1, cid, keyed(base, 20'000, h.memory->remote_key())));
    }
    h.memory.reset();
    h.wire.reset();
    p.run();
    if (p.controller && !started) p.start();
    p.run();
    CHECK(p.controller_errors.size() == (p.controller ? 1 : 0));
    CHECK(p.host_errors.empty());
    if (all) {
      CHECK(p.fetches_ended == 3);
      CHECK(steps > 20);
    }
    check_nothing_left(p, h);
    if (all) break;
  }
}
