// SPDX-License-Identifier: BSD-2-Clause
// The requests of one direction of a reliable connection in the order of their packet sequence
// numbers, once each. A packet that is sent again, because the receiver said that one is missing or
// was not ready, is told from one that the capture does not have.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "roce_packet.hpp"

namespace nvmf::trace {

class rc_sink {
 public:
  virtual ~rc_sink() = default;
  virtual void on_request(const roce_packet& p, const stamp& at) = 0;
  // Packets stood here that are not in the capture.
  virtual void on_requests_lost(const stamp& at) = 0;
};

class rc_stream {
 public:
  // Packets behind a hole.
  static constexpr std::size_t held_max = 64;

  rc_stream() = default;
  // `next`: the first number, when the connection manager told it; `mtu`: of the path, 0: unknown.
  void begin(std::uint32_t next, std::uint32_t mtu);
  void take(const roce_packet& p, const stamp& at, rc_sink& to);
  // The receiver has said so of `psn`.
  void answered(std::uint32_t psn, rdma_answer what, rc_sink& to);
  // No more will come.
  void finish(rc_sink& to);

  std::uint64_t sent_again() const { return sent_again_; }
  // How many numbers a READ of that length takes.
  std::uint32_t packets_of(std::uint32_t length) const;

 private:
  struct held {
    roce_packet packet;  // its payload is below
    std::vector<std::byte> payload;
    stamp at;
  };
  void pass(const roce_packet& p, const stamp& at, rc_sink& to);
  void drain(rc_sink& to);
  void give_up(rc_sink& to);

  std::optional<std::uint32_t> next_;
  std::uint32_t mtu_ = 0;
  std::vector<held> held_;
  std::uint64_t sent_again_ = 0;
};

}  // namespace nvmf::trace
