// SPDX-License-Identifier: BSD-2-Clause
// One connection for whoever has its bytes as they were sent, and no packets: a proxy, the inside
// of our own ends. What is NVMe is found as in a capture, and who wants packets gets made ones.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <vector>

#include "capture/packet_maker.hpp"
#include "tracer.hpp"

namespace nvmf::trace {

class byte_stream {
 public:
  // `host` opened the connection; both are of one family. The tracer outlives this.
  byte_stream(tracer& of, const endpoint& host, const endpoint& controller,
              packet_maker_options packets = {});
  byte_stream(const byte_stream&) = delete;
  byte_stream& operator=(const byte_stream&) = delete;

  static constexpr unsigned host_end = 0, controller_end = 1;
  // The next bytes of an end, an answer after its question. `at.packet` is the caller's count.
  // Borrowed.
  void bytes(unsigned from, byte_span bytes, const stamp& at) {
    pieces(from, std::span<const byte_span>{&bytes, 1}, at);
  }
  // The same in pieces; a packet that is made of them begins with the first.
  void pieces(unsigned from, std::span<const byte_span> pieces, const stamp& at);
  // So many bytes stood here that the caller does not have.
  void absent(unsigned from, std::uint64_t bytes, const stamp& at);
  // An end sends no more; or, with `reset`, lets go of everything.
  void leave(unsigned from, bool reset, const stamp& at);
  // The last. `closed`: by the ends, not because nobody looks any more.
  void close(const stamp& at, bool closed);

  watched_flow::kind what() const { return flow_.what(); }

 private:
  void count(std::uint64_t bytes, const stamp& at);
  // Packets are wanted, and it is NVMe; what was said before that was known has been put out.
  bool packets_wanted(unsigned from, const stamp& at);

  tracer& of_;
  watched_flow flow_;
  packet_place place_;  // of the packets that are made
  std::optional<packet_maker> packets_;
  std::array<std::vector<std::byte>, 2> early_;  // while it is not known whether it is NVMe
};

}  // namespace nvmf::trace
