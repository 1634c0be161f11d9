// SPDX-License-Identifier: BSD-2-Clause
// The controller's way to connections: accept, IC exchange on the reactor that the connection will
// live on, hand over.
#pragma once

#include "tcp_transport.hpp"

namespace nvmf::tcp {

class tcp_listener final : public listener {
 public:
  static std::expected<std::unique_ptr<listener>, std::error_code> open(
      reactor& on, const endpoint& at, const qpair_params& params, const counter& qpairs,
      executor_chooser choose, accept_callback accept);

  ~tcp_listener() override;
  endpoint where() const override;
  void on_trouble(std::function<void(std::string_view)> tell) override;

 private:
  class acceptor;
  explicit tcp_listener(std::shared_ptr<acceptor> running) : running_(std::move(running)) {}

  std::shared_ptr<acceptor> running_;
};

}  // namespace nvmf::tcp
