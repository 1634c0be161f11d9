// SPDX-License-Identifier: BSD-2-Clause
// One visit of the driver: what its callbacks queue leaves with it, and asks for no other visit.
#include "raw_peer.hpp"

using namespace nvmf;
using namespace nvmf::test;

namespace {

// Counts what is put off to a later turn while somebody asks.
struct counting_reactor final : reactor {
  void post(task t) override {
    if (counting) ++posts;
    reactor::post(std::move(t));
  }
  bool counting = false;
  int posts = 0;
};

struct visited {
  counting_reactor on;
  std::shared_ptr<transport> tcp = make_tcp_transport();
  std::unique_ptr<listener> door;
  qpair q;
  std::vector<std::uint16_t> answered;
  std::function<void()> at_last;  // within the callback of command 4
  asio::io_context peers;
  boost_tcp::socket peer{peers};

  visited() {
    auto opened = tcp->listen(
        on, {"127.0.0.1", 0}, {.side = role::controller}, [this]() -> executor& { return on; },
        [this](qpair made) {
          q = std::move(made);
          q.start({.on_receive = [this](capsule c) { answer(c); },
                   .on_error = [](const qpair_error&) {}});
        });
    REQUIRE(opened.has_value());
    door = std::move(*opened);
    peer.connect({asio::ip::address_v4::loopback(), door->where().port});
    asio::write(peer, asio::buffer(good_icreq));
    octets icresp(128);
    until([&] { return q && peer.available() >= icresp.size(); });
    asio::read(peer, asio::buffer(icresp));
  }
  void answer(const capsule& c) {
    cqe_bytes cqe{};
    wire::store_le(cqe, 12, 2, c.cid());
    answered.push_back(c.cid());
    auto r = q.allocate_response(cqe);
    REQUIRE(r.has_value());
    CHECK_FALSE(q.transmit_response(std::move(*r)));
    if (c.cid() == 4 && at_last) at_last();
  }
  template <class Done>
  void until(Done done) {
    const auto give_up = clock::now() + 60s;
    while (!done()) {
      REQUIRE(clock::now() < give_up);
      on.context().restart();
      on.context().run_one_for(1ms);
    }
  }
  // Four commands in one segment, and all that comes of them.
  octets four() {
    octets in, got(4 * 24);
    for (unsigned cid = 1; cid <= 4; ++cid) in = in + command(2, cid);
    on.counting = true;
    asio::write(peer, asio::buffer(in));
    until([&] { return peer.available() >= got.size(); });
    on.counting = false;
    asio::read(peer, asio::buffer(got));
    return got;
  }
};

}  // namespace

TEST_CASE("answers that callbacks give leave with the visit that ran them") {
  visited v;
  CHECK(v.four().size() == 96);
  CHECK(v.answered == std::vector<std::uint16_t>{1, 2, 3, 4});
  CHECK(v.on.posts == 0);
}

TEST_CASE("a qpair that is closed by a callback sends what was queued, and is not visited within") {
  visited v;
  v.at_last = [&] {
    v.q = {};
    // Not from within: the answers are still to be written by the visit that runs this.
    CHECK(v.peer.available() == 0);
  };
  const octets got = v.four();
  CHECK(got.size() == 96);
  bool ended = false;
  v.until([&] {
    std::array<std::byte, 8> more;
    boost::system::error_code e;
    v.peer.non_blocking(true);
    const std::size_t n = v.peer.read_some(asio::buffer(more), e);
    REQUIRE(n == 0);
    ended = e == asio::error::eof;
    return ended;
  });
  CHECK(ended);
  v.peer.close();
}
