// SPDX-License-Identifier: BSD-2-Clause
// A target over a fake transport in virtual time, and hosts that speak to it in raw bytes.
#pragma once

#include <nvmf/target.hpp>
#include <string>
#include <vector>

#include "fake_transport.hpp"
#include "virtual_executor.hpp"

namespace nvmf::test {

inline constexpr std::string_view sub_nqn = "nqn.2026-11.io.example:one";
inline constexpr std::string_view host_a = "nqn.2026-11.io.example:host-a";
inline constexpr std::string_view host_b = "nqn.2026-11.io.example:host-b";
inline constexpr std::string_view discovery_nqn = "nqn.2014-08.org.nvmexpress.discovery";

struct target_fixture {
  virtual_time time;
  virtual_executor first{time}, second{time};
  transport_registry registry;
  std::shared_ptr<fake_transport> net = std::make_shared<fake_transport>();
  std::vector<std::string> notices;
  bool admits = true;
  std::unique_ptr<target> t;

  explicit target_fixture(target_limits limits = {}, subsystem_options options = {}) {
    registry.add(net);
    t = target::make(registry, {&first, &second}, limits, nullptr,
                     {.on_notice = [this](std::string_view n) { notices.emplace_back(n); },
                      .may_admit = [this] { return admits; }});
    options.nqn = sub_nqn;
    const auto added = t->add_subsystem(options);
    assert(added);
    const auto port = t->listen({.transport = "tcp", .at = {"192.0.2.2", 4420}});
    assert(port);
  }

  void run() { time.run(); }

  // Delivers a command and runs until nothing is left to do now.
  void submit(const std::shared_ptr<fake_wire>& w, const raw_sqe& s,
              std::vector<std::byte> in_capsule = {}) {
    post_command(w, s, std::move(in_capsule));
    run();
  }
  // Delivers it when its executor comes to it.
  void post_command(const std::shared_ptr<fake_wire>& w, const raw_sqe& s,
                    std::vector<std::byte> in_capsule = {}) {
    if (w->queue == nullptr) return;
    w->queue->who().runs_on->post([w, s, data = std::move(in_capsule)]() mutable {
      if (w->queue != nullptr) w->queue->deliver(s, std::move(data));
    });
  }
  void break_down(const std::shared_ptr<fake_wire>& w, qpair_error e) {
    w->queue->who().runs_on->post([w, e] {
      if (w->queue != nullptr) w->queue->fail(e);
    });
    run();
  }

  // Connect with its data in the capsule (SGL 01h: data block, offset).
  std::shared_ptr<fake_wire> connect(std::uint16_t qid, std::uint16_t sqsize, std::uint16_t cntlid,
                                     std::string_view host = host_a, std::string_view sub = sub_nqn,
                                     std::uint32_t kato_ms = 0, std::uint8_t cattr = 0,
                                     std::size_t listener = 0) {
    auto w = net->arrive(listener);
    run();
    submit(w, with(connect_sqe(1, qid, sqsize, kato_ms, cattr), 39, 1, 0x01),
           connect_bytes(cntlid, sub, host));
    return w;
  }

  struct association {
    std::shared_ptr<fake_wire> admin;
    std::vector<std::shared_ptr<fake_wire>> io;
    std::uint16_t cntlid = 0;
  };
  // Admin queue, enabled, Number of Queues asked, `queues` I/O queues of 128 entries.
  association bring_up(std::uint16_t queues, std::string_view host = host_a,
                       std::uint32_t kato_ms = 0, std::uint8_t cattr = 0) {
    association a;
    a.admin = connect(0, 31, 0xffff, host, sub_nqn, kato_ms, cattr);
    a.cntlid = static_cast<std::uint16_t>(a.admin->dw0(1) & 0xffff);
    submit(a.admin, property_set_sqe(2, 0x14, cc_enabled));
    submit(a.admin, with(with(sqe(0x09, 3), 40, 4, 0x07), 44, 4, 0x003f'003f));
    for (std::uint16_t q = 1; q <= queues; ++q)
      a.io.push_back(connect(q, 127, a.cntlid, host, sub_nqn, 0, cattr));
    a.admin->responses.clear();
    for (auto& q : a.io) q->responses.clear();
    return a;
  }
};

}  // namespace nvmf::test
