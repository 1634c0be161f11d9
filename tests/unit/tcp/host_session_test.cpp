// SPDX-License-Identifier: BSD-2-Clause
// The host's side, script by script: what it sends for a command, and how reads, writes and
// responses end.
#include "session_cases.hpp"

using namespace nvmf;
using namespace nvmf::test;
using namespace nvmf::test::session_cases;

TEST_CASE("a command without data") {
  bench b(role::host, plain);
  b.start();
  auto c = b.send(0x18);
  CHECK(b.take_out() == command(0x18, 0));
  b.feed(response(0, 0, 7));
  REQUIRE(b.received.size() == 1);
  CHECK(b.received[0].cid() == 0);
  CHECK(b.received[0].sqhd_valid());
  CHECK(number(b.received[0].cqe(), 8, 2) == 7);
  CHECK(b.errors == 0);
}

TEST_CASE("in-capsule data up to the limit, beyond it by R2T") {
  const auto sent = [](std::uint16_t qid, std::uint32_t max_in_capsule, unsigned opcode,
                       std::size_t size) {
    bench b(role::host, plain);
    b.start();
    b.q.set_queue(qid, 32, true);
    b.q.set_max_in_capsule(max_in_capsule);
    octets data = fill(size, 1);
    outcome done;
    auto c = b.send(opcode, of(data), direction::send, done.hook());
    const octets out = b.take_out();
    const bool inside = out == command(opcode, 0, sgl::in_capsule, size, data);
    if (!inside) CHECK(out == command(opcode, 0, sgl::transport, size));
    // In-capsule data is the kernel's once it has left.
    CHECK(done.calls == (inside ? 1 : 0));
    if (inside) CHECK(done.bytes == size);
    b.feed(response(0));
    CHECK(done.calls == 1);
    return inside;
  };
  CHECK(sent(0, 0, 1, 8191));
  CHECK(sent(0, 0, 1, 8192));
  CHECK_FALSE(sent(0, 0, 1, 8193));
  CHECK_FALSE(sent(1, 0, 1, 1));
  CHECK(sent(1, 4096, 1, 4096));
  CHECK_FALSE(sent(1, 4096, 1, 4097));
  CHECK(sent(1, 0, 0x7f, 1024));  // Fabrics commands have 8192 on every queue
  CHECK_FALSE(sent(1, 0, 0x7f, 8193));
}

TEST_CASE("padding and digests of a command capsule") {
  for (const std::uint32_t alignment : {4u, 8u, 12u, 64u, 128u})
    for (const bool on : {false, true}) {
      CAPTURE(alignment);
      CAPTURE(on);
      bench b(role::host, {.header_digest = on,
                           .data_digest = on,
                           .controller_alignment = alignment,
                           .max_h2c_data = 4096});
      const dress as{.header_digest = on, .data_digest = on, .alignment = alignment};
      b.start();
      octets data = fill(777, 3);
      const std::array<segment, 3> list{segment{data.data(), 100}, segment{data.data() + 100, 0},
                                        segment{data.data() + 100, 677}};
      auto c = b.send(1, memdesc::of_list(list), direction::send, [](auto, auto) {});
      CHECK(b.take_out() == command(1, 0, sgl::in_capsule, 777, data, as));
      auto d = b.send(2);
      CHECK(b.take_out() == command(2, 1, sgl::none, 0, {}, as));
    }
}

TEST_CASE("a read: data in order, then the response") {
  for (const bool on : {false, true})
    for (const bool bytewise : {false, true}) {
      CAPTURE(on);
      CAPTURE(bytewise);
      bench b(role::host, on ? digests : plain);
      const dress as = on ? dressed : dress{};
      b.start();
      octets place(10'000);
      outcome done;
      auto c =
          b.send(2, of(place), direction::receive, [&, hook = done.hook()](auto n, auto e) mutable {
            b.order += 'D';
            hook(n, e);
          });
      b.take_out();
      const octets data = fill(10'000, 4);
      const octets first(data.begin(), data.begin() + 4096);
      const octets second(data.begin() + 4096, data.end());
      const octets stream =
          c2h(0, 0, first, 0, as) + c2h(0, 4096, second, flag_last, as) + response(0, 0, 1, as);
      if (bytewise)
        b.feed_bytewise(stream);
      else
        b.feed(stream);
      CHECK(done.calls == 1);
      CHECK(done.bytes == 10'000);
      CHECK_FALSE(done.error);
      CHECK(place == data);
      CHECK(b.order == "DR");
      CHECK(b.out.empty());
    }
}

TEST_CASE("data to the host is aligned as we asked") {
  bench b(role::host, {.host_alignment = 64, .max_h2c_data = 4096});
  b.start();
  octets place(100);
  outcome done;
  auto c = b.send(2, of(place), direction::receive, done.hook());
  b.take_out();
  const octets data = fill(100, 9);
  b.feed(c2h(0, 0, data, flag_last, {.alignment = 64}));
  CHECK(place == data);
  CHECK(done.calls == 1);
}

TEST_CASE("a large read goes straight to its place") {
  bench b(role::host, digests);
  b.start();
  octets place(100'000);
  const std::array<segment, 2> list{segment{place.data(), 60'000},
                                    segment{place.data() + 60'000, 40'000}};
  outcome done;
  auto c = b.send(2, memdesc::of_list(list), direction::receive, done.hook());
  b.take_out();
  const octets data = fill(100'000, 5);
  const octets stream = c2h(0, 0, data, flag_last | flag_success, dressed);
  std::array<segment, 4> pieces;
  CHECK(b.machine->direct(pieces) == 0);
  b.feed(std::span{stream}.first(28 + 1000));  // header, digest and a first bit of data
  REQUIRE(b.machine->direct(pieces) == 2);
  CHECK(pieces[0].data == place.data() + 1000);
  CHECK(pieces[0].size == 59'000);
  CHECK(pieces[1].size == 40'000);
  std::copy_n(data.begin() + 1000, 59'000, pieces[0].data);
  std::copy_n(data.begin() + 60'000, 30'000, pieces[1].data);
  b.machine->took_direct(89'000);
  CHECK(b.machine->direct(pieces) == 0);  // 10000 bytes are not worth it
  b.feed(std::span{stream}.subspan(28 + 90'000));
  CHECK(place == data);
  CHECK(done.calls == 1);
  CHECK_FALSE(done.error);
  REQUIRE(b.received.size() == 1);
  CHECK_FALSE(b.received[0].sqhd_valid());
  CHECK(std::ranges::all_of(b.received[0].cqe(), [](std::byte x) { return x == std::byte{0}; }));
}

TEST_CASE("ways that a read ends") {
  const octets data = fill(4096, 6);
  const octets half(data.begin(), data.begin() + 2048);
  const auto read = [](const octets& stream, tcp::negotiated n = plain) {
    bench b(role::host, n);
    b.start();
    octets place(4096);
    auto done = std::make_unique<outcome>();
    auto c = b.send(2, of(place), direction::receive, done->hook());
    b.take_out();
    b.feed(stream);
    CHECK(done->calls == 1);
    CHECK(b.errors == 0);
    CHECK(b.received.size() == 1);
    return *done;
  };
  SUBCASE("error status, no data") {
    const auto r = read(response(0, 0x80));
    CHECK(r.bytes == 0);
    CHECK_FALSE(r.error);
  }
  SUBCASE("error status after half of the data") {
    const auto r = read(c2h(0, 0, half) + response(0, 0x80));
    CHECK(r.bytes == 2048);
    CHECK_FALSE(r.error);
  }
  SUBCASE("good status, no data") {
    const auto r = read(response(0));
    CHECK(r.bytes == 0);
    CHECK(r.error == errc::data_incomplete);
  }
  SUBCASE("good status, half of the data") {
    const auto r = read(c2h(0, 0, half) + response(0));
    CHECK(r.bytes == 2048);
    CHECK(r.error == errc::data_incomplete);
  }
  SUBCASE("the controller said that half is all") {
    const auto r = read(c2h(0, 0, half, flag_last) + response(0));
    CHECK(r.bytes == 2048);
    CHECK_FALSE(r.error);
  }
  SUBCASE("a wrong data digest fails this read alone, the rest is taken") {
    octets bad = c2h(0, 0, half, 0, dressed);
    bad[bad.size() - 1] ^= std::byte{1};
    const octets rest(data.begin() + 2048, data.end());
    const auto r =
        read(bad + c2h(0, 2048, rest, flag_last, dressed) + response(0, 0, 0, dressed), digests);
    CHECK(r.bytes == 0);
    CHECK(r.error == errc::data_digest);
  }
  SUBCASE("a wrong data digest in the last part, with SUCCESS") {
    const octets rest(data.begin() + 2048, data.end());
    octets bad = c2h(0, 2048, rest, flag_last | flag_success, dressed);
    bad[bad.size() - 4] ^= std::byte{0x80};
    const auto r = read(c2h(0, 0, half, 0, dressed) + bad, digests);
    CHECK(r.bytes == 2048);
    CHECK(r.error == errc::data_digest);
  }
}

TEST_CASE("a write by R2T is cut to MAXH2CDATA, LAST at the end of each R2T") {
  for (const bool on : {false, true}) {
    bench b(role::host, on ? digests : plain);
    const dress as = on ? dressed : dress{};
    b.start();
    octets data = fill(20'000, 7);
    outcome done;
    auto c = b.send(1, of(data), direction::send, done.hook());
    CHECK(b.take_out() == command(1, 0, sgl::transport, 20'000, {}, as));
    const auto part = [&](std::size_t from, std::size_t n) {
      return octets(data.begin() + static_cast<std::ptrdiff_t>(from),
                    data.begin() + static_cast<std::ptrdiff_t>(from + n));
    };
    b.feed(r2t(0, 0x1234, 0, 10'000, as));
    CHECK(b.take_out() == h2c(0, 0x1234, 0, part(0, 4096), 0, as) +
                              h2c(0, 0x1234, 4096, part(4096, 4096), 0, as) +
                              h2c(0, 0x1234, 8192, part(8192, 1808), flag_last, as));
    CHECK(done.calls == 0);
    b.feed(r2t(0, 0xffff, 10'000, 10'000, as));
    CHECK(b.take_out() == h2c(0, 0xffff, 10'000, part(10'000, 4096), 0, as) +
                              h2c(0, 0xffff, 14'096, part(14'096, 4096), 0, as) +
                              h2c(0, 0xffff, 18'192, part(18'192, 1808), flag_last, as));
    CHECK(done.calls == 1);
    CHECK(done.bytes == 20'000);
    CHECK_FALSE(done.error);
    b.feed(response(0, 0, 0, as));
    CHECK(b.received.size() == 1);
    CHECK(done.calls == 1);
  }
}

TEST_CASE("data goes in one PDU when MAXH2CDATA allows it, so that one digest covers it") {
  bench b(role::host, {.data_digest = true, .max_h2c_data = 4u << 20});
  const dress as{.data_digest = true};
  b.start();
  octets data = fill(1u << 20, 9);
  outcome done;
  auto c = b.send(1, of(data), direction::send, done.hook());
  b.take_out();
  b.feed(r2t(0, 1, 0, 1u << 20, as));
  CHECK(b.take_out() == h2c(0, 1, 0, data, flag_last, as));
  CHECK(done.calls == 1);
}

TEST_CASE("a controller that allows 4 GiB gets PDUs whose PLEN does not wrap") {
  bench b(role::host, {.max_h2c_data = 0xffff'fffc});
  b.start();
  octets block = fill(1u << 20, 9);
  const std::vector<segment> list(4095, segment{block.data(), block.size()});
  auto c = b.send(1, memdesc::of_list(list), direction::send, [](auto, auto) {});
  b.take_out();
  b.hold = true;
  b.feed(r2t(0, 1, 0, 4095u << 20));
  b.drain(24);
  const octets header = b.take_out();
  CHECK(number(header, 4, 4) == 24 + (16u << 20));
  CHECK(number(header, 16, 4) == 16u << 20);
  b.q.close();
}

TEST_CASE("data to the controller is aligned as it asked") {
  for (const unsigned on : {0u, 1u, 2u, 3u})
    for (const std::uint32_t alignment : {4u, 8u, 64u, 128u}) {
      const dress in{.header_digest = (on & 1) != 0, .data_digest = (on & 2) != 0};
      dress as = in;
      as.alignment = alignment;
      bench b(role::host, {.header_digest = as.header_digest,
                           .data_digest = as.data_digest,
                           .controller_alignment = alignment,
                           .max_h2c_data = 4096});
      b.start();
      octets data = fill(9000, 7);
      auto c = b.send(1, of(data), direction::send, [](auto, auto) {});
      b.take_out();
      b.feed(r2t(0, 3, 0, 9000, in));
      CHECK(b.take_out() == h2c(0, 3, 0, part(data, 0, 4096), 0, as) +
                                h2c(0, 3, 4096, part(data, 4096, 4096), 0, as) +
                                h2c(0, 3, 8192, part(data, 8192, 808), flag_last, as));
    }
}

TEST_CASE("several R2Ts within MAXR2T; their number is bounded by what has left") {
  bench b(role::host, {.max_r2t = 2, .max_h2c_data = 4096});
  b.start();
  octets data = fill(16'384, 8);
  outcome done;
  auto c = b.send(1, of(data), direction::send, done.hook());
  b.take_out();
  b.feed(r2t(0, 1, 0, 4096) + r2t(0, 2, 4096, 4096));
  CHECK(b.take_out().size() == 2 * (24 + 4096));
  b.hold = true;
  b.feed(r2t(0, 3, 8192, 4096) + r2t(0, 4, 12'288, 4092));
  CHECK(b.errors == 0);
  const octets one_more = r2t(0, 5, 16'380, 4);
  b.feed(one_more);
  b.drain();
  const octets out = b.take_out();
  b.out = out;
  b.check_terminated(5, 0, one_more);
}

TEST_CASE("a write that is answered early ends at once, and what is queued of it stays away") {
  bench b(role::host, plain);
  b.start();
  octets data = fill(20'000, 9);
  outcome done;
  auto c = b.send(1, of(data), direction::send, done.hook());
  b.take_out();
  b.hold = true;
  b.feed(r2t(0, 1, 0, 20'000));
  b.drain(1000);  // 24 bytes of header and 976 of data
  octets out = b.take_out();
  b.feed(response(0, 0x80));
  CHECK(done.calls == 1);
  CHECK(done.bytes == 0);
  CHECK_FALSE(done.error);
  const octets whole = h2c(0, 1, 0, octets(data.begin(), data.begin() + 4096));
  std::ranges::fill(data, std::byte{0xee});  // the memory is the caller's again
  b.drain();
  out = out + b.take_out();
  CHECK(out == whole);  // what had begun ends as it was; nothing follows
  auto d = b.send(0x18);
  CHECK(b.machine->has_output());
}

TEST_CASE("urgent data overtakes queued capsules, but not what has begun") {
  bench b(role::host, plain);
  b.start();
  octets data = fill(10'000, 10);
  outcome done;
  auto w = b.send(1, of(data), direction::send, done.hook());
  b.take_out();
  b.hold = true;
  auto x = b.send(0x10);
  auto y = b.send(0x11);
  b.drain(10);
  b.feed(r2t(0, 7, 0, 4096));
  b.drain();
  CHECK(b.take_out() == command(0x10, 1) +
                            h2c(0, 7, 0, octets(data.begin(), data.begin() + 4096), flag_last) +
                            command(0x11, 2));
}

TEST_CASE("withdrawing memory") {
  bench b(role::host, plain);
  b.start();
  outcome done;
  SUBCASE("of a read: late data is read over, the response still comes") {
    octets place(8192);
    auto c = b.send(2, of(place), direction::receive, done.hook());
    b.take_out();
    const octets data = fill(8192, 11);
    const octets stream = c2h(0, 0, data, flag_last) + response(0);
    b.feed(std::span{stream}.first(24 + 100));
    CHECK_FALSE(b.q.withdraw_data(c, errc::timed_out));
    b.on.run();
    CHECK(done.calls == 1);
    CHECK(done.error == errc::timed_out);
    const octets after = place;
    b.feed(std::span{stream}.subspan(24 + 100));
    CHECK(place == after);
    CHECK(done.calls == 1);
    CHECK(b.received.size() == 1);
    CHECK(b.errors == 0);
  }
  SUBCASE("of an in-capsule write that waits to leave: it leaves with a copy") {
    octets data = fill(100, 12);
    const octets was = data;
    b.hold = true;
    auto c = b.send(1, of(data), direction::send, done.hook());
    b.drain(80);
    CHECK_FALSE(b.q.withdraw_data(c, errc::timed_out));
    std::ranges::fill(data, std::byte{0xee});
    b.drain();
    CHECK(b.take_out() == command(1, 0, sgl::in_capsule, 100, was));
    CHECK(done.calls == 1);
    CHECK(done.error == errc::timed_out);
    b.feed(response(0));
    CHECK(b.received.size() == 1);
  }
  SUBCASE("of a write: R2Ts are not answered any more") {
    octets data = fill(10'000, 13);
    auto c = b.send(1, of(data), direction::send, done.hook());
    b.take_out();
    CHECK_FALSE(b.q.withdraw_data(c, errc::timed_out));
    b.feed(r2t(0, 1, 0, 10'000));
    CHECK(b.take_out().empty());
    CHECK(done.calls == 1);
    b.feed(response(0, 0x07));
    CHECK(b.received.size() == 1);
    CHECK(done.calls == 1);
    CHECK(b.errors == 0);
  }
  SUBCASE("of a capsule that was not transmitted") {
    octets data = fill(10, 14);
    std::array<std::byte, 64> sqe{};
    auto c = b.q.allocate_command(sqe);
    REQUIRE(c.has_value());
    REQUIRE_FALSE(b.q.append_data(*c, of(data), 10, direction::send, done.hook()));
    CHECK_FALSE(b.q.withdraw_data(*c, errc::timed_out));
    CHECK(done.calls == 0);  // not within the call
    b.on.run();
    CHECK(done.calls == 1);
    CHECK(done.error == errc::timed_out);
    CHECK(done.bytes == 0);
  }
}

TEST_CASE("CIDs: as many as the queue has entries less one, and none while a reply may come") {
  bench b(role::host, plain, {.queue_size = 4});
  b.start();
  std::vector<capsule> c;
  for (int i = 0; i < 3; ++i) c.push_back(b.send(0x18));
  std::array<std::byte, 64> sqe{};
  CHECK(b.q.allocate_command(sqe).error() == errc::queue_full);
  c.clear();  // letting go does not free what is not answered
  CHECK(b.q.allocate_command(sqe).error() == errc::queue_full);
  b.feed(response(1));
  auto d = b.q.allocate_command(sqe);
  REQUIRE(d.has_value());
  CHECK(d->cid() == 1);
  CHECK(b.q.allocate_command(sqe).error() == errc::queue_full);
}

TEST_CASE("a callback may send, and even let go of the qpair") {
  bench b(role::host, plain);
  b.start();
  auto first = b.send(0x18);
  b.take_out();
  capsule second;
  SUBCASE("send") {
    b.on_receive = [&] {
      b.on_receive = nullptr;
      second = b.send(0x19);
    };
    b.feed(response(0));
    CHECK(b.take_out() == command(0x19, 1));
  }
  SUBCASE("close") {
    octets place(4096);
    outcome read;
    second = b.send(2, of(place), direction::receive, read.hook());
    b.take_out();
    b.on_receive = [&] {
      b.q = {};
      b.order += ')';
    };
    b.feed(response(0) + c2h(1, 0, fill(4096, 1), flag_last) + response(1));
    // What had arrived with it is not delivered; what was under way has ended.
    CHECK(b.order == "R)");
    CHECK(read.calls == 1);
    CHECK(b.link->finished == 1);
    CHECK(second.cid() == 1);  // capsules outlive their qpair
  }
}

TEST_CASE("an answer that comes in one breath with an R2T: none of the data is sent") {
  bench b(role::host, {.max_r2t = 2, .max_h2c_data = 4096});
  b.start();
  octets first = fill(20'000, 1), second = fill(12'288, 2);
  outcome one, other;
  auto c = b.send(1, of(first), direction::send, one.hook());
  auto d = b.send(1, of(second), direction::send, other.hook());
  b.take_out();
  // Between two R2Ts for it, the other command is asked for its data.
  b.feed(r2t(0, 1, 0, 4096) + r2t(1, 2, 0, 8192) + r2t(0, 3, 4096, 4096) + response(0, 0x80));
  CHECK(one.calls == 1);
  CHECK(one.bytes == 0);
  CHECK(other.calls == 0);
  CHECK(b.errors == 0);
  CHECK(b.take_out() ==
        h2c(1, 2, 0, part(second, 0, 4096)) + h2c(1, 2, 4096, part(second, 4096, 4096), flag_last));
}
