// SPDX-License-Identifier: BSD-2-Clause
#include "system_news.hpp"

#include <ifaddrs.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <string>

#include "channel.hpp"

namespace nvmf::rdma {
namespace {

constexpr const char* devices = "/dev/infiniband";

}  // namespace

bool has_address(const boost::asio::ip::address& wanted) {
  ifaddrs* all = nullptr;
  if (::getifaddrs(&all) != 0) return true;
  const std::unique_ptr<ifaddrs, void (*)(ifaddrs*)> hold{all, ::freeifaddrs};
  for (const ifaddrs* one = all; one != nullptr; one = one->ifa_next) {
    if (one->ifa_addr == nullptr) continue;
    const auto address = address_of(one->ifa_addr).address();
    if (address.is_v6() != wanted.is_v6()) continue;
    // Without the interface of a link-local one.
    if (address.is_v6() ? address.to_v6().to_bytes() == wanted.to_v6().to_bytes()
                        : address == wanted)
      return true;
  }
  return false;
}

bool has_device(const char* file) {
  return ::access((std::string{devices} + "/" + file).c_str(), F_OK) == 0;
}

int open_address_news() {
  const int made = ::socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_ROUTE);
  if (made < 0) return made;
  sockaddr_nl groups{};
  groups.nl_family = AF_NETLINK;
  groups.nl_groups = RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR;
  if (::bind(made, reinterpret_cast<const sockaddr*>(&groups), sizeof groups) == 0) return made;
  ::close(made);
  return -1;
}

int open_device_news() {
  const int made = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  if (made < 0 || ::inotify_add_watch(made, devices, IN_CREATE | IN_DELETE) >= 0) return made;
  ::close(made);
  return -1;
}

system_news::system_news(reactor& on, int descriptor, std::function<void()> told)
    : from_(on.context()), told_(std::move(told)) {
  if (descriptor < 0) return;
  boost::system::error_code error;
  from_.assign(descriptor, error);
  if (error)
    ::close(descriptor);
  else
    wait();
}

void system_news::wait() {
  from_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                   [this, alive = std::weak_ptr(alive_)](const boost::system::error_code& error) {
                     if (error || alive.expired()) return;
                     // What has changed is asked of the system: a lost message does no harm.
                     std::array<std::byte, 8192> message;
                     while (::read(from_.native_handle(), message.data(), message.size()) > 0) {
                     }
                     told_();
                     if (!alive.expired()) wait();
                   });
}

}  // namespace nvmf::rdma
