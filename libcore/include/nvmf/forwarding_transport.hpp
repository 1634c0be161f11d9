// SPDX-License-Identifier: BSD-2-Clause
// A transport over another one, to which each call goes as it is: the base of what changes the
// queues of a transport.
#pragma once

#include <utility>

#include "transport.hpp"

namespace nvmf {

class forwarding_transport : public transport {
 public:
  explicit forwarding_transport(std::shared_ptr<transport> inner) : inner_(std::move(inner)) {}

  std::string_view type() const override { return inner_->type(); }
  int priority() const override { return inner_->priority(); }
  bool accepts(const qpair_params& params) const override { return inner_->accepts(params); }
  std::shared_ptr<connect_attempt> connect(executor& on, const endpoint& to,
                                           const qpair_params& params,
                                           connect_callback done) override {
    return inner_->connect(on, to, params, std::move(done));
  }
  std::expected<std::unique_ptr<listener>, std::error_code> listen(
      executor& on, const endpoint& at, const qpair_params& params, executor_chooser choose,
      accept_callback accept) override {
    return inner_->listen(on, at, params, std::move(choose), std::move(accept));
  }
  std::size_t qpairs() const override { return inner_->qpairs(); }

 private:
  const std::shared_ptr<transport> inner_;
};

}  // namespace nvmf
