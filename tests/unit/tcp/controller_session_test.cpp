// SPDX-License-Identifier: BSD-2-Clause
// The controller's side, script by script: commands, data from the host, responses, endings.
#include "session_cases.hpp"

using namespace nvmf;
using namespace nvmf::test;
using namespace nvmf::test::session_cases;

TEST_CASE("a command and its response; SQHD counts responses modulo the queue size") {
  bench b(role::controller, plain);
  b.start();
  b.q.set_queue(0, 3, true);
  for (unsigned i = 0; i < 7; ++i) {
    b.feed(command(0x18, 0x100 + i));
    REQUIRE(b.received.size() == 1);
    CHECK(b.received[0].is_command());
    CHECK(b.received[0].cid() == 0x100 + i);
    CHECK(b.q.validate_command(b.received[0]).ok());
    CHECK(b.q.data_length(b.received[0]) == 0);
    b.received.clear();
    CHECK_FALSE(b.answer(0x100 + i, 0x002));
    CHECK(b.take_out() == response(0x100 + i, 0x002, (i + 1) % 3));
  }
}

TEST_CASE("SQHD without flow control: FFFFh in the Connect response, 0 after it") {
  bench b(role::controller, plain);
  b.start();
  b.feed(command(0x7f, 1) + command(0x18, 2));
  b.q.set_queue(0, 32, false);
  b.answer(1);
  b.answer(2);
  CHECK(b.take_out() == response(1, 0, 0xffff) + response(2, 0, 0));
}

TEST_CASE("in-capsule data is there at once, and may be fetched in pieces") {
  for (const bool on : {false, true}) {
    bench b(role::controller, on ? digests : plain);
    const dress as = on ? dressed : dress{};
    b.start();
    const octets data = fill(8192, 1);
    b.feed_bytewise(command(1, 5, sgl::in_capsule, 8192, data, as));
    REQUIRE(b.received.size() == 1);
    const capsule& c = b.received[0];
    CHECK(b.q.validate_command(c).ok());
    CHECK(b.q.data_length(c) == 8192);
    CHECK(std::ranges::equal(b.q.in_capsule_data(c), data));
    octets place(8192);
    outcome done[3];
    CHECK_FALSE(b.q.receive_controller_data(c, 0, of(place), 100, done[0].hook()));
    const std::array<segment, 2> list{segment{place.data() + 100, 1},
                                      segment{place.data() + 101, 7000}};
    CHECK_FALSE(b.q.receive_controller_data(c, 100, memdesc::of_list(list), 7001, done[1].hook()));
    octets tail(1091);
    CHECK_FALSE(b.q.receive_controller_data(c, 7101, of(tail), 1091, done[2].hook()));
    CHECK(done[0].calls == 0);
    b.on.run();
    for (const outcome& d : done) {
      CHECK(d.calls == 1);
      CHECK_FALSE(d.error);
    }
    CHECK(done[1].bytes == 7001);
    CHECK(part(place, 0, 7101) == part(data, 0, 7101));
    CHECK(tail == part(data, 7101, 1091));
    CHECK(b.q.receive_controller_data(c, 8192, of(place), 1, {}) == errc::out_of_range);
    CHECK(b.q.receive_controller_data(c, 8191, of(place), 2, {}) == errc::out_of_range);
    CHECK(b.q.receive_controller_data(c, 1, of(place), 0xffff'ffff, {}) == errc::out_of_range);
  }
}

TEST_CASE("what validate_command says") {
  const auto status = [](const octets& capsule, std::uint16_t qid = 0,
                         std::uint32_t max_in_capsule = 8192, tcp::negotiated n = plain) {
    bench b(role::controller, n);
    b.start();
    b.q.set_queue(qid, 32, true);
    b.q.set_max_in_capsule(max_in_capsule);
    b.feed(capsule);
    REQUIRE(b.received.size() == 1);
    const auto s = b.q.validate_command(b.received[0]);
    return s.raw_code();
  };
  const auto with = [](octets capsule, std::size_t at, unsigned value) {
    capsule[8 + at] = static_cast<std::byte>(value);
    return capsule;
  };
  const octets data = fill(512, 2);
  const octets good = command(1, 1, sgl::in_capsule, 512, data);
  CHECK(status(good) == 0);
  CHECK(status(with(good, 1, 0x00)) == 0x02);                       // PRPs
  CHECK(status(with(good, 1, 0xc0)) == 0x02);                       // reserved PSDT
  CHECK(status(with(good, 24, 4)) == 0x16);                         // an offset
  CHECK(status(with(good, 32, 4)) == 0x0f);                         // another length
  CHECK(status(command(1, 1, sgl::in_capsule, 512)) == 0x0f);       // no data in the PDU
  CHECK(status(command(1, 1, sgl::transport, 512, data)) == 0x02);  // data, but not for this SGL
  CHECK(status(with(good, 39, 0x40)) == 0x11);                      // keyed
  CHECK(status(with(good, 39, 0x20)) == 0x11);                      // segment
  CHECK(status(with(good, 39, 0x00)) == 0x11);                      // an address
  CHECK(status(command(1, 1, sgl::transport, 0xffff'ffff)) == 0);
  // The limit of I/O queues is for I/O commands; Connect and the like always have 8192.
  CHECK(status(good, 1, 512) == 0);
  CHECK(status(good, 1, 508) == 0x0f);
  CHECK(status(good, 0, 508) == 0);
  CHECK(status(with(good, 0, 0x7f), 1, 508) == 0);
  // A wrong digest over the data is that command's trouble alone.
  octets bad = command(1, 1, sgl::in_capsule, 512, data, dressed);
  bad.back() ^= std::byte{0x10};
  CHECK(status(bad, 0, 8192, digests) == 0x22);
}

TEST_CASE("in-capsule data with a wrong digest is not handed out") {
  bench b(role::controller, digests);
  b.start();
  const octets data = fill(512, 2);
  octets bad = command(1, 1, sgl::in_capsule, 512, data, dressed);
  bad.back() ^= std::byte{0x10};
  b.feed(bad + command(1, 2, sgl::in_capsule, 512, data, dressed));
  REQUIRE(b.received.size() == 2);
  CHECK(b.q.in_capsule_data(b.received[0]).empty());
  CHECK(std::ranges::equal(b.q.in_capsule_data(b.received[1]), data));
  octets place(512);
  outcome done;
  CHECK_FALSE(b.q.receive_controller_data(b.received[0], 0, of(place), 512, done.hook()));
  b.on.run();
  CHECK(done.calls == 1);
  CHECK(done.error == errc::data_digest);
  CHECK(done.bytes == 0);
}

TEST_CASE("data by R2T, whole and in several H2CData") {
  for (const unsigned on : {0u, 1u, 2u, 3u})
    for (const bool bytewise : {false, true}) {
      const dress as{.header_digest = (on & 1) != 0, .data_digest = (on & 2) != 0};
      bench b(
          role::controller,
          {.header_digest = as.header_digest, .data_digest = as.data_digest, .max_h2c_data = 4096});
      b.start();
      b.feed(command(1, 9, sgl::transport, 10'000, {}, as));
      octets place(10'000);
      outcome done;
      CHECK_FALSE(b.q.receive_controller_data(b.received.at(0), 0, of(place), 10'000, done.hook()));
      b.drain();
      CHECK(b.take_out() == r2t(9, 0, 0, 10'000, as));
      const octets data = fill(10'000, 3);
      const octets stream = h2c(9, 0, 0, part(data, 0, 4096), 0, as) +
                            h2c(9, 0, 4096, part(data, 4096, 4096), 0, as) +
                            h2c(9, 0, 8192, part(data, 8192, 1808), flag_last, as);
      if (bytewise)
        b.feed_bytewise(stream);
      else
        b.feed(stream);
      CHECK(done.calls == 1);
      CHECK(done.bytes == 10'000);
      CHECK_FALSE(done.error);
      CHECK(place == data);
      CHECK(b.errors == 0);
    }
}

TEST_CASE("64 receives on one command: in call order, never more than MAXR2T outstanding") {
  bench b(role::controller, {.max_r2t = 3, .max_h2c_data = 4096});
  b.start();
  b.feed(command(1, 1, sgl::transport, 64 * 100) + command(1, 2, sgl::transport, 100));
  octets place(64 * 100), other(100);
  std::vector<outcome> done(64);
  outcome other_done;
  for (std::uint32_t i = 0; i < 64; ++i)
    CHECK_FALSE(b.q.receive_controller_data(b.received.at(0), i * 100,
                                            memdesc::of(std::span{place}.subspan(i * 100, 100)),
                                            100, done[i].hook()));
  // Another command is not held up by the first.
  CHECK_FALSE(b.q.receive_controller_data(b.received.at(1), 0, of(other), 100, other_done.hook()));
  b.drain();
  const octets asked = b.take_out();
  CHECK(asked == r2t(1, 0, 0, 100) + r2t(1, 1, 100, 100) + r2t(1, 2, 200, 100) +
                     r2t(2, static_cast<unsigned>(number(asked, 72 + 10, 2)), 0, 100));
  const octets data = fill(64 * 100, 4);
  CHECK(number(asked, 72 + 10, 2) > 2);  // a tag that no other R2T of the queue has
  // The host answers in another order than it was asked.
  std::vector<std::pair<unsigned, unsigned>> open{{0, 0}, {1, 1}, {2, 2}};  // tag, number
  unsigned next = 3;
  while (!open.empty()) {
    const auto [tag, i] = open.back();
    open.pop_back();
    b.feed(h2c(1, tag, i * 100, part(data, i * 100, 100), flag_last));
    CHECK(done[i].calls == 1);
    const octets more = b.take_out();
    if (next < 64) {
      REQUIRE(more.size() == 24);
      const auto fresh = static_cast<unsigned>(number(more, 10, 2));
      CHECK(more == r2t(1, fresh, next * 100, 100));
      for (const auto& [used, n] : open) CHECK(used != fresh);
      open.insert(open.begin(), {fresh, next++});
    } else {
      CHECK(more.empty());
    }
  }
  CHECK(place == data);
  CHECK(other_done.calls == 0);
}

TEST_CASE("of every MAXR2T as many R2Ts as it says, and one more for each that is done") {
  for (const std::uint32_t most : {1u, 4u, 63u, 64u, 65536u}) {
    CAPTURE(most);
    bench b(role::controller, {.max_r2t = most, .max_h2c_data = 4096});
    b.start();
    b.feed(command(1, 1, sgl::transport, 6400));
    octets place(6400);
    for (std::uint32_t i = 0; i < 64; ++i)
      REQUIRE_FALSE(b.q.receive_controller_data(b.received.at(0), i * 100,
                                                memdesc::of(std::span{place}.subspan(i * 100, 100)),
                                                100, [](auto, auto) {}));
    b.drain();
    const std::size_t asked = b.take_out().size() / 24;
    CHECK(asked == std::min(most, 64u));
    b.feed(h2c(1, 0, 0, fill(100, 1), flag_last));
    CHECK(b.take_out().size() == (asked < 64 ? 24 : 0));
    CHECK(b.errors == 0);
  }
}

TEST_CASE("a wrong digest in the middle of a transfer fails it, after the rest has been taken") {
  bench b(role::controller, digests);
  b.start();
  b.feed(command(1, 1, sgl::transport, 300, {}, dressed));
  octets place(300);
  outcome done;
  CHECK_FALSE(b.q.receive_controller_data(b.received.at(0), 0, of(place), 300, done.hook()));
  b.drain();
  b.take_out();
  const octets data = fill(300, 5);
  octets bad = h2c(1, 0, 100, part(data, 100, 100), 0, dressed);
  bad[40] ^= std::byte{1};
  b.feed(h2c(1, 0, 0, part(data, 0, 100), 0, dressed) + bad);
  CHECK(done.calls == 0);
  b.feed(h2c(1, 0, 200, part(data, 200, 100), flag_last, dressed));
  CHECK(done.calls == 1);
  CHECK(done.bytes == 100);
  CHECK(done.error == errc::data_digest);
  CHECK(b.errors == 0);
  // The tag is not outstanding any more.
  const octets late = h2c(1, 0, 200, part(data, 200, 100), flag_last, dressed);
  b.feed(late);
  b.check_terminated(1, 10, part(late, 0, 24));
}

TEST_CASE("a large transfer goes straight to its place") {
  bench b(role::controller, {.max_h2c_data = 131072});
  b.start();
  b.feed(command(1, 1, sgl::transport, 200'000));
  octets place(200'000);
  outcome done;
  CHECK_FALSE(b.q.receive_controller_data(b.received.at(0), 0, of(place), 200'000, done.hook()));
  b.drain();
  b.take_out();
  const octets data = fill(200'000, 6);
  b.feed(part(h2c(1, 0, 0, part(data, 0, 131'072)), 0, 24));
  std::array<segment, 2> pieces;
  REQUIRE(b.machine->direct(pieces) == 1);
  CHECK(pieces[0].data == place.data());
  CHECK(pieces[0].size == 131'072);
  std::copy_n(data.begin(), 131'072, pieces[0].data);
  b.machine->took_direct(131'072);
  b.feed(h2c(1, 0, 131'072, part(data, 131'072, 68'928), flag_last));
  CHECK(done.calls == 1);
  CHECK(place == data);
}

TEST_CASE("R2Ts overtake what is queued, but not what has begun; responses follow their data") {
  bench b(role::controller, plain);
  b.start();
  b.hold = true;
  b.feed(command(2, 1, sgl::transport, 100) + command(2, 2, sgl::transport, 100) +
         command(1, 3, sgl::transport, 100));
  const octets data = fill(100, 11);
  for (unsigned i = 0; i < 2; ++i) {
    b.q.send_controller_data(b.received.at(i), 0, owned(data));
    b.answer(i + 1);
  }
  b.drain(1);
  octets place(100);
  outcome done;
  CHECK_FALSE(b.q.receive_controller_data(b.received.at(2), 0, of(place), 100, done.hook()));
  b.drain();
  CHECK(b.take_out() == c2h(1, 0, data, flag_last) + r2t(3, 0, 0, 100) + response(1) +
                            c2h(2, 0, data, flag_last) + response(2));
}

TEST_CASE("a CID that is taken gets a conflict, and the command that has it goes on") {
  bench b(role::controller, plain);
  b.start();
  b.q.set_queue(0, 32, true);
  const octets data = fill(512, 12);
  b.feed(command(1, 5, sgl::in_capsule, 512, data));
  b.feed(command(1, 5, sgl::in_capsule, 512, fill(512, 13)) + command(1, 6));
  CHECK(b.take_out() == response(5, 0x4003, 1));  // Command ID Conflict, DNR
  REQUIRE(b.received.size() == 2);
  CHECK(std::ranges::equal(b.q.in_capsule_data(b.received[0]), data));
  CHECK(b.received[1].cid() == 6);
  // The CID stays taken until its answer has left.
  b.hold = true;
  b.answer(5);
  b.feed(command(1, 5));
  CHECK(b.received.size() == 2);
  b.drain();
  CHECK(b.take_out() == response(5, 0, 2) + response(5, 0x4003, 3));
  b.feed(command(1, 5));
  CHECK(b.received.size() == 3);
}

TEST_CASE("more commands than the queue holds end the connection, duplicates included") {
  SUBCASE("different CIDs") {
    bench b(role::controller, plain);
    b.start();
    b.q.set_queue(1, 8, true);
    octets many;
    for (unsigned i = 0; i < 8; ++i) many = many + command(2, 1000 + i);
    b.feed(many);
    CHECK(b.received.size() == 8);
    CHECK(b.errors == 0);
    const octets bad = command(2, 2000);
    b.feed(bad);
    b.check_terminated(2, 0, part(bad, 0, 72));
  }
  SUBCASE("one CID again and again, to a peer that does not read") {
    bench b(role::controller, plain);
    b.start();
    b.q.set_queue(1, 8, true);
    b.hold = true;
    for (unsigned i = 0; i < 8; ++i) b.feed(command(2, 7));
    CHECK(b.errors == 0);
    b.feed(command(2, 7));
    CHECK(b.errors == 1);
  }
}

TEST_CASE("commands are not read while the host does not read what it asked for") {
  const octets data(1024 * 1024);
  bench b(role::controller, plain, {.qid = 1, .queue_size = 256});
  b.start();
  b.hold = true;
  unsigned cid = 0;
  while (b.machine->wants_input() && cid < 200) {
    b.received.clear();
    b.feed(command(2, cid, sgl::transport, data.size()));
    b.q.send_controller_data(b.received.at(0), 0, buffer(data, nullptr, nullptr));
    b.answer(cid++);
  }
  CHECK(cid == 8);
  b.drain(3 * data.size());
  CHECK_FALSE(b.machine->wants_input());
  b.drain(2 * data.size());
  CHECK(b.machine->wants_input());
}

TEST_CASE("closing completes every receive, once, and gives all memory back") {
  bench b(role::controller, {.max_r2t = 2, .max_h2c_data = 4096});
  b.start();
  b.feed(command(1, 1, sgl::transport, 8 * 100) +
         command(1, 2, sgl::in_capsule, 100, fill(100, 1)));
  octets place(800);
  std::vector<outcome> done(9);
  for (std::uint32_t i = 0; i < 8; ++i)
    CHECK_FALSE(b.q.receive_controller_data(b.received.at(0), i * 100,
                                            memdesc::of(std::span{place}.subspan(i * 100, 100)),
                                            100, done[i].hook()));
  b.drain();
  octets half = h2c(1, 0, 0, fill(100, 2), flag_last);
  half.resize(60);
  b.feed(half);
  octets inside(100);
  CHECK_FALSE(b.q.receive_controller_data(b.received.at(1), 0, of(inside), 100, done[8].hook()));
  b.q.close();
  place = {};
  for (std::size_t i = 0; i < 8; ++i) {
    CHECK(done[i].calls == 1);
    CHECK(done[i].error == errc::aborted);
    CHECK(done[i].bytes == 0);
  }
  CHECK(done[8].calls == 1);
  CHECK_FALSE(done[8].error);  // it was done before
  // Command capsules outlive their qpair.
  CHECK(b.received.at(0).cid() == 1);
}

TEST_CASE("the queue and its answers survive capsules that are let go of early") {
  bench b(role::controller, plain);
  b.start();
  b.feed(command(1, 1, sgl::transport, 100));
  octets place(100);
  outcome done;
  CHECK_FALSE(b.q.receive_controller_data(b.received.at(0), 0, of(place), 100, done.hook()));
  b.received.clear();
  b.drain();
  b.take_out();
  b.feed(h2c(1, 0, 0, fill(100, 3), flag_last));
  CHECK(done.calls == 1);
  b.answer(1);
  CHECK(b.take_out() == response(1));
}

TEST_CASE("a hundred PDUs in one piece and byte by byte make the same of it") {
  octets stream;
  for (unsigned i = 0; i < 60; ++i)
    stream = stream + (i % 3 == 0 ? command(1, i, sgl::in_capsule, 64 + i, fill(64 + i, i), dressed)
                                  : command(0x18, i, sgl::none, 0, {}, dressed));
  const auto run = [&](std::size_t step) {
    bench b(role::controller, digests, {.queue_size = 128});
    b.start();
    for (std::size_t at = 0; at < stream.size(); at += step)
      b.feed(std::span{stream}.subspan(at, std::min(step, stream.size() - at)));
    std::vector<octets> seen;
    for (const capsule& c : b.received) {
      const auto sqe = c.sqe();
      const auto data = b.q.in_capsule_data(c);
      seen.push_back(octets(sqe.begin(), sqe.end()) + octets(data.begin(), data.end()));
    }
    return seen;
  };
  const auto whole = run(stream.size());
  CHECK(whole.size() == 60);
  for (const std::size_t step : {1u, 2u, 3u, 7u, 8u, 71u, 72u, 73u, 149u, 1460u}) {
    CAPTURE(step);
    CHECK(run(step) == whole);
  }
}

TEST_CASE("a command behind the one whose callback closes the qpair is not delivered") {
  bench b(role::controller, plain);
  b.start();
  b.on_receive = [&b] { b.q.close(); };
  b.feed(command(0x18, 1) + command(1, 2, sgl::in_capsule, 512, fill(512, 1)) + command(0x18, 3));
  CHECK(b.order == "C");
  CHECK(b.received.size() == 1);
  CHECK(b.link->finished == 1);
}
