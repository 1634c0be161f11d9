// SPDX-License-Identifier: BSD-2-Clause
#include "tcp_transport.hpp"

#include "connector.hpp"
#include "driver.hpp"
#include "listener.hpp"
#include "session/controller_session.hpp"
#include "session/host_session.hpp"

namespace nvmf::tcp {
bool tcp_transport::accepts(const qpair_params& params) const { return check(params).has_value(); }

std::shared_ptr<connect_attempt> tcp_transport::connect(executor& on, const endpoint& to,
                                                        const qpair_params& params,
                                                        connect_callback done) {
  const auto attempt =
      std::make_shared<connector>(dynamic_cast<reactor&>(on), to, params, qpairs_, std::move(done));
  attempt->start();
  return attempt;
}

std::expected<std::unique_ptr<listener>, std::error_code> tcp_transport::listen(
    executor& on, const endpoint& at, const qpair_params& params, executor_chooser choose,
    accept_callback accept) {
  return tcp_listener::open(dynamic_cast<reactor&>(on), at, params, qpairs_, std::move(choose),
                            std::move(accept));
}

qpair make_qpair(reactor& on, established connection, const qpair_params& params, std::uint32_t id,
                 const counter& qpairs) {
  session_setup setup{.on = &on,
                      .memory = room::of(on).memory(),
                      .params = params,
                      .agreed = connection.exchange.agreed(),
                      .id = id,
                      .peer = to_text(connection.stream.peer()),
                      .local = to_text(connection.stream.local())};
  std::shared_ptr<session> made;
  if (params.side == role::host)
    made = std::make_shared<host_session>(std::move(setup));
  else
    made = std::make_shared<controller_session>(std::move(setup));
  made->attach(std::make_shared<driver>(on, std::move(connection.stream), *made,
                                        params.options.linger, counter::member{qpairs}));
  return qpair{std::move(made)};
}

}  // namespace nvmf::tcp

namespace nvmf {

std::shared_ptr<transport> make_tcp_transport() { return std::make_shared<tcp::tcp_transport>(); }

}  // namespace nvmf
