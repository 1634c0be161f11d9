// SPDX-License-Identifier: BSD-2-Clause
// A host that sends and does not read: what a controller keeps for it is bounded.
#include "session_cases.hpp"

using namespace nvmf;
using namespace nvmf::test;
using namespace nvmf::test::session_cases;

namespace {

constexpr std::size_t big = 128 * 1024;

// Answers each command at once with as much data as there is room for, twice over.
struct generous {
  explicit generous(bench& of) : b(of) {
    b.hold = true;
    b.on_receive = [this] {
      const std::uint16_t cid = b.received.back().cid();
      cids.push_back(cid);
      b.q.send_controller_data(b.received.back(), 0, owned(data));
      b.received.clear();
      b.answer(cid);
    };
  }
  bench& b;
  octets data = fill(big, 3);
  std::vector<unsigned> cids{};
};

octets commands(unsigned count) {
  octets in;
  for (unsigned i = 0; i < count; ++i) in = in + command(2, 20 + i, sgl::transport, big);
  return in;
}

}  // namespace

TEST_CASE("commands of one read wait while the answers to those before them are not read") {
  bench b(role::controller, plain);
  generous to(b);
  b.start();
  b.q.set_queue(0, 32, true);
  b.feed(commands(8));
  // Two of them make more than the 256 KiB that may wait on an admin queue.
  CHECK(to.cids == std::vector<unsigned>{20, 21});
  CHECK_FALSE(b.machine->wants_input());
  // Not before half of it has left.
  b.drain(big);
  CHECK(to.cids.size() == 2);
  b.drain(1024);
  CHECK(to.cids.size() == 4);
  b.drain();
  CHECK(to.cids == std::vector<unsigned>{20, 21, 22, 23, 24, 25, 26, 27});
  CHECK(b.machine->wants_input());
  octets expected;
  for (unsigned i = 0; i < 8; ++i)
    expected = expected + c2h(20 + i, 0, to.data, flag_last) + response(20 + i, 0, i + 1);
  CHECK(b.take_out() == expected);
}

TEST_CASE("an I/O queue has 8 MiB, its commands are bounded by the target as well") {
  bench b(role::controller, plain);
  generous to(b);
  b.start();
  b.q.set_queue(1, 128, true);
  b.feed(commands(80));
  CHECK(to.cids.size() == 64);
  b.drain();
  CHECK(to.cids.size() == 80);
}

TEST_CASE("what waited when the connection ended is not delivered any more") {
  for (const char how : {'e', 'c', 'v'}) {
    CAPTURE(how);
    bench b(role::controller, plain);
    generous to(b);
    b.start();
    if (how == 'v')  // a type that does not exist, right behind the commands
      b.feed(commands(8) + hex("ff 00 08 00 08 00 00 00"));
    else
      b.feed(commands(8));
    if (how == 'e') b.eof();
    if (how == 'c') b.q.close(false);
    b.drain();
    // A violation is noticed before the first command runs: they are delivered, and not answered.
    CHECK(to.cids.size() == (how == 'v' ? 8 : 2));
    CHECK(b.errors == (how == 'c' ? 0 : 1));
  }
}

TEST_CASE("in-capsule data goes with the capsule, not with the response that nobody reads") {
  bench b(role::controller, plain);
  b.start();
  b.q.set_queue(0, 32, true);
  b.hold = true;
  b.feed(command(1, 5, sgl::in_capsule, 8192, fill(8192, 1)));
  const std::byte* block = b.q.in_capsule_data(b.received.at(0)).data();
  b.received.clear();
  b.answer(5);
  std::byte* again = b.memory->take_block(8192);
  CHECK(again == block);
  b.memory->give_block(again, 8192);
  b.drain();
  CHECK(b.take_out() == response(5, 0, 1));
}

TEST_CASE("places for PDUs are kept for the next taker, up to a bound") {
  tcp::memory_pool pool;
  std::vector<tcp::tx_pdu*> taken(tcp::memory_pool::keep_pdus_max + 100);
  for (auto& pdu : taken) pdu = pool.take_pdu();
  for (auto* pdu : taken) pool.give_pdu(pdu);
  CHECK(pool.pdus_kept() == tcp::memory_pool::keep_pdus_max);
  tcp::tx_pdu* one = pool.take_pdu();
  CHECK(pool.pdus_kept() == tcp::memory_pool::keep_pdus_max - 1);
  pool.give_pdu(one);
}
