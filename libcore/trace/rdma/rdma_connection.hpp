// SPDX-License-Identifier: BSD-2-Clause
// One queue pair of NVMe/RDMA, both of its directions: capsules in SENDs, data by READ and WRITE of
// the controller, told in the terms of NVMe/TCP (rdma_facts.hpp).
#pragma once

#include <array>
#include <memory_resource>
#include <unordered_map>
#include <vector>

#include "rc_stream.hpp"
#include "rdma_facts.hpp"
#include "trace/conversation/connection.hpp"
#include "wire/tables.hpp"

namespace nvmf::trace {

class rdma_connection final : public connection {
 public:
  // READs that are not answered yet; keys that commands have given.
  static constexpr std::size_t reads_max = 4096;

  rdma_connection(std::uint32_t number, const endpoint& host, const endpoint& controller,
                  const stamp& begun, const conversation_options& options, command_budget& budget,
                  listener& to);

  // What the connection manager said: the private data of its message, as it is.
  void on_private_data(way going, const wire::layout& form, byte_span data, std::uint16_t reason,
                       const stamp& at);
  // The queue pair that it goes to, the first number of what an end sends, and the path's MTU (0:
  // not known).
  void expect(way going, std::uint32_t qp, std::uint32_t psn, std::uint32_t mtu);
  void take(way going, const roce_packet& p, const stamp& at);
  void close(const stamp& at, bool closed);
  std::uint64_t sent_again() const;
  // No message of that direction is left open, nor the answer to a READ.
  bool between_messages(way w) const;

 private:
  // A message that comes in several packets.
  struct message {
    bool open = false, broken = false;
    rdma_operation operation = rdma_operation::send;
    std::uint32_t psn = 0, key = 0, length = 0;
    std::uint64_t address = 0, bytes = 0, missing = 0;
    std::optional<std::uint32_t> invalidated = {};
    stamp begun = {};
    std::size_t keep = 0;
    std::vector<std::byte> kept = {};  // its first bytes
  };
  struct read {
    std::uint32_t first_psn = 0, packets = 0, next = 0;  // `next`: packets that have come
    message data;
  };
  struct direction final : rc_sink {
    void on_request(const roce_packet& p, const stamp& at) override;
    void on_requests_lost(const stamp& at) override;
    rdma_connection* of = nullptr;
    way going = way::to_controller;
    std::uint32_t qp = 0;  // that it goes to
    rc_stream stream;
    message open;
    std::vector<read> reads;  // by this end, in the order of their numbers
  };

  direction& of(way w) { return ways_[static_cast<std::size_t>(w)]; }
  void on_request(direction& d, const roce_packet& p, const stamp& at);
  void on_read_response(direction& d, const roce_packet& p, const stamp& at);
  void add(message& m, const roce_packet& p);
  void take_message(way going, message& m, const stamp& at);
  void take_command(message& m, const stamp& at);
  void take_response(message& m, const stamp& at);
  void take_read(direction& d, const roce_packet& p, const stamp& at);
  void take_data(way going, message& m, const stamp& at);
  rdma_facts facts_of(way to, const message& m) const;
  command* command_of(std::uint32_t key, std::uint64_t address, std::uint64_t& offset);
  void add_keys(std::uint16_t cid, byte_span sqe, byte_span in_capsule);
  void forget_key(std::uint32_t key, std::uint16_t cid);
  void forget_keys(const command& c);
  std::size_t wanted(const message& m);
  pdu unit(wire::pdu_type type, way going, const stamp& begun, const stamp& at,
           const rdma_facts& facts);

  struct region {
    std::uint16_t cid = 0;
    std::uint64_t address = 0;
    std::uint32_t length = 0;
    std::uint64_t offset = 0;  // in the data of the command
  };
  conversation_options options_;
  std::array<direction, 2> ways_;
  // Nodes are used again: who allocates is the depth of the queue, not the command.
  std::pmr::unsynchronized_pool_resource pool_;
  // One key may stand for all memory of a host, and then for many commands at once.
  std::pmr::unordered_multimap<std::uint32_t, region> keys_{&pool_};
  std::array<std::byte, 72> header_{};
};

}  // namespace nvmf::trace
