// SPDX-License-Identifier: BSD-2-Clause
// Host and controller on threads of their own, work posted from others, and closing while all of it
// runs. Under ThreadSanitizer this is item 19; everywhere it is "exactly once" under real races.
#include <atomic>
#include <latch>

#include "rig.hpp"
#include "support/reactor_thread.hpp"
#include "wire/layouts/entries.hpp"

using namespace nvmf;
using namespace nvmf::test;

namespace {

constexpr std::uint32_t size = 6000;  // over the in-capsule limit
constexpr std::uint32_t small = 1000;

// A connected pair, each end on its thread. A controller that serves reads and writes.
class threaded {
 public:
  explicit threaded(const profile& p) : provider_(p.make()), content_(pattern(size)) {
    qpair_params params;
    params.admin = false;
    params.qid = 1;
    params.queue_size = 64;
    params.options = p.settings;
    std::promise<void> have_controller, have_host;
    endpoint where = there.call([&] {
      auto made = provider_->listen(
          there.on(), p.at, as(params, role::controller), [&]() -> executor& { return there.on(); },
          [&](qpair q) {
            controller = std::move(q);
            serve();
            have_controller.set_value();
          });
      REQUIRE(made.has_value());
      listener_ = std::move(*made);
      return listener_->where();
    });
    auto attempt = here.call([&] {
      return provider_->connect(here.on(), where, as(params, role::host), [&](auto result) {
        REQUIRE(result.has_value());
        host = std::move(result->queue);
        host.set_max_in_capsule(4096);
        host.start({.on_receive = [this](const capsule&) { count(responses); },
                    .on_error = [this](const qpair_error&) { ++host_errors; }});
        have_host.set_value();
      });
    });
    have_controller.get_future().get();
    have_host.get_future().get();
  }
  ~threaded() {
    here.call([&] { host = {}; });
    there.call([&] {
      controller = {};
      listener_ = nullptr;
    });
    // What lingers goes with its reactor, and tells the other end of it: neither may run then.
    here.stop();
    there.stop();
  }

  // Host's thread: one more command, if there is room. True when it is on its way.
  bool issue(bool write, std::uint32_t n) {
    CHECK(here.is_this_thread());
    if (!host) return false;
    sqe_bytes sqe{};
    wire::set<wire::sqe_layout, "opc">(sqe, write ? op_write : op_read);
    auto made = host.allocate_command(sqe);
    if (!made) return false;
    auto& memory = *host_memory.emplace_back(std::make_unique<std::vector<std::byte>>(n));
    ++accepted;
    CHECK_FALSE(host.append_data(*made, memdesc::of(std::span{memory}), n,
                                 write ? direction::send : direction::receive,
                                 [this](std::size_t, std::error_code) { count(ended); }));
    return !host.transmit(*made);
  }

  reactor_thread here, there;
  // Host's thread only.
  qpair host;
  std::vector<std::unique_ptr<std::vector<std::byte>>> host_memory;
  int accepted = 0, ended = 0, responses = 0, host_errors = 0;
  std::function<void()> on_progress;  // something has ended or been answered
  // Controller's thread only.
  qpair controller;
  int fetches = 0, fetched = 0, controller_errors = 0;

 private:
  void count(int& of) {
    ++of;
    if (on_progress) on_progress();
  }
  static qpair_params as(qpair_params params, role side) {
    params.side = side;
    return params;
  }

  void serve() {
    CHECK_FALSE(controller.set_queue(1, 64, true));
    controller.start({.on_receive = [this](capsule c) { command(std::move(c)); },
                      .on_error = [this](const qpair_error&) { ++controller_errors; }});
  }

  void command(capsule c) {
    CHECK(there.is_this_thread());
    const std::uint16_t cid = c.cid();
    const std::uint32_t n = controller.data_length(c);
    if (c.sqe()[0] == std::byte{op_read}) {
      controller.send_controller_data(c, 0, buffer::copy_of(std::span{content_}.first(n)));
      return respond(cid);
    }
    auto memory = std::make_shared<std::vector<std::byte>>(n);
    const memdesc into = memdesc::of(std::span{*memory});
    ++fetches;
    CHECK_FALSE(controller.receive_controller_data(
        c, 0, into, n, [this, memory, cid](std::size_t, std::error_code error) {
          ++fetched;
          if (!error) respond(cid);
        }));
  }

  void respond(std::uint16_t cid) {
    if (!controller) return;
    cqe_bytes cqe{};
    wire::set<wire::cqe_layout, "cid">(cqe, cid);
    auto made = controller.allocate_response(cqe);
    REQUIRE(made.has_value());
    controller.transmit_response(std::move(*made));
  }

  std::shared_ptr<transport> provider_;
  std::unique_ptr<listener> listener_;
  std::vector<std::byte> content_;
};

}  // namespace

CONTRACT("threads: commands posted from several threads, then closed in the middle") {
  for (const bool host_closes : {true, false}) {
    threaded t(p);
    constexpr int threads = 3, each = 200;
    std::latch half(1), posted(threads);
    std::atomic<int> issued = 0;
    std::vector<std::thread> workers;
    for (int w = 0; w < threads; ++w)
      workers.emplace_back([&, w] {
        for (int i = 0; i < each; ++i)
          t.here.on().post([&, i, w] {
            t.issue((i + w) % 2 == 0, i % 3 == 0 ? small : size);
            if (++issued == threads * each / 2) half.count_down();
          });
        posted.count_down();
      });
    half.wait();
    if (host_closes)
      t.here.call([&] { t.host = {}; });
    else
      t.there.call([&] { t.controller = {}; });
    posted.wait();
    for (std::thread& w : workers) w.join();
    // Everything that was posted has run when this has.
    t.here.call([&] {
      CHECK(issued == threads * each);
      t.host = {};
      CHECK(t.accepted > 0);
      CHECK(t.ended == t.accepted);
      CHECK(t.host_errors <= 1);
    });
    t.there.call([&] {
      t.controller = {};
      CHECK(t.fetched == t.fetches);
      CHECK(t.controller_errors <= 1);
    });
  }
}

CONTRACT("threads: all that is asked for is served") {
  threaded t(p);
  constexpr int count = 300;
  std::promise<void> done;
  // Keeps the queue full until all have been issued.
  const auto go_on = [&] {
    while (t.accepted < count && t.issue(t.accepted % 2 == 0, t.accepted % 3 == 0 ? small : size)) {
    }
    if (t.responses == count && t.ended == count) done.set_value();
  };
  t.here.call([&] {
    t.on_progress = go_on;
    go_on();
  });
  done.get_future().get();
  t.here.call([&] {
    CHECK(t.responses == count);
    CHECK(t.host_errors == 0);
  });
  t.there.call([&] { CHECK(t.fetched == t.fetches); });
}

CONTRACT("threads: both ends go at once with fetches under way, their memory with them") {
  for (int round = 0; round < 20; ++round) {
    threaded t(p);
    t.here.call([&] {
      for (int i = 0; i < 40; ++i) t.issue(true, size);
    });
    std::latch go(2);
    std::promise<void> host_gone, controller_gone;
    t.here.on().post([&] {
      go.arrive_and_wait();
      t.host = {};
      t.host_memory.clear();
      host_gone.set_value();
    });
    t.there.on().post([&] {
      go.arrive_and_wait();
      t.controller = {};  // its callbacks let go of the memory
      controller_gone.set_value();
    });
    host_gone.get_future().get();
    controller_gone.get_future().get();
    t.here.call([&] { CHECK(t.ended == t.accepted); });
    t.there.call([&] { CHECK(t.fetched == t.fetches); });
  }
}
