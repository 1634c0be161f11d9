// SPDX-License-Identifier: BSD-2-Clause
// A host and a controller that talk over real sockets, both on the reactor of the test.
#pragma once

#include <doctest/doctest.h>

#include <nvmf/transport.hpp>
#include <optional>
#include <vector>

#include "core/reactor.hpp"
#include "tcp/tcp.hpp"
#include "wire/layouts/entries.hpp"

namespace nvmf::test {

using namespace std::chrono_literals;

inline std::vector<std::byte> pattern(std::size_t size, unsigned seed) {
  std::vector<std::byte> out(size);
  std::uint32_t x = seed * 2654435761u + 1;
  for (auto& b : out) {
    x = x * 1664525u + 1013904223u;
    b = static_cast<std::byte>(x >> 24);
  }
  return out;
}

inline sqe_bytes sqe_of(std::uint8_t opcode) {
  sqe_bytes sqe{};
  sqe[0] = static_cast<std::byte>(opcode);
  return sqe;
}

struct data_result {
  int calls = 0;
  std::size_t bytes = 0;
  std::error_code error{};
  data_callback hook(std::function<void()> then = {}) {
    return [this, then](std::size_t n, std::error_code e) {
      ++calls;
      bytes = n;
      error = e;
      if (then) then();
    };
  }
};

// Runs a reactor on this thread until the test is done; a test that hangs fails.
class loopback {
 public:
  explicit loopback(bool polling = false) : on(polling) {}

  // Connects; the two qpairs are not started.
  void connect(const transport_options& host_wants, const transport_options& controller_has,
               std::uint32_t queue_size = 32, observer* watcher = nullptr) {
    qpair_params serving{.side = role::controller,
                         .queue_size = queue_size,
                         .options = controller_has,
                         .watched_by = watcher};
    auto opened = tcp->listen(
        on, {"127.0.0.1", 0}, serving, [this]() -> executor& { return on; },
        [this](qpair q) {
          controller = std::move(q);
          both_up();
        });
    REQUIRE(opened.has_value());
    door = std::move(*opened);
    qpair_params asking{
        .side = role::host, .queue_size = queue_size, .options = host_wants, .watched_by = watcher};
    tcp->connect(on, door->where(), asking, [this](auto result) {
      REQUIRE_MESSAGE(result.has_value(), result.error().detail);
      host = std::move(result->queue);
      steps = std::move(result->steps);
      both_up();
    });
    run();
  }

  // Returns once stop() is called.
  void run() {
    const timer_id watchdog = on.start_timer(on.now() + 60s, [this] {
      hung = true;
      on.stop();
    });
    on.run();
    on.context().restart();
    on.cancel_timer(watchdog);
    REQUIRE_FALSE(hung);
  }
  void stop() { on.stop(); }

  reactor on;
  std::shared_ptr<transport> tcp = make_tcp_transport();
  std::unique_ptr<listener> door{};
  qpair host{}, controller{};
  std::vector<connect_step> steps{};
  bool hung = false;

 private:
  void both_up() {
    if (host && controller) stop();
  }
};

// Transmits one command and keeps what came of it.
struct request {
  capsule command{};
  data_result data{};
  std::optional<cqe_bytes> cqe{};
  bool sqhd_valid = false;
};

}  // namespace nvmf::test
