// SPDX-License-Identifier: BSD-2-Clause
// A host and a controller over the made-up device, with everything that is called back counted, and
// a controller program that serves: it reads what is written and answers reads.
#pragma once

#include <doctest/doctest.h>

#include <deque>
#include <optional>

#include "rdma/rdma.hpp"
#include "support/fake_verbs.hpp"
#include "support/virtual_executor.hpp"

namespace nvmf::test {

using namespace std::chrono_literals;

inline sqe_bytes opcode(int code) {
  sqe_bytes sqe{};
  sqe[0] = static_cast<std::byte>(code);
  return sqe;
}

class rdma_pair {
 public:
  explicit rdma_pair(fake_fabric with = {}, rdma::session_limits limits = {},
                     std::uint32_t queue_size = 16)
      : fabric(std::make_shared<fake_fabric>(with)),
        provider(make_rdma_transport(std::make_shared<fake_verbs>(fabric), limits)) {
    params.admin = false;
    params.qid = 1;
    params.queue_size = queue_size;
    params.options.max_in_capsule = 4096;
  }
  ~rdma_pair() { end(); }
  rdma_pair(const rdma_pair&) = delete;
  rdma_pair& operator=(const rdma_pair&) = delete;

  void listen() {
    auto made = provider->listen(
        right, {.host = "fake:here", .port = 0}, params, [this]() -> executor& { return right; },
        [this](qpair q) { controller = std::move(q); });
    REQUIRE(made.has_value());
    passive = std::move(*made);
  }
  // False: it did not come to a connection.
  bool connect() {
    listen();
    provider->connect(left, {.host = "fake:here", .port = 0}, params,
                      [this](auto result) { outcome = std::move(result); });
    time.run_until([&] { return outcome.has_value() && (controller || !*outcome); }, 1min);
    if (!outcome || !*outcome) return false;
    host = std::move((*outcome)->queue);
    host.set_max_in_capsule(4096);
    return static_cast<bool>(controller);
  }
  void start(bool serves = true) {
    if (controller)
      controller.start(
          {.on_receive =
               [this, serves](capsule c) {
                 if (serves) return serve(std::move(c));
                 got.push_back(std::move(c));
               },
           .on_error = [this](const qpair_error& e) { controller_errors.push_back(e); }});
    if (host)
      host.start({.on_receive = [this](capsule) { ++responses; },
                  .on_error = [this](const qpair_error& e) { host_errors.push_back(e); }});
  }
  // A command with data of its own, in `memory`.
  struct command {
    std::vector<std::byte> memory;
    int calls = 0;
    std::size_t bytes = 0;
    std::error_code error{};
    capsule handle{};
    std::function<void()> then{};
  };
  command& send(int code, std::size_t bytes) {
    command& c = commands.emplace_back();
    c.memory.assign(bytes, std::byte{0x5a});
    auto made = host.allocate_command(opcode(code));
    REQUIRE(made.has_value());
    c.handle = std::move(*made);
    if (bytes != 0)
      REQUIRE_FALSE(host.append_data(c.handle, memdesc::of(std::span{c.memory}), bytes,
                                     code == 1 ? direction::send : direction::receive,
                                     [&c](std::size_t n, std::error_code e) {
                                       ++c.calls;
                                       c.bytes = n;
                                       c.error = e;
                                       if (c.then) c.then();
                                     }));
    // On a connection that is gone it stays with its handle.
    static_cast<void>(host.transmit(c.handle));
    return c;
  }
  void run() { time.advance(10s); }
  void respond(std::uint16_t cid) {
    cqe_bytes cqe{};
    cqe[12] = static_cast<std::byte>(cid & 0xff);
    cqe[13] = static_cast<std::byte>(cid >> 8);
    if (auto r = controller.allocate_response(cqe))
      static_cast<void>(controller.transmit_response(std::move(*r)));
  }
  void end() {
    got.clear();
    for (command& c : commands) c.handle.reset();
    outcome.reset();
    host = {};
    controller = {};
    passive.reset();
    run();
  }

  virtual_time time;
  virtual_executor left{time}, right{time};
  std::shared_ptr<fake_fabric> fabric;
  std::shared_ptr<transport> provider;
  qpair_params params;
  std::unique_ptr<listener> passive;
  std::optional<std::expected<connected, connect_error>> outcome;
  qpair host, controller;
  std::deque<command> commands;
  std::deque<capsule> got;
  std::deque<std::vector<std::byte>> fetched;
  int responses = 0, fetches = 0, fetches_ended = 0;
  std::vector<qpair_error> host_errors, controller_errors;

 private:
  void serve(capsule c) {
    const std::uint16_t cid = c.cid();
    const std::uint32_t n = controller.data_length(c);
    const int code = std::to_integer<int>(c.sqe()[0]);
    if (code == 2) {
      std::vector<std::byte> data(n, std::byte{0xc3});
      controller.send_controller_data(c, 0, buffer::copy_of(data));
    }
    if (code != 1) return respond(cid);
    auto& into = fetched.emplace_back(n);
    ++fetches;
    const auto refused = controller.receive_controller_data(
        c, 0, memdesc::of(std::span{into}), n, [this, cid](std::size_t, std::error_code error) {
          ++fetches_ended;
          if (!error && controller) respond(cid);
        });
    if (refused) --fetches;
  }
};

}  // namespace nvmf::test
