// SPDX-License-Identifier: BSD-2-Clause
// One entry of a discovery log as a host would use it, and what keeps a host from using it.
#pragma once

#include <nvmf/host.hpp>
#include <string>
#include <vector>

#include "wire/uri.hpp"

namespace nvmf::cli {

struct discovery_view {
  std::string transport;  // "tcp", "0x07" when no table has it
  std::string family;     // "ipv4"
  std::string subsystem;  // "nvm", "referral", "current-discovery"
  std::string address, service, nqn;
  std::uint16_t port_id = 0;
  std::uint16_t cntlid = 0;
  std::string secure_channel;  // "required" ...
  std::string uri;             // what connect and discover take; empty when it cannot be used
  // Why no host, or not this one, can use the entry; one phrase each.
  std::vector<std::string> problems;
};

// Nothing of the entry is trusted: text of any bytes, addresses of the wrong family. `via`: how the
// log was read; who came over a network cannot reach what is within the target's program.
discovery_view view_of(const discovery_entry& entry,
                       wire::uri_transport via = wire::uri_transport::tcp);

}  // namespace nvmf::cli
