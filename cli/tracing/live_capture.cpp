// SPDX-License-Identifier: BSD-2-Clause
#include "live_capture.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <pcap/pcap.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cassert>
#include <cstring>

#include "wire/names.hpp"

namespace nvmf::cli {

namespace {

// Larger than any packet that the stack cuts later (GSO, up to 64 KiB, or 192 KiB of BIG TCP).
constexpr int snap_bytes = 262144;
constexpr int packets_at_once = 8192;
constexpr std::uint16_t linktype_raw = 101;

std::vector<std::string> interface_names() {
  std::vector<std::string> out;
  if (struct if_nameindex* const all = ::if_nameindex()) {
    for (const struct if_nameindex* one = all; one->if_index != 0; ++one)
      out.emplace_back(one->if_name);
    ::if_freenameindex(all);
  }
  out.emplace_back("any");
  return out;
}

bool is_loopback(const std::string& name) {
  ifreq about{};
  if (name.size() >= sizeof about.ifr_name) return false;
  std::memcpy(about.ifr_name, name.data(), name.size());
  const int s = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (s < 0) return false;
  const bool known = ::ioctl(s, SIOCGIFFLAGS, &about) == 0;
  ::close(s);
  return known && (about.ifr_flags & IFF_LOOPBACK) != 0;
}

std::string no_such(const std::string& name) {
  const std::vector<std::string> names = interface_names();
  const std::vector<std::string_view> views(names.begin(), names.end());
  return fmt::format("there is no such interface{}; there are: {}", wire::did_you_mean(name, views),
                     fmt::join(names, ", "));
}

std::string not_activated(pcap_t* p, int why, const std::string& name) {
  switch (why) {
    case PCAP_ERROR_NO_SUCH_DEVICE:
      return no_such(name);
    case PCAP_ERROR_PERM_DENIED:
    case PCAP_ERROR_PROMISC_PERM_DENIED:
      return "cannot be captured from: that takes the capability CAP_NET_RAW. Run it by sudo, or "
             "give the program the capability: sudo setcap cap_net_raw+ep \"$(command -v "
             "nvmfctl)\"";
    case PCAP_ERROR_IFACE_NOT_UP:
      return fmt::format("it is down: sudo ip link set {} up", name);
    default: {
      const std::string_view more = ::pcap_geterr(p);
      return fmt::format("cannot be captured from: {}",
                         more.empty() ? std::string_view{::pcap_statustostr(why)} : more);
    }
  }
}

// A link that no packet can be read from: a packet without bytes tells.
bool is_read(std::uint16_t link) {
  trace::segment ignored;
  return trace::dissect({.bytes = {}, .wire_bytes = 0, .link = link, .at = {}}, ignored).what !=
         trace::dissected::other_link;
}

}  // namespace

struct live_capture::handle {
  pcap_t* p = nullptr;
  int descriptor = -1;
  std::uint16_t link = 0;
  std::uint64_t packets = 0;
  trace::tracer* to = nullptr;  // during take()

  handle() = default;
  handle(const handle&) = delete;
  handle& operator=(const handle&) = delete;
  ~handle() {
    if (p != nullptr) ::pcap_close(p);
  }
  static void on_packet(u_char* self, const pcap_pkthdr* head, const u_char* bytes) {
    auto& h = *reinterpret_cast<handle*>(self);
    const auto* first = reinterpret_cast<const std::byte*>(bytes);
    // tv_usec holds nanoseconds: that precision was asked for.
    const std::int64_t ns = std::int64_t{head->ts.tv_sec} * 1'000'000'000 + head->ts.tv_usec;
    h.to->take({.bytes = {first, head->caplen},
                .wire_bytes = std::max(head->len, head->caplen),
                .link = h.link,
                .at = {.ns = ns, .packet = ++h.packets}});
  }
  // Empty: all went well.
  std::string set_up(const live_options& how);
  std::string filter(const live_options& how);
};

std::string live_capture::handle::set_up(const live_options& how) {
  // Promiscuous also where a switch mirrors the traffic of others to this interface.
  ::pcap_set_promisc(p, 1);
  ::pcap_set_snaplen(p, snap_bytes);
  ::pcap_set_timeout(p, quiet_ms);
  ::pcap_set_buffer_size(p, static_cast<int>(how.buffer_bytes));
  ::pcap_set_tstamp_precision(p, PCAP_TSTAMP_PRECISION_NANO);
  if (const int got = ::pcap_activate(p); got < 0) return not_activated(p, got, how.interface);
  char why[PCAP_ERRBUF_SIZE] = "";
  if (::pcap_setnonblock(p, 1, why) != 0) return fmt::format("cannot be captured from: {}", why);
  descriptor = ::pcap_get_selectable_fd(p);
  const int dlt = ::pcap_datalink(p);
  link = dlt == DLT_RAW ? linktype_raw : static_cast<std::uint16_t>(dlt);
  if (!is_read(link))
    return fmt::format("its packets are of a link that is not read: {}", trace::link_name(link));
  return filter(how);
}

std::string live_capture::handle::filter(const live_options& how) {
  const bool loopback = is_loopback(how.interface);
  const int yes = 1;
  // There each packet passes twice. libpcap lets go of one of them; Linux 4.20 need not make it.
  // ("inbound" in the filter would do, but libpcap filters once more, and does not know it there.)
  if (loopback)
    static_cast<void>(
        ::setsockopt(descriptor, SOL_PACKET, PACKET_IGNORE_OUTGOING, &yes, sizeof yes));
  const std::string text = live_filter(how.ports, link == DLT_EN10MB && !loopback);
  bpf_program program{};
  if (::pcap_compile(p, &program, text.c_str(), 1, PCAP_NETMASK_UNKNOWN) != 0)
    return fmt::format("cannot be filtered: {}", ::pcap_geterr(p));
  const int set = ::pcap_setfilter(p, &program);
  ::pcap_freecode(&program);
  return set == 0 ? "" : fmt::format("cannot be filtered: {}", ::pcap_geterr(p));
}

std::string live_filter(const std::vector<std::uint16_t>& ports, bool vlan) {
  std::string what = "tcp or udp port 4791";
  if (!ports.empty()) what = fmt::format("tcp port {}", fmt::join(ports, " or tcp port "));
  if (vlan) what = fmt::format("{0} or (vlan and ({0}))", what);
  return what;
}

live_capture::live_capture(std::unique_ptr<handle> h) : handle_(std::move(h)) {}
live_capture::live_capture(live_capture&& other) noexcept = default;
live_capture::~live_capture() = default;

std::string live_capture::built_in() { return ::pcap_lib_version(); }

std::expected<live_capture, std::string> live_capture::open(const live_options& how) {
  assert(how.buffer_bytes >= buffer_bytes_min && how.buffer_bytes <= buffer_bytes_max);
  char why[PCAP_ERRBUF_SIZE] = "";
  if (how.interface != "any" && ::if_nametoindex(how.interface.c_str()) == 0)
    return std::unexpected(no_such(how.interface));
  auto h = std::make_unique<handle>();
  h->p = ::pcap_create(how.interface.c_str(), why);
  if (h->p == nullptr) return std::unexpected(fmt::format("cannot be captured from: {}", why));
  if (std::string error = h->set_up(how); !error.empty()) return std::unexpected(std::move(error));
  return live_capture(std::move(h));
}

int live_capture::descriptor() const { return handle_->descriptor; }
std::string live_capture::link() const {
  const char* text = ::pcap_datalink_val_to_description(::pcap_datalink(handle_->p));
  return text != nullptr ? text : trace::link_name(handle_->link);
}

std::expected<std::size_t, std::string> live_capture::take(trace::tracer& to) {
  handle_->to = &to;
  const int n = ::pcap_dispatch(handle_->p, packets_at_once, handle::on_packet,
                                reinterpret_cast<u_char*>(handle_.get()));
  if (n < 0) return std::unexpected(std::string{::pcap_geterr(handle_->p)});
  return static_cast<std::size_t>(n);
}

live_counts live_capture::counts() const {
  pcap_stat now{};
  live_counts out{.received = handle_->packets};
  if (::pcap_stats(handle_->p, &now) != 0) return out;
  out.dropped = now.ps_drop;
  out.dropped_by_interface = now.ps_ifdrop;
  return out;
}

}  // namespace nvmf::cli
