// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <memory>

#include "counter.hpp"
#include "handshake.hpp"
#include "tcp.hpp"

namespace nvmf::tcp {

class tcp_transport final : public transport {
 public:
  std::string_view type() const override { return "tcp"; }
  int priority() const override { return 0; }
  bool accepts(const qpair_params& params) const override;
  std::shared_ptr<connect_attempt> connect(executor& on, const endpoint& to,
                                           const qpair_params& params,
                                           connect_callback done) override;
  std::expected<std::unique_ptr<listener>, std::error_code> listen(executor& on, const endpoint& at,
                                                                   const qpair_params& params,
                                                                   executor_chooser choose,
                                                                   accept_callback accept) override;
  std::size_t qpairs() const override { return qpairs_.value(); }

 private:
  counter qpairs_;
};

// The qpair of a connection that is set up; not started. On the reactor's thread.
qpair make_qpair(reactor& on, established connection, const qpair_params& params, std::uint32_t id,
                 const counter& qpairs);

}  // namespace nvmf::tcp
