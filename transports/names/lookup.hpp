// SPDX-License-Identifier: BSD-2-Clause
// A name looked up by a thread of its own that nobody waits for. The system's resolver cannot be
// interrupted, and takes its time when its name servers are dead; Asio's own resolver would be
// waited for when the reactor goes, long after a time limit or an interrupt.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <functional>
#include <string>
#include <vector>

#include "core/reactor.hpp"

namespace nvmf {

class lookup {
 public:
  using addresses = std::vector<boost::asio::ip::tcp::endpoint>;
  using callback = std::function<void(const boost::system::error_code&, addresses)>;

  explicit lookup(reactor& on) : arrived_(on.context()) {}

  // `done` runs once, on the reactor and not before this returns; never after cancel().
  void start(const std::string& host, std::uint16_t port, callback done);
  void cancel();

 private:
  boost::asio::posix::stream_descriptor arrived_;  // readable when the answer is there
};

}  // namespace nvmf
