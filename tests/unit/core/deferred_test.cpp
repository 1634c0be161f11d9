// SPDX-License-Identifier: BSD-2-Clause
#include <doctest/doctest.h>

#include <memory>
#include <new>
#include <string>

#include "core/deferred.hpp"
#include "support/virtual_executor.hpp"

using namespace nvmf;
using namespace nvmf::test;

namespace {

// What a qpair is to its deferred: the owner that a posted run keeps alive.
struct owner : std::enable_shared_from_this<owner> {
  explicit owner(executor& on) : later(on) {}
  void add(task t) { later.add(std::move(t), shared_from_this()); }
  deferred later;
};

}  // namespace

TEST_CASE("deferred: outside of a turn tasks run by themselves, one post for all, in order") {
  virtual_executor on;
  const auto o = std::make_shared<owner>(on);
  std::string log;
  o->add([&] { log += 'a'; });
  o->add([&] { log += 'b'; });
  CHECK(log.empty());
  CHECK(on.posts() == 1);
  CHECK_FALSE(o->later.empty());
  on.run();
  CHECK(log == "ab");
  CHECK(o->later.empty());
  o->add([&] { log += 'c'; });
  on.run();
  CHECK(log == "abc");
}

TEST_CASE("deferred: in a turn they run when the outermost bracket closes, without a post") {
  virtual_executor on;
  const auto o = std::make_shared<owner>(on);
  std::string log;
  o->later.enter();
  o->add([&] { log += 'a'; });
  o->later.enter();
  CHECK(o->later.in_turn());
  o->add([&] { log += 'b'; });
  o->later.leave();
  CHECK(log.empty());
  o->later.leave();
  CHECK(log == "ab");
  CHECK_FALSE(o->later.in_turn());
  CHECK(on.posts() == 0);
}

TEST_CASE("deferred: what a task adds runs in the same turn, after what was there before") {
  virtual_executor on;
  const auto o = std::make_shared<owner>(on);
  std::string log;
  o->later.enter();
  o->add([&] {
    log += 'a';
    CHECK(o->later.in_turn());
    o->add([&] {
      log += 'c';
      o->add([&] { log += 'd'; });
    });
    // A turn within the turn does not run them early.
    o->later.run();
    log += 'A';
  });
  o->add([&] { log += 'b'; });
  o->later.leave();
  CHECK(log == "aAbcd");
}

TEST_CASE("deferred: run takes what waits for its post, which then finds nothing") {
  virtual_executor on;
  const auto o = std::make_shared<owner>(on);
  int runs = 0;
  o->add([&] { ++runs; });
  o->later.run();
  CHECK(runs == 1);
  on.run();
  CHECK(runs == 1);
}

TEST_CASE("deferred: a posted run keeps its owner, a finished one does not") {
  virtual_executor on;
  auto o = std::make_shared<owner>(on);
  const std::weak_ptr<owner> watched = o;
  bool ran = false;
  o->add([&] { ran = true; });
  o.reset();
  CHECK_FALSE(watched.expired());
  on.run();
  CHECK(ran);
  CHECK(watched.expired());
}

TEST_CASE("deferred: a task that throws is over, those after it run in the next turn") {
  virtual_executor on;
  const auto o = std::make_shared<owner>(on);
  std::string log;
  o->later.enter();
  o->add([&] { log += 'a'; });
  o->add([] { throw std::bad_alloc(); });
  o->add([&] { log += 'c'; });
  CHECK_THROWS_AS(o->later.leave(), std::bad_alloc);
  CHECK(log == "a");
  CHECK_FALSE(o->later.in_turn());
  CHECK_FALSE(o->later.empty());
  o->add([&] { log += 'd'; });
  on.run();
  CHECK(log == "acd");
  CHECK(o->later.empty());
}
