// SPDX-License-Identifier: BSD-2-Clause
// The devices of this machine, by libibverbs; their addresses, by the kernel's list of them.
#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <ifaddrs.h>
#include <infiniband/verbs.h>
#include <net/if.h>
#include <netpacket/packet.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <system_error>

#include "inventory.hpp"

namespace nvmf::rdma {
namespace {

template <auto Free>
struct freed_by {
  template <class T>
  void operator()(T* p) const {
    static_cast<void>(Free(p));
  }
};
using address_list = std::unique_ptr<ifaddrs, freed_by<freeifaddrs>>;
using open_device = std::unique_ptr<ibv_context, freed_by<ibv_close_device>>;
using device_list = std::unique_ptr<ibv_device*, freed_by<ibv_free_device_list>>;

constexpr const char* cm_file = "/dev/infiniband/rdma_cm";

std::string words_of(int error) { return std::generic_category().message(error); }

std::string cannot_open(const std::string& file, int error) {
  if (error == EACCES || error == EPERM)
    return fmt::format("{} may not be opened: {} (its group, often rdma, may; or run as root)",
                       file, words_of(error));
  return fmt::format("{} could not be opened: {}", file, words_of(error));
}

std::string trouble_with_cm() {
  const int file = ::open(cm_file, O_RDWR | O_CLOEXEC);
  if (file < 0) {
    const int error = errno;
    if (error == ENOENT || error == ENODEV || error == ENXIO)
      return fmt::format("there is no {}: load the module rdma_ucm (modprobe rdma_ucm)", cm_file);
    return cannot_open(cm_file, error);
  }
  ::close(file);
  return {};
}

std::optional<std::uint64_t> memlock() {
  rlimit limit{};
  if (getrlimit(RLIMIT_MEMLOCK, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
    return std::nullopt;
  return limit.rlim_cur;
}

std::string guid_text(std::uint64_t big_endian) {
  std::array<unsigned char, 8> b{};
  std::copy_n(reinterpret_cast<const unsigned char*>(&big_endian), 8, b.begin());
  return fmt::format("{:02x}{:02x}:{:02x}{:02x}:{:02x}{:02x}:{:02x}{:02x}", b[0], b[1], b[2], b[3],
                     b[4], b[5], b[6], b[7]);
}

const char* state_name(ibv_port_state s) {
  switch (s) {
    case IBV_PORT_DOWN:
      return "down";
    case IBV_PORT_INIT:
      return "initializing";
    case IBV_PORT_ARMED:
      return "armed";
    case IBV_PORT_ACTIVE:
      return "active";
    case IBV_PORT_ACTIVE_DEFER:
      return "active, deferred";
    default:
      return "in no known state";
  }
}

// 1 is 256 bytes, 5 is 4096.
std::uint32_t mtu_bytes(ibv_mtu m) {
  return m >= IBV_MTU_256 && m <= IBV_MTU_4096 ? 128u << static_cast<unsigned>(m) : 0;
}

std::string address_text(const sockaddr* a) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const void* bytes = nullptr;
  if (a->sa_family == AF_INET) bytes = &reinterpret_cast<const sockaddr_in*>(a)->sin_addr;
  if (a->sa_family == AF_INET6) bytes = &reinterpret_cast<const sockaddr_in6*>(a)->sin6_addr;
  if (bytes == nullptr || inet_ntop(a->sa_family, bytes, text.data(), text.size()) == nullptr)
    return {};
  return text.data();
}

port_report::interface interface_named(const std::string& name, const ifaddrs* all) {
  port_report::interface found{.name = name};
  for (const ifaddrs* a = all; a != nullptr; a = a->ifa_next) {
    if (name != a->ifa_name) continue;
    found.up = (a->ifa_flags & IFF_UP) != 0;
    found.loopback = (a->ifa_flags & IFF_LOOPBACK) != 0;
    if (a->ifa_addr == nullptr) continue;
    if (auto text = address_text(a->ifa_addr); !text.empty())
      found.addresses.push_back(std::move(text));
  }
  return found;
}

gid_kind kind_of(std::uint32_t gid_type) {
  if (gid_type == IBV_GID_TYPE_ROCE_V2) return gid_kind::roce_v2;
  return gid_type == IBV_GID_TYPE_ROCE_V1 ? gid_kind::roce_v1 : gid_kind::infiniband;
}

void add_gids(ibv_context* device, port_report& port, int entries) {
  for (int i = 0; i < entries; ++i) {
    ibv_gid_entry e{};
    if (ibv_query_gid_ex(device, port.number, static_cast<std::uint32_t>(i), &e, 0) != 0) continue;
    gid_report g{.index = static_cast<std::uint32_t>(i), .kind = kind_of(e.gid_type)};
    std::copy_n(reinterpret_cast<const std::byte*>(e.gid.raw), g.value.size(), g.value.begin());
    std::array<char, IF_NAMESIZE> name{};
    if (e.ndev_ifindex != 0 && if_indextoname(e.ndev_ifindex, name.data()) != nullptr)
      g.interface = name.data();
    port.gids.push_back(std::move(g));
  }
}

// The GID of an iWARP device begins with the hardware address of its interface, which is all that
// older kernels tell.
std::string interface_at(const gid_report& g, const ifaddrs* all) {
  for (const ifaddrs* a = all; a != nullptr; a = a->ifa_next) {
    if (a->ifa_addr == nullptr || a->ifa_addr->sa_family != AF_PACKET) continue;
    const auto* link = reinterpret_cast<const sockaddr_ll*>(a->ifa_addr);
    if (link->sll_halen != 6) continue;
    if (std::memcmp(link->sll_addr, g.value.data(), 6) == 0) return a->ifa_name;
  }
  return {};
}

void add_interfaces(device_report& of, port_report& port, const ifaddrs* all) {
  for (gid_report& g : port.gids) {
    if (g.interface.empty() && of.kind == fabric_kind::iwarp) g.interface = interface_at(g, all);
    const auto same = [&](const auto& i) { return i.name == g.interface; };
    if (!g.interface.empty() && std::ranges::none_of(port.interfaces, same))
      port.interfaces.push_back(interface_named(g.interface, all));
  }
}

fabric_kind kind_of(const ibv_device* device, bool ethernet) {
  if (device->transport_type == IBV_TRANSPORT_IWARP) return fabric_kind::iwarp;
  if (device->transport_type != IBV_TRANSPORT_IB) return fabric_kind::other;
  return ethernet ? fabric_kind::roce : fabric_kind::infiniband;
}

std::uint32_t unsigned_of(int n) { return n < 0 ? 0u : static_cast<std::uint32_t>(n); }

void take_limits(device_report& r, const ibv_device_attr& a) {
  r.firmware = std::string(a.fw_ver, strnlen(a.fw_ver, sizeof a.fw_ver));
  r.region_bytes_max = a.max_mr_size;
  r.queue_pairs_max = unsigned_of(a.max_qp);
  r.work_requests_max = unsigned_of(a.max_qp_wr);
  r.completions_max = unsigned_of(a.max_cqe);
  r.pieces_max = unsigned_of(a.max_sge);
  r.reads_in_max = unsigned_of(a.max_qp_rd_atom);
  r.reads_out_max = unsigned_of(a.max_qp_init_rd_atom);
  r.windows_max =
      (a.device_cap_flags & IBV_DEVICE_MEM_WINDOW_TYPE_2B) != 0 ? unsigned_of(a.max_mw) : 0;
  r.shared_queues_max = unsigned_of(a.max_srq);
}

device_report look_at(ibv_device* device, const ifaddrs* addresses) {
  device_report r{.name = ibv_get_device_name(device),
                  .node_guid = guid_text(ibv_get_device_guid(device)),
                  .kind = kind_of(device, false)};
  const std::string file = fmt::format("/dev/infiniband/{}", device->dev_name);
  errno = 0;
  const open_device opened(ibv_open_device(device));
  if (!opened) {
    // libibverbs looks elsewhere when it may not, and tells of what it did not find there.
    const int error = errno;
    r.trouble = cannot_open(file, ::access(file.c_str(), R_OK | W_OK) == 0 ? error : errno);
    return r;
  }
  ibv_device_attr attributes{};
  if (const int error = ibv_query_device(opened.get(), &attributes); error != 0) {
    r.trouble = fmt::format("it does not say what it can: {}", words_of(error));
    return r;
  }
  take_limits(r, attributes);
  for (std::uint8_t n = 1; n <= attributes.phys_port_cnt; ++n) {
    ibv_port_attr a{};
    if (ibv_query_port(opened.get(), n, &a) != 0) continue;
    port_report port{.number = n,
                     .state = state_name(a.state),
                     .active = a.state == IBV_PORT_ACTIVE,
                     .mtu = mtu_bytes(a.active_mtu),
                     .mtu_max = mtu_bytes(a.max_mtu)};
    r.kind = kind_of(device, a.link_layer == IBV_LINK_LAYER_ETHERNET);
    add_gids(opened.get(), port, a.gid_tbl_len);
    add_interfaces(r, port, addresses);
    r.ports.push_back(std::move(port));
  }
  return r;
}

}  // namespace

std::expected<machine_report, std::string> look() {
  int count = 0;
  errno = 0;
  const device_list devices(ibv_get_device_list(&count));
  if (!devices && errno != 0 && errno != ENOSYS)
    return std::unexpected(
        fmt::format("the RDMA devices could not be listed: {}", words_of(errno)));
  machine_report machine{.memlock_bytes = memlock()};
  if (!devices || count == 0) return machine;
  machine.trouble = trouble_with_cm();
  ifaddrs* raw = nullptr;
  if (getifaddrs(&raw) != 0) raw = nullptr;
  const address_list addresses(raw);
  for (int i = 0; i < count; ++i)
    machine.devices.push_back(look_at(devices.get()[i], addresses.get()));
  return machine;
}

bool have_rdma_core() { return true; }

}  // namespace nvmf::rdma
