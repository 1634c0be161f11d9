// SPDX-License-Identifier: BSD-2-Clause
// A transport whose qpairs obey a plan.
#include <nvmf/forwarding_transport.hpp>

#include "faulty_qpair.hpp"

namespace nvmf {
namespace {

class faulty_transport final : public forwarding_transport {
 public:
  faulty_transport(std::shared_ptr<transport> inner, std::shared_ptr<plan_at_work> plan)
      : forwarding_transport(std::move(inner)), plan_(std::move(plan)) {}

  std::shared_ptr<connect_attempt> connect(executor& on, const endpoint& to,
                                           const qpair_params& params,
                                           connect_callback done) override {
    if (plan_->side() == role::host)
      done = [plan = plan_,
              done = std::move(done)](std::expected<connected, connect_error> r) mutable {
        if (r) r->queue = obeying(std::move(r->queue), plan);
        done(std::move(r));
      };
    return forwarding_transport::connect(on, to, params, std::move(done));
  }

  std::expected<std::unique_ptr<listener>, std::error_code> listen(
      executor& on, const endpoint& at, const qpair_params& params, executor_chooser choose,
      accept_callback accept) override {
    if (plan_->side() == role::controller)
      accept = [plan = plan_, accept = std::move(accept)](qpair q) {
        accept(obeying(std::move(q), plan));
      };
    return forwarding_transport::listen(on, at, params, std::move(choose), std::move(accept));
  }

 private:
  static qpair obeying(qpair q, const std::shared_ptr<plan_at_work>& plan) {
    return qpair{std::make_shared<faulty_qpair>(std::move(q), plan)};
  }

  std::shared_ptr<plan_at_work> plan_;
};

}  // namespace

std::shared_ptr<transport> with_faults(std::shared_ptr<transport> inner,
                                       std::shared_ptr<faults> plan) {
  return std::make_shared<faulty_transport>(std::move(inner),
                                            std::static_pointer_cast<plan_at_work>(plan));
}

}  // namespace nvmf
