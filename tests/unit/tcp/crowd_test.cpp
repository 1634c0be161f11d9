// SPDX-License-Identifier: BSD-2-Clause
// Many connections at a time that come to nothing, and a host among them.
#include "raw_peer.hpp"

using namespace nvmf;
using namespace nvmf::test;

TEST_CASE("a host gets in at once though hundreds say nothing; the oldest of them have to go") {
  server s;  // ic_timeout is 10 s: nobody goes because of that
  std::vector<std::unique_ptr<raw_peer>> silent;
  for (int n = 0; n < 300; ++n) {
    auto& p = *silent.emplace_back(std::make_unique<raw_peer>(s));
    p.connect(s.port());
    if (n % 3 == 1) p.send(octets(good_icreq.begin(), good_icreq.begin() + 7));
    if (n % 3 == 2) p.send(hex("ff 00 00 00 00 00 00 00"));  // gets a TermReq, and does not close
  }
  bool first_ended = false;
  const auto finish = [&] {
    if (first_ended && s.host) s.stop();
  };
  silent[0]->collect([&] {
    first_ended = true;
    finish();
  });
  bool last_ended = false;
  silent[298]->collect([&] { last_ended = true; });
  const auto before = s.on.now();
  s.tcp->connect(s.on, s.door->where(), {}, [&](auto r) {
    REQUIRE(r.has_value());
    s.host = std::move(r->queue);
    finish();
  });
  s.run();
  CHECK(s.on.now() - before < 5s);
  CHECK(s.host);
  CHECK(first_ended);
  CHECK_FALSE(last_ended);
  s.accepted.clear();
  s.host.close();
}
