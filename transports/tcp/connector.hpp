// SPDX-License-Identifier: BSD-2-Clause
// The host's way to a connection: resolve, TCP connect, IC exchange. Each step is kept with its
// time and values, for whoever narrates.
#pragma once

#include <vector>

#include "names/lookup.hpp"
#include "tcp_transport.hpp"

namespace nvmf::tcp {

class connector final : public connect_attempt, public std::enable_shared_from_this<connector> {
 public:
  connector(reactor& on, endpoint to, qpair_params params, const counter& qpairs,
            connect_callback done);

  void start();
  void cancel() override;

 private:
  using addresses = lookup::addresses;

  void resolve();
  void on_resolved(const boost::system::error_code& error, addresses found);
  void resolved(addresses found);
  boost::system::error_code bind_source(const asio::ip::tcp::endpoint& at);
  void try_next();
  void on_connected(const boost::system::error_code& error);
  void exchange();
  void on_exchanged(std::expected<established, qpair_error> result);

  void arm_timer();
  void timed_out();
  // Ends a step that began at since_; the next begins.
  void step(std::string_view name, std::vector<std::pair<std::string, std::string>> values);
  void fail(connect_error why);
  void finish(std::expected<connected, connect_error> result);

  reactor& on_;
  endpoint to_;
  qpair_params params_;
  counter qpairs_;
  connect_callback done_;
  lookup lookup_;
  asio::ip::tcp::socket socket_;
  std::weak_ptr<handshake> handshake_;  // its waits keep it
  emitter events_;
  std::uint32_t id_;
  connect_stage stage_ = connect_stage::resolve;
  addresses candidates_{};
  std::size_t next_ = 0;
  std::error_code last_error_{};
  std::string failed_at_ = "cannot connect to";  // what the last error is about
  timer_id timer_ = 0;
  time_point since_{};
  std::vector<connect_step> steps_{};
  endpoint reached_;
};

}  // namespace nvmf::tcp
