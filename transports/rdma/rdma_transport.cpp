// SPDX-License-Identifier: BSD-2-Clause
#include "connector.hpp"
#include "listener.hpp"

namespace nvmf {
namespace rdma {
namespace {

class rdma_transport final : public transport {
 public:
  rdma_transport(std::shared_ptr<verbs> device, const session_limits& limits)
      : device_(std::move(device)), limits_(limits) {}

  std::string_view type() const override { return "rdma"; }
  int priority() const override { return 0; }
  bool accepts(const qpair_params&) const override { return true; }

  std::shared_ptr<connect_attempt> connect(executor& on, const endpoint& to,
                                           const qpair_params& params,
                                           connect_callback done) override {
    auto made =
        std::make_shared<connector>(device_, limits_, alive_, on, to, params, std::move(done));
    on.post([made] { made->begin(); });
    return made;
  }

  std::expected<std::unique_ptr<listener>, std::error_code> listen(
      executor& on, const endpoint& at, const qpair_params& params, executor_chooser choose,
      accept_callback accept) override {
    return rdma_listener::open(device_, limits_, alive_, on, at, params, std::move(choose),
                               std::move(accept));
  }

  std::size_t qpairs() const override { return alive_->load(); }

 private:
  std::shared_ptr<verbs> device_;
  session_limits limits_;
  std::shared_ptr<std::atomic<std::size_t>> alive_ = std::make_shared<std::atomic<std::size_t>>(0);
};

}  // namespace
}  // namespace rdma

std::shared_ptr<transport> make_rdma_transport(std::shared_ptr<rdma::verbs> device,
                                               rdma::session_limits limits) {
  return std::make_shared<rdma::rdma_transport>(std::move(device), limits);
}

}  // namespace nvmf
