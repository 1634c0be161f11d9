// SPDX-License-Identifier: BSD-2-Clause
// Reads the classic pcap files of tests/golden/captures: Ethernet, IPv4, TCP, no loss, in order
// (they were taken on a loopback interface). Anything else is refused, not guessed at.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <vector>

namespace nvmf::test {

// One direction of one TCP connection.
struct tcp_stream {
  std::uint16_t from_port = 0;
  std::uint16_t to_port = 0;
  std::vector<std::byte> bytes;
};
// Both directions of one connection, the side of `server_port` second.
struct tcp_conversation {
  tcp_stream to_server;
  tcp_stream to_client;
};

std::expected<std::vector<tcp_conversation>, std::string> read_pcap(const std::string& path,
                                                                    std::uint16_t server_port);

}  // namespace nvmf::test
