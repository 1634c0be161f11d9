// SPDX-License-Identifier: BSD-2-Clause
// The discovery log page (Base 2.0, 5.16.1.23): one record per subsystem that the asking host may
// use and port that serves it, with addresses that the asking host can reach.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace nvmf::engine {

// Something that is listened on. A port that serves the discovery service only is not listed.
struct discovery_port {
  std::uint8_t trtype = 0;
  std::string address;  // numeric, IPv6 without brackets; loop: the name
  std::uint16_t port = 0;
  std::uint16_t portid = 0;
};
struct discovery_subsystem {
  std::string nqn;
  std::vector<std::string> allowed_hosts;  // empty: any
  bool static_model = false;
};
// What the log is made of, at one generation.
struct discovery_source {
  std::uint64_t generation = 0;
  std::vector<discovery_port> ports;
  std::vector<discovery_subsystem> subsystems;
};

bool host_allowed(std::span<const std::string> allowed_hosts, std::string_view host_nqn);

// "127.0.0.1:4420" and "[::1]:4420" to the address; anything else stays as it is.
std::string_view address_of(std::string_view address_and_port);

// `asked_on`: the local address of the connection that asks ("127.0.0.1:4420"). It stands in for
// the address of ports that listen on every address.
std::vector<std::byte> discovery_page(const discovery_source& source, std::string_view host_nqn,
                                      std::string_view asked_on);

}  // namespace nvmf::engine
