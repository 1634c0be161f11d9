// SPDX-License-Identifier: BSD-2-Clause
#include "shown_queues.hpp"

namespace nvmf::cli::repl {
namespace {

class showing_transport final : public transport {
 public:
  showing_transport(std::shared_ptr<transport> inner, queue_shows to)
      : inner_(std::move(inner)), to_(std::make_shared<queue_shows>(std::move(to))) {}

  std::string_view type() const override { return inner_->type(); }
  int priority() const override { return inner_->priority(); }
  bool accepts(const qpair_params& params) const override { return inner_->accepts(params); }
  std::size_t qpairs() const override { return inner_->qpairs(); }

  std::shared_ptr<connect_attempt> connect(executor& on, const endpoint& to,
                                           const qpair_params& params,
                                           connect_callback done) override {
    return inner_->connect(on, to, params, std::move(done));
  }
  std::expected<std::unique_ptr<listener>, std::error_code> listen(
      executor& on, const endpoint& at, const qpair_params& params, executor_chooser choose,
      accept_callback accept) override {
    return inner_->listen(on, at, params, std::move(choose),
                          [to = to_, accept = std::move(accept)](qpair q) {
                            auto shown = std::make_shared<shown_queue>(std::move(q), to->gone);
                            to->came(shown);
                            accept(qpair{std::move(shown)});
                          });
  }

 private:
  std::shared_ptr<transport> inner_;
  std::shared_ptr<const queue_shows> to_;
};

}  // namespace

std::shared_ptr<transport> with_shown_queues(std::shared_ptr<transport> inner, queue_shows to) {
  return std::make_shared<showing_transport>(std::move(inner), std::move(to));
}

}  // namespace nvmf::cli::repl
