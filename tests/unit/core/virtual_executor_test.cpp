// SPDX-License-Identifier: BSD-2-Clause
// The tests' own clock is tested too: much stands on it.
#include <doctest/doctest.h>

#include <string>

#include "support/virtual_executor.hpp"

using namespace nvmf;
using namespace nvmf::test;
using namespace std::chrono_literals;

TEST_CASE("virtual executor: posts run in order, and only when run") {
  virtual_executor on;
  std::string log;
  on.post([&] {
    log += 'a';
    on.post([&] { log += 'c'; });
  });
  on.post([&] { log += 'b'; });
  CHECK(log.empty());
  CHECK(on.run() == 3);
  CHECK(log == "abc");
}

TEST_CASE("virtual executor: timers run by time, ties by start, each at its own time") {
  virtual_executor on;
  const time_point start = on.now();
  std::string log;
  on.start_timer(start + 2s, [&] {
    CHECK(on.now() == start + 2s);
    log += '2';
    on.start_timer(on.now() + 500ms, [&] {
      CHECK(on.now() == start + 2500ms);
      log += 'x';
    });
  });
  on.start_timer(start + 1s, [&] { log += '1'; });
  on.start_timer(start + 1s, [&] { log += 'i'; });
  on.start_timer(start + 4s, [&] { log += '4'; });
  CHECK(on.run() == 0);
  on.advance(3s);
  CHECK(log == "1i2x");
  CHECK(on.now() == start + 3s);
  CHECK(on.timers() == 1);
}

TEST_CASE("virtual executor: a cancelled timer does not run, from inside another either") {
  virtual_executor on;
  std::string log;
  const timer_id a = on.start_timer(on.now() + 1s, [&] { log += 'a'; });
  const timer_id b = on.start_timer(on.now() + 2s, [&] { log += 'b'; });
  on.start_timer(on.now() + 1s, [&] {
    on.cancel_timer(b);
    on.cancel_timer(a);  // ran already
    on.cancel_timer(999);
  });
  on.advance(5s);
  CHECK(log == "a");
}

TEST_CASE("virtual executor: two of one time take turns and share the clock") {
  virtual_time time;
  virtual_executor left(time), right(time);
  std::string log;
  left.post([&] {
    log += 'l';
    right.post([&] {
      log += 'r';
      left.start_timer(left.now() + 1s, [&] { log += 't'; });
    });
  });
  time.run();
  CHECK(log == "lr");
  CHECK(time.run_until([&] { return log == "lrt"; }));
  CHECK(left.now() == right.now());
  CHECK_FALSE(time.run_until([&] { return log == "never"; }));
}
