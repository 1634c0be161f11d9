// SPDX-License-Identifier: BSD-2-Clause
// Word of the system that addresses or devices may have come or gone, and whether they are there.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <functional>
#include <memory>

#include "core/reactor.hpp"

namespace nvmf::rdma {

// An interface has it; it is not the one for any. Also true when that cannot be found out.
bool has_address(const boost::asio::ip::address& wanted);
// The device file of that name, "uverbs0", is there.
bool has_device(const char* file);

// Descriptors that can be read when addresses have changed (rtnetlink), or a device file has come
// or gone (inotify); -1: there is no such word here.
int open_address_news();
int open_device_news();

// Tells when there is something to read, and reads it. Closes the descriptor.
class system_news {
 public:
  system_news(reactor& on, int descriptor, std::function<void()> told);
  system_news(const system_news&) = delete;
  system_news& operator=(const system_news&) = delete;

 private:
  void wait();

  boost::asio::posix::stream_descriptor from_;
  std::function<void()> told_;
  std::shared_ptr<int> alive_ = std::make_shared<int>();
};

}  // namespace nvmf::rdma
