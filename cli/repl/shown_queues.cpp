// SPDX-License-Identifier: BSD-2-Clause
#include "shown_queues.hpp"

#include <nvmf/forwarding_transport.hpp>

namespace nvmf::cli::repl {
namespace {

class showing_transport final : public forwarding_transport {
 public:
  showing_transport(std::shared_ptr<transport> inner, queue_shows to)
      : forwarding_transport(std::move(inner)),
        to_(std::make_shared<const queue_shows>(std::move(to))) {}

  std::expected<std::unique_ptr<listener>, std::error_code> listen(
      executor& on, const endpoint& at, const qpair_params& params, executor_chooser choose,
      accept_callback accept) override {
    return forwarding_transport::listen(
        on, at, params, std::move(choose), [to = to_, accept = std::move(accept)](qpair q) {
          auto shown = std::make_shared<shown_queue>(std::move(q), to->gone);
          to->came(shown);
          accept(qpair{std::move(shown)});
        });
  }

 private:
  std::shared_ptr<const queue_shows> to_;
};

}  // namespace

std::shared_ptr<transport> with_shown_queues(std::shared_ptr<transport> inner, queue_shows to) {
  return std::make_shared<showing_transport>(std::move(inner), std::move(to));
}

}  // namespace nvmf::cli::repl
