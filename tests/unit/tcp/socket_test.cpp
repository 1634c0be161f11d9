// SPDX-License-Identifier: BSD-2-Clause
// What happens on real sockets around the protocol: refusals, half-open and dying peers.
#include "raw_peer.hpp"

using namespace nvmf;
using namespace nvmf::test;

TEST_CASE("a listener answers one host byte by byte, and Connect that came along with ICReq") {
  server s;
  raw_peer host{s};
  host.connect(s.port());
  std::vector<capsule> got;
  s.on_accept = [&](qpair& q) {
    q.start({.on_receive =
                 [&](capsule c) {
                   got.push_back(std::move(c));
                   s.stop();
                 },
             .on_error = [](const qpair_error&) {}});
  };
  octets stream = good_icreq + command(0x7f, 1, sgl::in_capsule, 1024, fill(1024, 1));
  SUBCASE("in one piece") { host.send(stream); }
  SUBCASE("byte by byte") {
    for (const std::byte b : stream) host.send({b});
  }
  s.run();
  REQUIRE(got.size() == 1);
  CHECK(std::ranges::equal(s.accepted[0].in_capsule_data(got[0]), fill(1024, 1)));
  got.clear();
}

TEST_CASE("garbage gets a TermReq and is closed; other hosts are served") {
  server s;
  raw_peer bad{s}, good{s};
  bad.connect(s.port());
  bad.send(hex("47 45 54 20 2f 20 48 54 54 50 2f 31"));
  bad.collect([&] { s.stop(); });
  bad.on_bytes = [&] {
    if (bad.got.size() == 32) bad.shutdown_send();
  };
  s.run();
  CHECK(bad.got == termreq(3, 1, 0, hex("47 45 54 20 2f 20 48 54")));
  CHECK(s.accepted.empty());
  good.connect(s.port());
  good.send(good_icreq);
  s.on_accept = [&](qpair&) { s.stop(); };
  s.run();
  CHECK(s.accepted.size() == 1);
}

TEST_CASE("after our TermReq the peer has `linger` to close, then we do") {
  transport_options o;
  o.linger = 50ms;
  server s{o};
  raw_peer bad{s};
  bad.connect(s.port());
  bad.send(hex("ff 00 00 00 00 00 00 00"));
  bad.collect();
  const auto before = s.on.now();
  s.run();
  CHECK(s.on.now() - before >= 50ms);
  CHECK(bad.got == termreq(3, 1, 0, hex("ff 00 00 00 00 00 00 00")));

  // The same on a connection that is set up.
  server t{o};
  raw_peer worse{t};
  worse.connect(t.port());
  qpair_error why;
  t.on_accept = [&](qpair& q) {
    q.start({.on_receive = [](capsule) {}, .on_error = [&](const qpair_error& e) { why = e; }});
  };
  worse.send(good_icreq + hex("ff 00 18 00 18 00 00 00"));
  worse.collect();
  t.run();
  CHECK(worse.got.size() == 128 + 32);
  CHECK(octets(worse.got.begin() + 128, worse.got.end()) ==
        termreq(3, 1, 0, hex("ff 00 18 00 18 00 00 00")));
  CHECK(why.code == errc::protocol_violation);
}

TEST_CASE("connections that are dropped at each stage leave nothing behind") {
  server s;
  const octets stream = good_icreq + command(0x7f, 1, sgl::in_capsule, 1024, fill(1024, 1));
  int errors = 0;
  s.on_accept = [&](qpair& q) {
    q.start({.on_receive = [](capsule) {}, .on_error = [&](const qpair_error&) { ++errors; }});
  };
  std::vector<std::unique_ptr<raw_peer>> peers;
  for (std::size_t n = 0; n < 200; ++n) {
    auto& p = *peers.emplace_back(std::make_unique<raw_peer>(s));
    p.connect(s.port());
    p.send(octets(stream.begin(), stream.begin() + static_cast<std::ptrdiff_t>(n * 6)));
    if (n % 2 == 0)
      p.reset();
    else
      p.close();
  }
  // A good host behind them.
  auto done = s.tcp->connect(s.on, s.door->where(), {}, [&](auto r) {
    REQUIRE(r.has_value());
    s.host = std::move(r->queue);
    s.stop();
  });
  s.run();
  CHECK(s.host);
  s.accepted.clear();
  s.host.close();
  CHECK(s.tcp->qpairs() == 0);
}

TEST_CASE("why a connect fails") {
  transport_options o;
  o.ic_timeout = o.connect_timeout = 50ms;
  SUBCASE("nobody listens") {
    false_controller f;
    f.acceptor.close();
    f.calls = 0;
    loopback net;
    std::optional<connect_error> e;
    net.tcp->connect(net.on, {"127.0.0.1", 1}, {}, [&](auto r) {
      e = r.error();
      net.stop();
    });
    net.run();
    CHECK(e->stage == connect_stage::connect);
    CHECK(e->code == std::errc::connection_refused);
    CHECK(e->detail.find("127.0.0.1:1") != std::string::npos);
  }
  SUBCASE("a name that does not resolve") {
    loopback net;
    std::optional<connect_error> e;
    net.tcp->connect(net.on, {"no such host.invalid", 4420}, {}, [&](auto r) {
      e = r.error();
      net.stop();
    });
    net.run();
    CHECK(e->stage == connect_stage::resolve);
    CHECK(e->detail.find("no such host.invalid") != std::string::npos);
  }
  SUBCASE("silence") {
    false_controller f;
    f.connect(o);
    CHECK(f.error().stage == connect_stage::exchange);
    CHECK(f.error().code == errc::timed_out);
    CHECK(f.error().detail == "no answer to ICReq within 0.05 s");
  }
  SUBCASE("a peer that closes at once") {
    false_controller f;
    f.script = [](raw_peer& p) { p.shutdown_send(); };
    f.connect(o);
    CHECK(f.error().stage == connect_stage::exchange);
    CHECK(f.error().code == errc::closed);
  }
  SUBCASE("a peer that speaks something else") {
    false_controller f;
    f.script = [](raw_peer& p) {
      p.send(hex("53 53 48 2d 32 2e 30 2d 4f 70 65 6e"));
      p.collect([] {});
    };
    f.connect(o);
    CHECK(f.error().code == errc::protocol_violation);
    CHECK(f.error().violation.fes == 1);
    CHECK(f.error().violation.offset == 0);
    f.on.post([&] { f.stop(); });
    f.run();
  }
  SUBCASE("a TermReq") {
    false_controller f;
    f.script = [](raw_peer& p) { p.send(termreq(3, 6, 8, good_icreq)); };
    f.connect(o);
    CHECK(f.error().code == errc::terminated);
    CHECK(f.error().violation.fes == 6);
    CHECK(f.error().violation.fei == 8);
  }
  SUBCASE("an ICResp in two parts is none") {
    false_controller f;
    f.script = [](raw_peer& p) {
      p.send(hex("01 00 80 00 80"));
      p.shutdown_send();
    };
    f.connect(o);
    CHECK(f.error().code == errc::reset);
  }
}

TEST_CASE("a connect can be cancelled at any moment, and tells so once") {
  for (const bool accepted_first : {false, true}) {
    false_controller f;
    if (accepted_first)
      f.script = [&](raw_peer&) { f.attempt->cancel(); };
    else
      f.on.post([&] { f.attempt->cancel(); });
    f.connect();
    CHECK(f.error().code == errc::aborted);
    f.attempt->cancel();
  }
}

TEST_CASE("what arrived before a reset is delivered") {
  false_controller f;
  f.script = [](raw_peer& p) { p.send(good_icresp()); };
  f.connect();
  REQUIRE(f.result->has_value());
  qpair q = std::move((*f.result)->queue);
  std::string order;
  qpair_error why;
  q.start({.on_receive = [&](capsule) { order += 'R'; },
           .on_error =
               [&](const qpair_error& e) {
                 order += 'E';
                 why = e;
                 f.stop();
               }});
  std::array<std::byte, 64> sqe{};
  auto c = q.allocate_command(sqe);
  REQUIRE(c.has_value());
  SUBCASE("a response, then the end") {
    REQUIRE_FALSE(q.transmit(*c));
    f.peer->send(response(0));
    f.peer->shutdown_send();
    f.run();
    CHECK(order == "RE");
    CHECK_FALSE(why.code);
  }
  SUBCASE("the reason, from a peer that reads no more") {
    f.peer->send(termreq(3, 2, 0, {}));
    f.peer->close();
    // Whatever is written now fails, once the kernel knows.
    std::vector<std::byte> much(1 << 20);
    REQUIRE_FALSE(q.append_data(*c, memdesc::of(std::span{much}), 1 << 20, direction::receive,
                                [](auto, auto) {}));
    REQUIRE_FALSE(q.transmit(*c));
    f.run();
    CHECK(order == "E");
    CHECK(why.code == errc::terminated);
    CHECK(why.violation.fes == 2);
  }
}

TEST_CASE("a closed qpair says good-bye in order: what is queued, then the end of the stream") {
  server s;
  raw_peer host{s};
  host.connect(s.port());
  s.on_accept = [&](qpair& q) {
    q.start({.on_receive =
                 [&](capsule c) {
                   cqe_bytes cqe{};
                   cqe[12] = static_cast<std::byte>(c.cid());
                   auto r = q.allocate_response(cqe);
                   REQUIRE(r.has_value());
                   REQUIRE_FALSE(q.transmit_response(std::move(*r)));
                   q.close();
                 },
             .on_error = [](const qpair_error&) {}});
  };
  host.send(good_icreq + command(0x7f, 9));
  host.collect();
  host.on_bytes = [&] {
    if (host.got.size() == 128 + 24) CHECK_FALSE(s.accepted.at(0));
  };
  s.run();
  CHECK(host.ended == asio::error::eof);
  CHECK(octets(host.got.begin() + 128, host.got.end()) == response(9));
}

TEST_CASE("a slow reader: everything arrives, memory stays bounded, nothing spins") {
  // The host takes 4 KiB at a time of 64 MiB; the controller's socket is full all along.
  server s;
  boost_tcp::socket host{s.on.context()};
  host.open(boost_tcp::v4());
  host.set_option(asio::socket_base::receive_buffer_size(4096));
  host.connect({asio::ip::address_v4::loopback(), s.port()});
  constexpr std::uint32_t size = 1 << 20;
  const std::vector<std::byte> block = pattern(size, 5);
  s.on_accept = [&](qpair& q) {
    q.start({.on_receive =
                 [&](capsule c) {
                   const auto answer =
                       q.send_controller_data(c, 0, buffer(block, nullptr, nullptr));
                   CHECK(answer.result == send_result::success);
                   cqe_bytes cqe{};
                   cqe[12] = static_cast<std::byte>(c.cid());
                   auto r = q.allocate_response(cqe);
                   REQUIRE_FALSE(q.transmit_response(std::move(*r)));
                 },
             .on_error = [](const qpair_error&) {}});
  };
  octets commands = good_icreq;
  for (unsigned i = 0; i < 16; ++i) commands = commands + command(2, i, sgl::transport, size);
  asio::write(host, asio::buffer(commands));
  std::size_t got = 0;
  const std::size_t expected = 128 + 16 * (size + 4 * 24 + 24);
  octets place(65536);
  std::function<void()> read = [&] {
    host.async_read_some(asio::buffer(place), [&](auto error, std::size_t n) {
      REQUIRE_FALSE(error);
      got += n;
      if (got == expected) return s.stop();
      read();
    });
  };
  read();
  s.run();
  CHECK(got == expected);
}

TEST_CASE("listening: two at one port is refused, a port is picked, IPv6 works") {
  server s;
  CHECK(s.port() != 0);
  const auto again = s.tcp->listen(
      s.on, {"127.0.0.1", s.port()}, {.side = role::controller},
      [&]() -> executor& { return s.on; }, [](qpair) {});
  REQUIRE_FALSE(again.has_value());
  CHECK(again.error() == std::errc::address_in_use);
  auto six = s.tcp->listen(
      s.on, {"::1", 0}, {.side = role::controller}, [&]() -> executor& { return s.on; },
      [&](qpair q) { s.accepted.push_back(std::move(q)); });
  if (!six.has_value()) {
    MESSAGE("no IPv6 here");
    return;
  }
  s.tcp->connect(s.on, (*six)->where(), {}, [&](auto r) {
    REQUIRE(r.has_value());
    s.host = std::move(r->queue);
    s.stop();
  });
  s.run();
  CHECK(s.host.peer().starts_with("[::1]:"));
}

TEST_CASE("the source address is used, and one that is not ours is named") {
  server s;
  qpair_params p;
  p.options.source_address = "127.0.0.9";
  s.tcp->connect(s.on, s.door->where(), p, [&](auto r) {
    REQUIRE(r.has_value());
    s.host = std::move(r->queue);
    s.stop();
  });
  s.run();
  CHECK(s.host.local().starts_with("127.0.0.9:"));
  p.options.source_address = "192.0.2.1";
  std::string detail;
  s.tcp->connect(s.on, s.door->where(), p, [&](auto r) {
    REQUIRE_FALSE(r.has_value());
    detail = r.error().detail;
    s.stop();
  });
  s.run();
  CHECK(detail.find("192.0.2.1") != std::string::npos);
  // Of another family than every address of the target.
  p.options.source_address = "::1";
  s.tcp->connect(s.on, s.door->where(), p, [&](auto r) {
    REQUIRE_FALSE(r.has_value());
    CHECK(r.error().code == std::errc::address_family_not_supported);
    detail = r.error().detail;
    s.stop();
  });
  s.run();
  CHECK(detail.starts_with("cannot use source address ::1 for 127.0.0.1:"));
}
