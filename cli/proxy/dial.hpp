// SPDX-License-Identifier: BSD-2-Clause
// A TCP connection to the first of some addresses that answers, within a limit of time.
#pragma once

#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/reactor.hpp"
#include "tcp/socket.hpp"

namespace nvmf::cli::proxy {

class dial final : public std::enable_shared_from_this<dial> {
 public:
  using addresses = std::vector<tcp::asio::ip::tcp::endpoint>;
  // The error is a sentence: "cannot connect to 127.0.0.1:4420: Connection refused".
  using callback = std::move_only_function<void(std::expected<tcp::tcp_stream, std::string>)>;

  dial(reactor& on, addresses to, duration limit);

  // `done` runs once, never within this; not after cancel().
  void start(callback done);
  void cancel();

 private:
  void try_next();
  void on_connected(const boost::system::error_code& error);
  void finish(std::expected<tcp::tcp_stream, std::string> how);

  reactor& on_;
  addresses to_;
  duration limit_;
  callback done_;
  tcp::asio::ip::tcp::socket socket_;
  std::size_t next_ = 0;
  std::string failed_;
  timer_id timer_ = 0;
};

}  // namespace nvmf::cli::proxy
