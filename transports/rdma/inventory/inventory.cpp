// SPDX-License-Identifier: BSD-2-Clause
#include "inventory.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>

namespace nvmf::rdma {
namespace {

// An Admin Queue of 32 entries, of either end: receives of them all, and for each command one work
// request for the capsule, one that makes a key valid and one that takes it back.
constexpr std::uint32_t entries_least = 32;
constexpr std::uint32_t work_requests_least = entries_least * 3;
constexpr std::uint32_t completions_least = work_requests_least + entries_least;
constexpr std::uint32_t pieces_least = 2;  // a command and the data in its capsule
constexpr std::uint32_t mtu_good = 1024;
// What one I/O queue registers when it has warmed up a little.
constexpr std::uint64_t memlock_good = std::uint64_t{64} << 20;

bool has_address(const port_report& p) {
  return std::ranges::any_of(p.interfaces,
                             [](const auto& i) { return i.up && !i.addresses.empty(); });
}

// Nothing: the port can be used.
std::string obstacle_of(const device_report& d, const port_report& p) {
  if (!p.active)
    return fmt::format("port {} is {}: bring its link up ({})", p.number, p.state,
                       p.interfaces.empty() ? "the cable, or the subnet manager"
                                            : "ip link set " + p.interfaces[0].name + " up");
  if (p.interfaces.empty())
    return fmt::format(
        "port {} has no network interface, and the connection manager finds devices by addresses",
        p.number);
  const auto& first = p.interfaces[0];
  if (std::ranges::all_of(p.interfaces, [](const auto& i) { return i.loopback; }))
    return fmt::format(
        "port {} is on {}, where no route leads to an RDMA device: put it on another interface, a "
        "dummy one will do (rdma link delete {}; ip link add dummy0 type dummy)",
        p.number, first.name, d.name);
  if (!has_address(p))
    return fmt::format(
        "port {}: {} has no address, or is down (ip address add 192.0.2.1/24 dev {})", p.number,
        first.name, first.name);
  if (d.kind == fabric_kind::roce && !p.gids.empty() &&
      std::ranges::none_of(p.gids, [](const gid_report& g) { return g.kind == gid_kind::roce_v2; }))
    return fmt::format("port {} has GIDs of RoCE v1 only, which is not routed by addresses",
                       p.number);
  if (p.gids.empty())
    return fmt::format("port {} has no GID: give {} an address", p.number, first.name);
  return {};
}

void too_little(std::vector<std::string>& found, std::string_view what, std::uint64_t has,
                std::uint64_t needs) {
  if (has < needs) found.push_back(fmt::format("it has {} {}; a queue needs {}", has, what, needs));
}

}  // namespace

std::vector<std::string> obstacles(const device_report& d, const machine_report& m) {
  std::vector<std::string> found;
  if (!m.trouble.empty()) found.push_back(m.trouble);
  if (!d.trouble.empty()) {
    found.push_back(d.trouble);
    return found;
  }
  if (d.kind == fabric_kind::other)
    found.emplace_back("it has no reliable connections: neither InfiniBand, RoCE nor iWARP");
  too_little(found, "queue pairs", d.queue_pairs_max, 1);
  too_little(found, "work requests in a queue", d.work_requests_max, work_requests_least);
  too_little(found, "entries in a completion queue", d.completions_max, completions_least);
  too_little(found, "scatter/gather entries in a work request", d.pieces_max, pieces_least);
  too_little(found, "RDMA READs at a time", std::min(d.reads_in_max, d.reads_out_max), 1);
  std::vector<std::string> of_ports;
  for (const port_report& p : d.ports)
    if (auto why = obstacle_of(d, p); !why.empty()) of_ports.push_back(std::move(why));
  if (d.ports.empty()) found.emplace_back("it has no port");
  // One good port is enough.
  if (!d.ports.empty() && of_ports.size() == d.ports.size())
    found.insert(found.end(), of_ports.begin(), of_ports.end());
  return found;
}

std::vector<std::string> remarks(const device_report& d, const machine_report& m) {
  std::vector<std::string> found;
  if (!obstacles(d, m).empty()) return found;
  for (const port_report& p : d.ports) {
    if (auto why = obstacle_of(d, p); !why.empty())
      found.push_back(std::move(why));
    else if (p.mtu < mtu_good && d.kind != fabric_kind::iwarp)
      found.push_back(fmt::format(
          "port {} carries {} bytes in a packet: an MTU of 4200 or more on {} makes that 4096",
          p.number, p.mtu, p.interfaces[0].name));
  }
  if (d.windows_max == 0)
    found.emplace_back(
        "no memory windows: a controller is shown the key of all registered blocks of its queue");
  if (m.memlock_bytes && *m.memlock_bytes < memlock_good)
    found.push_back(
        fmt::format("{} KiB may be registered at most (ulimit -l): a queue takes up to {} KiB. "
                    "Raise it with LimitMEMLOCK= or in /etc/security/limits.conf",
                    *m.memlock_bytes / 1024, memlock_good / 1024));
  return found;
}

std::string gid_text(const gid_report& g) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (inet_ntop(AF_INET6, g.value.data(), text.data(), text.size()) == nullptr) return {};
  return text.data();
}

const char* kind_name(fabric_kind k) {
  switch (k) {
    case fabric_kind::infiniband:
      return "InfiniBand";
    case fabric_kind::roce:
      return "RoCE";
    case fabric_kind::iwarp:
      return "iWARP";
    case fabric_kind::other:
      break;
  }
  return "unknown";
}

const char* kind_name(gid_kind k) {
  switch (k) {
    case gid_kind::roce_v1:
      return "RoCE v1";
    case gid_kind::roce_v2:
      return "RoCE v2";
    case gid_kind::infiniband:
      break;
  }
  return "GID";
}

}  // namespace nvmf::rdma
