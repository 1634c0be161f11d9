// SPDX-License-Identifier: BSD-2-Clause
// What RDMA this machine has, and what of it serves NVMe over Fabrics. Looking is one thing (by
// rdma-core; a build without it finds nothing and says so), judging another.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <vector>

namespace nvmf::rdma {

enum class fabric_kind : std::uint8_t { infiniband, roce, iwarp, other };
enum class gid_kind : std::uint8_t { infiniband, roce_v1, roce_v2 };

struct gid_report {
  std::uint32_t index = 0;
  gid_kind kind = gid_kind::infiniband;
  std::array<std::byte, 16> value{};
  std::string interface{};  // network device; empty: none
};

struct port_report {
  std::uint32_t number = 1;
  std::string state{};  // "active"
  bool active = false;
  std::uint32_t mtu = 0;      // bytes of payload in a packet, now
  std::uint32_t mtu_max = 0;  // that the port can
  std::vector<gid_report> gids{};
  // Network devices of this port and their addresses: where `serve` may listen.
  struct interface {
    std::string name{};
    bool up = false;
    bool loopback = false;
    std::vector<std::string> addresses{};
  };
  std::vector<interface> interfaces{};
};

struct device_report {
  std::string name{};       // "rxe0"
  std::string node_guid{};  // "0002:c903:00ab:cdef"
  std::string firmware{};
  fabric_kind kind = fabric_kind::other;
  std::string trouble{};  // it could not be looked at: why, and what to do; the rest is not known
  std::uint64_t region_bytes_max = 0;  // of one registration
  std::uint32_t queue_pairs_max = 0;
  std::uint32_t work_requests_max = 0;  // of one queue
  std::uint32_t completions_max = 0;    // entries of one completion queue
  std::uint32_t pieces_max = 0;         // scatter/gather entries of a work request
  std::uint32_t reads_in_max = 0;       // RDMA READs of the peer's at a time, on a queue pair
  std::uint32_t reads_out_max = 0;      // of ours
  std::uint32_t windows_max = 0;        // memory windows; 0: the device has none
  std::uint32_t shared_queues_max = 0;  // shared receive queues
  std::vector<port_report> ports{};
};

struct machine_report {
  std::vector<device_report> devices{};
  std::string trouble{};                         // the connection manager cannot be used, and why
  std::optional<std::uint64_t> memlock_bytes{};  // that may be registered; nothing: any number
};

// The error is a sentence on why nothing can be seen at all, and what to do.
std::expected<machine_report, std::string> look();
bool have_rdma_core();

// Why NVMe over Fabrics does not work there, each with what to do; empty: it does.
std::vector<std::string> obstacles(const device_report& d, const machine_report& m);
// It works, but.
std::vector<std::string> remarks(const device_report& d, const machine_report& m);

std::string gid_text(const gid_report& g);  // as an address: "fe80::1", "::ffff:192.0.2.1"
const char* kind_name(fabric_kind k);
const char* kind_name(gid_kind k);

}  // namespace nvmf::rdma
