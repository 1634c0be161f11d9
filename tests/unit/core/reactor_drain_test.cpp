// SPDX-License-Identifier: BSD-2-Clause
#include "core/reactor.hpp"

#include <doctest/doctest.h>

#include <boost/asio/local/connect_pair.hpp>
#include <boost/asio/local/stream_protocol.hpp>

using namespace nvmf;
using namespace std::chrono_literals;
using local = boost::asio::local::stream_protocol;

namespace {

// A reactor that has been run and stopped.
struct stopped {
  reactor on;
  stopped() {
    on.post([this] { on.stop(); });
    on.run();
  }
};

}  // namespace

TEST_CASE("draining runs what is queued, forgets timers, and ends when nothing is left") {
  stopped s;
  bool posted = false, timed = false;
  s.on.post([&] { posted = true; });
  s.on.start_timer(s.on.now(), [&] { timed = true; });
  const auto hour = s.on.start_timer(s.on.now() + 1h, [&] { timed = true; });
  s.on.drain(1h);
  CHECK(posted);
  CHECK_FALSE(timed);
  s.on.cancel_timer(hour);
}

TEST_CASE("draining waits for sockets that are waited for, as long as it may") {
  stopped s;
  local::socket here(s.on.context()), there(s.on.context());
  boost::asio::local::connect_pair(here, there);
  bool readable = false;
  here.async_wait(local::socket::wait_read, [&](auto error) { readable = !error; });
  SUBCASE("it happens") {
    there.close();
    s.on.drain(1h);
    CHECK(readable);
  }
  SUBCASE("it does not") {
    s.on.drain(1ms);
    CHECK_FALSE(readable);
  }
}

TEST_CASE("what a forgotten timer owns may cancel others as it goes") {
  stopped s;
  struct canceller {
    reactor& on;
    timer_id other;
    ~canceller() { on.cancel_timer(other); }
  };
  for (int i = 0; i < 8; ++i) {
    const auto other = s.on.start_timer(s.on.now() + 1h, [] {});
    auto owned = std::make_unique<canceller>(s.on, other);
    s.on.start_timer(s.on.now() + 1h, [o = std::move(owned)] {});
  }
  s.on.drain(1h);
}
