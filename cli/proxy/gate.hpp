// SPDX-License-Identifier: BSD-2-Clause
// A listening socket: takes connections as they come, also while descriptors are short.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <system_error>

#include "core/reactor.hpp"
#include "tcp/socket.hpp"
#include "tcp/spare_descriptor.hpp"

namespace nvmf::cli::proxy {

class gate final : public std::enable_shared_from_this<gate> {
 public:
  using socket = tcp::asio::ip::tcp::socket;
  using address = tcp::asio::ip::tcp::endpoint;
  struct hooks {
    std::function<void(socket)> on_client;
    std::function<void(std::string)> on_trouble;  // a sentence
  };

  gate(reactor& on, hooks calls) : on_(on), acceptor_(on.context()), calls_(std::move(calls)) {}

  std::error_code listen(const address& at);
  const address& at() const { return at_; }
  void start() { accept_next(); }
  // Nothing is told after it.
  void stop();

 private:
  void accept_next();
  void not_accepted(const boost::system::error_code& error);
  void accept_when_somebody_comes();
  void accept_later();
  std::string sentence(const boost::system::error_code& error, std::string_view fate) const;

  reactor& on_;
  tcp::asio::ip::tcp::acceptor acceptor_;
  hooks calls_;
  address at_{};
  tcp::spare_descriptor spare_;
  timer_id timer_ = 0;
  bool stopped_ = false;
};

}  // namespace nvmf::cli::proxy
