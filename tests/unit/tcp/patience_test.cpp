// SPDX-License-Identifier: BSD-2-Clause
// How long each end waits for an IC exchange that does not come to its end, and what it says
// before.
#include "raw_peer.hpp"

using namespace nvmf;
using namespace nvmf::test;

namespace {

// Sends a byte of `stream` every few milliseconds.
class trickle {
 public:
  trickle(loopback& net, raw_peer& to, octets stream)
      : net_(net), to_(to), stream_(std::move(stream)) {
    next();
  }
  ~trickle() { stop(); }
  void stop() {
    if (timer_ != 0) net_.on.cancel_timer(std::exchange(timer_, 0));
  }
  std::size_t sent() const { return at_; }

 private:
  void next() {
    to_.offer({stream_[at_++]});
    timer_ = 0;
    if (at_ < stream_.size()) timer_ = net_.on.start_timer(net_.on.now() + 5ms, [this] { next(); });
  }
  loopback& net_;
  raw_peer& to_;
  octets stream_;
  std::size_t at_ = 0;
  timer_id timer_ = 0;
};

}  // namespace

TEST_CASE("silent, half-open and slow hosts are dropped after ic_timeout; others are served") {
  transport_options o;
  o.ic_timeout = 100ms;
  server s{o};
  raw_peer silent{s}, seven{s}, slow{s}, good{s};
  for (raw_peer* p : {&silent, &seven, &slow, &good}) p->connect(s.port());
  seven.send(octets(good_icreq.begin(), good_icreq.begin() + 7));
  trickle bytes(s, slow, octets(good_icreq.begin(), good_icreq.begin() + 100));
  good.send(good_icreq);
  int ended = 0;
  const auto count = [&] {
    if (++ended == 3) s.stop();
  };
  silent.collect(count);
  seven.collect(count);
  slow.collect([&] {
    bytes.stop();
    count();
  });
  s.run();
  CHECK(silent.got.empty());
  CHECK(seven.got.empty());
  CHECK(slow.got.empty());
  CHECK(bytes.sent() < 100);
  REQUIRE(s.accepted.size() == 1);
  CHECK(s.accepted[0].peer() == good.local());
}

TEST_CASE("a host gives an answer that comes byte by byte no more time than a silent one") {
  transport_options o;
  o.ic_timeout = 100ms;
  false_controller f;
  std::optional<trickle> bytes;
  f.script = [&](raw_peer& p) { bytes.emplace(f, p, good_icresp()); };
  f.connect(o);
  CHECK(f.error().stage == connect_stage::exchange);
  CHECK(f.error().code == errc::timed_out);
  CHECK(bytes->sent() < 128);
}

TEST_CASE("a host sends its ICReq and nothing else until it is answered") {
  false_controller f;
  octets before;
  std::function<void(int)> later = [&](int turns) {
    if (turns > 0) return f.on.post([&, turns] { later(turns - 1); });
    before = f.peer->got;
    f.peer->send(good_icresp());
  };
  f.script = [&](raw_peer& p) {
    p.on_bytes = [&] {
      // Both ends live on one reactor: what else there is leaves within its next turns.
      if (p.got.size() == 128) later(10);
    };
    p.collect([] {});
  };
  f.connect();
  REQUIRE(f.result->has_value());
  CHECK(before == good_icreq);
  f.result.reset();
  f.on.post([&] { f.stop(); });
  f.run();
}
