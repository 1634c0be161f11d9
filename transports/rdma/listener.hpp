// SPDX-License-Identifier: BSD-2-Clause
// A controller's way to connected qpairs: reads what hosts say of their queues, and rejects by name
// what it cannot take.
#pragma once

#include "rdma.hpp"

namespace nvmf::rdma {

class rdma_listener final : public listener {
 public:
  static std::expected<std::unique_ptr<listener>, std::error_code> open(
      const std::shared_ptr<verbs>& device, const session_limits& limits,
      std::shared_ptr<std::atomic<std::size_t>> alive, executor& on, const endpoint& at,
      const qpair_params& params, executor_chooser choose, accept_callback accept);
  ~rdma_listener() override;

  endpoint where() const override { return where_; }
  void on_trouble(std::function<void(std::string_view)> tell) override {
    port_->on_trouble(std::move(tell));
  }

 private:
  class acceptor;
  explicit rdma_listener(std::shared_ptr<acceptor> running, std::unique_ptr<port> at);

  std::shared_ptr<acceptor> running_;
  std::unique_ptr<port> port_;
  endpoint where_;
};

}  // namespace nvmf::rdma
