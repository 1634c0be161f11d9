// SPDX-License-Identifier: BSD-2-Clause
#include <doctest/doctest.h>

#include <atomic>
#include <latch>
#include <string>
#include <vector>

#include "support/reactor_thread.hpp"

using namespace nvmf;
using namespace nvmf::test;
using namespace std::chrono_literals;

namespace {

// Every test runs against a sleeping and a polling reactor: they promise the same.
template <class Body>
void each_kind(Body body) {
  for (const bool polling : {false, true}) {
    CAPTURE(polling);
    body(polling);
  }
}

}  // namespace

TEST_CASE("reactor: posts run in order, never within post, and on its thread") {
  each_kind([](bool polling) {
    reactor r(polling);
    std::string log;
    const auto here = std::this_thread::get_id();
    r.post([&] {
      r.post([&] { log += 'c'; });
      log += 'a';
    });
    r.post([&] { log += 'b'; });
    r.post([&] { r.post([&] { r.stop(); }); });
    CHECK(log.empty());
    std::thread::id there;
    r.post([&] { there = std::this_thread::get_id(); });
    r.run();
    CHECK(log == "abc");
    CHECK(there == here);
  });
}

TEST_CASE("reactor: posts of one thread keep their order, whoever else posts") {
  each_kind([](bool polling) {
    constexpr int threads = 4, each = 500;
    std::vector<std::vector<int>> seen(threads);
    {
      reactor_thread r(polling);
      std::latch all(threads * each);
      std::vector<std::thread> workers;
      for (int w = 0; w < threads; ++w)
        workers.emplace_back([&, w] {
          for (int i = 0; i < each; ++i)
            r.on().post([&, w, i] {
              CHECK(r.is_this_thread());
              seen[static_cast<std::size_t>(w)].push_back(i);
              all.count_down();
            });
        });
      all.wait();
      for (std::thread& w : workers) w.join();
    }
    for (const auto& of_one : seen) {
      CHECK(of_one.size() == each);
      CHECK(std::ranges::is_sorted(of_one));
    }
  });
}

TEST_CASE("reactor: timers run at their time or after, in order of time, never within the call") {
  each_kind([](bool polling) {
    reactor r(polling);
    std::string log;
    r.post([&] {
      const time_point now = r.now();
      r.start_timer(now + 6ms, [&, now] {
        CHECK(r.now() >= now + 6ms);
        log += '6';
        r.stop();
      });
      r.start_timer(now + 2ms, [&, now] {
        CHECK(r.now() >= now + 2ms);
        log += '2';
      });
      r.start_timer(now + 4ms, [&] { log += '4'; });
      r.start_timer(now - 1h, [&] { log += 'p'; });
      CHECK(log.empty());
    });
    r.run();
    CHECK(log == "p246");
  });
}

TEST_CASE("reactor: a cancelled timer never runs, even if it was due in the same moment") {
  each_kind([](bool polling) {
    reactor r(polling);
    std::string log;
    timer_id second = 0;
    r.post([&] {
      const time_point past = r.now() - 1ms;
      // Both have expired before either runs; the first cancels the second.
      r.start_timer(past, [&] {
        log += 'a';
        r.cancel_timer(second);
      });
      second = r.start_timer(past + 1us, [&] { log += 'b'; });
      const timer_id own = r.start_timer(past, [&] { log += 'c'; });
      CHECK(own != 0);
      CHECK(own != second);
      r.cancel_timer(own);
      r.cancel_timer(own);
      r.cancel_timer(123'456);
      r.cancel_timer(0);
      r.start_timer(past + 2us, [&] { r.post([&] { r.stop(); }); });
    });
    r.run();
    CHECK(log == "a");
  });
}

TEST_CASE("reactor: a timer may cancel itself and start others while it runs") {
  each_kind([](bool polling) {
    reactor r(polling);
    int runs = 0;
    timer_id self = 0;
    std::function<void()> again = [&] {
      r.cancel_timer(self);
      if (++runs == 5) return r.stop();
      self = r.start_timer(r.now(), again);
    };
    r.post([&] { self = r.start_timer(r.now(), again); });
    r.run();
    CHECK(runs == 5);
  });
}

TEST_CASE("reactor: what a cancelled timer owns is let go of") {
  reactor r;
  auto owned = std::make_shared<int>(1);
  const std::weak_ptr<int> watched = owned;
  r.post([&] {
    const timer_id id = r.start_timer(r.now() + 1h, [owned = std::move(owned)] { (void)owned; });
    CHECK_FALSE(watched.expired());
    r.cancel_timer(id);
    r.post([&] { r.post([&] { r.stop(); }); });
  });
  r.run();
  CHECK(watched.expired());
}

TEST_CASE("reactor: timers that never came and posts that never ran are let go of at its end") {
  auto owned = std::make_shared<int>(1);
  {
    reactor r;
    r.start_timer(r.now() + 1h, [owned] { (void)owned; });
    r.post([owned] { (void)owned; });
    CHECK(owned.use_count() == 3);
  }
  CHECK(owned.use_count() == 1);
}

namespace {

struct counting_poller final : poller {
  explicit counting_poller(std::function<bool(counting_poller&)> f) : work(std::move(f)) {}
  bool poll() noexcept override {
    ++polls;
    return work(*this);
  }
  std::function<bool(counting_poller&)> work;
  int polls = 0;
};

}  // namespace

TEST_CASE("polling reactor: pollers are asked again and again, between posts and timers") {
  reactor r(true);
  CHECK(r.polling());
  counting_poller one([](auto&) { return false; }), two([](auto&) { return true; });
  bool posted = false, fired = false;
  r.add_poller(&one);
  r.add_poller(&two);
  r.post([&] { posted = true; });
  r.start_timer(r.now() + 1ms, [&] {
    fired = true;
    r.stop();
  });
  r.run();
  CHECK(posted);
  CHECK(fired);
  CHECK(one.polls > 1);
  CHECK(one.polls - two.polls <= 1);
}

TEST_CASE("polling reactor: a poller may go, and let others go and come, while it is asked") {
  reactor r(true);
  std::string log;
  counting_poller late([&](auto&) {
    log += 'l';
    r.stop();
    return true;
  });
  counting_poller victim([&](auto&) {
    log += 'v';
    return false;
  });
  counting_poller first([&](auto& self) {
    log += 'f';
    r.remove_poller(&self);
    r.remove_poller(&victim);
    r.add_poller(&late);
    return true;
  });
  r.add_poller(&first);
  r.add_poller(&victim);
  r.run();
  CHECK(log == "fl");
  CHECK(first.polls == 1);
  CHECK(victim.polls == 0);
}

TEST_CASE("polling reactor: without pollers it still runs posts and timers") {
  reactor_thread r(true);
  CHECK(r.call([] { return 7; }) == 7);
}
