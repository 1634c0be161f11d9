// SPDX-License-Identifier: BSD-2-Clause
// Finds the NVMe/RDMA connections among the packets of RoCEv2: by the messages of the connection
// manager, which tell both queue pairs. On ports where NVMe is expected at once, on others by a
// Connect as the first capsule. What was set up before the capture began is counted.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <unordered_map>

#include "cm_message.hpp"
#include "rdma_connection.hpp"
#include "trace/capture/segment.hpp"
#include "trace/conversation/packet_place.hpp"

namespace nvmf::trace {

inline constexpr std::size_t rdma_links_max = 4096;

struct rdma_counts {
  std::uint64_t packets = 0;
  std::uint64_t connections = 0;  // NVMe
  std::uint64_t unknown = 0;      // of queue pairs that no message of the capture tells
  std::uint64_t other = 0;        // of connections that are not NVMe
  std::uint64_t malformed = 0;
  std::uint64_t sent_again = 0;
};

class rdma_tracer {
 public:
  // `expected`: is NVMe on that port? `number`: of the next connection.
  struct surroundings {
    std::function<bool(std::uint16_t)> expected;
    std::function<std::uint32_t()> number;
    const conversation_options& conversation;
    command_budget& commands;
    listener& to;
  };
  explicit rdma_tracer(surroundings with) : with_(std::move(with)) {}
  rdma_tracer(const rdma_tracer&) = delete;
  rdma_tracer& operator=(const rdma_tracer&) = delete;

  // Of a datagram to the port of RoCEv2. Its connection, when that is NVMe.
  packet_place take(const datagram& d, const stamp& at);
  void finish(const stamp& at);
  const rdma_counts& counts() const { return counts_; }

 private:
  // Two queue pairs that the connection manager joined.
  struct link {
    std::uint64_t serial = 0;
    endpoint host, controller;  // with the ports of the IP service
    std::uint32_t ids[2] = {};  // of the host, of the controller
    std::uint32_t qps[2] = {};
    std::uint32_t psns[2] = {};  // where the other end begins
    std::uint32_t mtu = 0;
    bool replied = false, other = false;
    // Private data of request and reply, until it is known what they are.
    std::array<std::byte, 32> request{}, reply{};
    std::size_t request_bytes = 0, reply_bytes = 0;
    stamp requested, answered;
    std::unique_ptr<rdma_connection> nvme;
  };
  struct place {
    std::uint64_t serial = 0;
    way going = way::to_controller;
  };
  // An address and a number at it: of a queue pair, of a connection manager.
  struct key {
    std::array<std::byte, 16> address{};
    std::uint32_t number = 0;
    friend auto operator<=>(const key&, const key&) = default;
  };
  static key key_of(const endpoint& e, std::uint32_t number) { return {e.address, number}; }

  packet_place take_cm(const cm_message& m, const datagram& d, const stamp& at);
  packet_place take_request(const cm_message& m, const datagram& d, const stamp& at);
  packet_place take_reply(const cm_message& m, const datagram& d, const stamp& at);
  packet_place take_reject(const cm_message& m, const datagram& d, const stamp& at);
  // Of a message of the connection manager.
  static packet_place place_of(const link* l, const datagram& d, bool ends = false);
  link* find(const std::map<key, std::uint64_t>& in, const key& k);
  void recognise(link& l);
  void end(std::uint64_t serial, const stamp& at, bool closed);

  surroundings with_;
  rdma_counts counts_;
  std::uint64_t serials_ = 0;
  std::map<std::uint64_t, link> links_;              // oldest first
  std::map<key, std::uint64_t> requests_, replies_;  // by the ID of who sent them
  std::map<key, place> qps_;                         // by where packets go
};

}  // namespace nvmf::trace
