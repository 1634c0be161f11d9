// SPDX-License-Identifier: BSD-2-Clause
// Two queue pairs that talk, packet by packet.
#pragma once

#include <algorithm>

#include "roce.hpp"
#include "trace/tracer.hpp"

namespace nvmf::test {

inline octets udp_of(const octets& payload) {
  octets b;
  be(b, 49152, 2);
  be(b, 4791, 2);
  be(b, payload.size() + 8, 2);
  be(b, 0, 2);
  return add(b, payload);
}

// Queue pair 17 of the host 10.0.0.1, 18 of the controller 10.0.0.2; numbers begin at 1000 and
// 5000.
struct fabric_tap {
  explicit fabric_tap(trace::listener& to) : tracer({}, to) {}

  void show(bool to_controller, const octets& payload, std::size_t snap = 1u << 20) {
    const std::uint32_t host = 0x0a000001, controller = 0x0a000002;
    const octets frame =
        ethernet(0x0800, ipv4_bytes(to_controller ? host : controller,
                                    to_controller ? controller : host, 17, udp_of(payload)));
    at += 1000;
    tracer.take({.bytes = std::span{frame}.first(std::min(frame.size(), snap)),
                 .wire_bytes = static_cast<std::uint32_t>(frame.size()),
                 .link = 1,
                 .at = {at, ++number}});
  }
  void host(const octets& payload) { show(true, payload); }
  void controller(const octets& payload) { show(false, payload); }
  void open(std::uint16_t port = 4420) {
    host(cm_request(7 + base, host_qp(), 5000, port));
    controller(cm_reply(8 + base, 7 + base, controller_qp(), 1000));
    host(cm_plain(0x14, 7 + base, 8 + base));
  }
  // What follows is of other queue pairs, with numbers that begin anew.
  void go_to(std::uint32_t other_base) {
    base = other_base;
    psn[0] = 1000;
    psn[1] = 5000;
  }
  std::uint32_t host_qp() const { return 17 + base; }
  std::uint32_t controller_qp() const { return 18 + base; }
  // SEND only.
  void command(const octets& sqe) { host(rdma_send(0x04, controller_qp(), psn[0]++, sqe)); }
  void response(const octets& cqe) { controller(rdma_send(0x04, host_qp(), psn[1]++, cqe)); }

  trace::tracer tracer;
  std::uint32_t base = 0;
  std::uint32_t psn[2] = {1000, 5000};
  std::int64_t at = 0;
  std::uint64_t number = 0;
};

}  // namespace nvmf::test
