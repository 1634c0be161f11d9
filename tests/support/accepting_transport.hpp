// SPDX-License-Identifier: BSD-2-Clause
// A transport without a network: whoever has it hands connections to who listens on it.
#pragma once

#include <memory>
#include <nvmf/transport.hpp>
#include <utility>

namespace nvmf::test {

class accepting_transport final : public transport {
 public:
  accept_callback accept;  // once somebody listens

  std::string_view type() const override { return "tcp"; }
  int priority() const override { return 0; }
  bool accepts(const qpair_params&) const override { return true; }
  std::shared_ptr<connect_attempt> connect(executor&, const endpoint&, const qpair_params&,
                                           connect_callback) override {
    return nullptr;
  }
  std::expected<std::unique_ptr<listener>, std::error_code> listen(executor&, const endpoint&,
                                                                   const qpair_params&,
                                                                   executor_chooser,
                                                                   accept_callback a) override {
    class stays final : public listener {
      endpoint where() const override { return {"192.0.2.1", 4420}; }
    };
    accept = std::move(a);
    return std::make_unique<stays>();
  }
  std::size_t qpairs() const override { return 0; }
};

}  // namespace nvmf::test
