// SPDX-License-Identifier: BSD-2-Clause
// A controller with made-up surroundings, and a host that speaks to it in raw bytes.
#pragma once

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

#include "engine/controller/controller.hpp"
#include "support/raw_bytes.hpp"

namespace nvmf::test {

struct engine_host : engine::surroundings {
  time_point now{std::chrono::hours(1)};
  std::vector<engine::namespace_view> all{{1, 2048, 512, false, true}, {3, 64, 4096, true, false}};
  engine::io_counters io{};
  bool traffic = false;
  std::vector<std::byte> log = std::vector<std::byte>(1024);
  engine::controller c;
  std::uint16_t last_cid = 100;

  explicit engine_host(engine::controller_config config = io_config()) : c(config, *this, now) {}

  static engine::controller_config io_config() {
    engine::controller_config k;
    k.cntlid = 7;
    k.subsystem_nqn = "nqn.2026-11.io.example:one";
    k.host_nqn = "nqn.2026-11.io.example:host";
    k.host.fill(std::byte{0x11});
    k.serial = "SN1";
    k.model = "Model";
    k.firmware = "1.2";
    k.io_queues_max = 4;
    k.io_queue_entries_max = 128;
    k.mdts = 5;
    k.in_capsule_bytes = 8192;
    k.offset_sgl = true;
    k.kato_max_ms = 60'000;
    k.trtype = 3;
    return k;
  }
  static engine::controller_config discovery_config() {
    auto k = io_config();
    k.kind = engine::controller_kind::discovery;
    k.subsystem_nqn = "nqn.2014-08.org.nvmexpress.discovery";
    return k;
  }

  std::span<const engine::namespace_view> namespaces() const override { return all; }
  engine::io_counters counters() const override { return io; }
  bool io_traffic() override { return std::exchange(traffic, false); }
  std::vector<std::byte> discovery_log() const override { return log; }

  engine::answer send(const raw_sqe& s) {
    return c.on_command(s, static_cast<std::uint32_t>(peek(s, 32, 4)), now);
  }
  // SCT and SC.
  unsigned status(const raw_sqe& s) { return send(s).status.raw_code(); }
  void enable() { REQUIRE(status(property_set_sqe(1, 0x14, cc_enabled)) == 0); }
  std::uint32_t csts() { return send(property_get_sqe(1, 0x1c)).dw0; }

  engine::answer identify(std::uint8_t cns, std::uint32_t nsid = 0, std::uint32_t length = 4096) {
    return send(with(sqe(0x06, ++last_cid, nsid, length), 40, 1, cns));
  }
  engine::answer log_page(std::uint8_t lid, std::uint64_t offset, std::uint32_t bytes,
                          bool retain = false) {
    raw_sqe s = sqe(0x02, ++last_cid, 0, bytes);
    put(s, 40, 1, lid);
    put(s, 41, 1, retain ? 0x80 : 0);
    put(s, 42, 2, (bytes / 4 - 1) & 0xffff);
    put(s, 44, 2, (bytes / 4 - 1) >> 16);
    put(s, 48, 8, offset);
    return send(s);
  }
  engine::answer get_feature(std::uint8_t fid, std::uint8_t select = 0, std::uint32_t cdw11 = 0,
                             std::uint32_t nsid = 0, std::uint32_t length = 16) {
    raw_sqe s = sqe(0x0a, ++last_cid, nsid, length);
    put(s, 40, 1, fid);
    put(s, 41, 1, select);
    put(s, 44, 4, cdw11);
    return send(s);
  }
  engine::answer set_feature(std::uint8_t fid, std::uint32_t cdw11, std::uint32_t nsid = 0) {
    raw_sqe s = sqe(0x09, ++last_cid, nsid);
    put(s, 40, 1, fid);
    put(s, 44, 4, cdw11);
    return send(s);
  }
  engine::connect_request io_request(std::uint16_t qid) const {
    return {.qid = qid,
            .queue_size = 128,
            .host = c.config().host,
            .cntlid = 7,
            .subsystem_nqn = c.config().subsystem_nqn,
            .host_nqn = c.config().host_nqn};
  }
  unsigned join(std::uint16_t qid) {
    const auto ok = c.on_io_connect(io_request(qid));
    return ok ? 0 : ok.error().status.raw_code();
  }
  // Every wish that is due, oldest first.
  std::vector<engine::wish> wishes() {
    std::vector<engine::wish> w;
    while (auto next = c.next_wish()) w.push_back(*next);
    return w;
  }
  bool ended() {
    for (const auto& w : wishes())
      if (w.what == engine::wish::kind::end_association) return true;
    return false;
  }
  void pass(duration d) {
    now += d;
    c.on_time(now);
  }
};

}  // namespace nvmf::test
