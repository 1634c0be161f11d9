// SPDX-License-Identifier: BSD-2-Clause
// A transport "sim": the sessions and the IC exchange of the TCP transport, with the simulated
// network where sockets are otherwise.
#pragma once

#include <memory>
#include <nvmf/transport.hpp>
#include <optional>

#include "network.hpp"
#include "tcp/session/ic_exchange.hpp"
#include "tcp/session/session.hpp"

namespace nvmf::sim {

// One end of a connection: what transports/tcp/driver.cpp is to a socket.
class wire_end final : public tcp::wire_link, public std::enable_shared_from_this<wire_end> {
 public:
  using ready_callback = std::move_only_function<void(std::expected<qpair, qpair_error>)>;

  wire_end(network& of, executor& on, const qpair_params& params, std::size_t& qpairs);
  void attach(std::shared_ptr<pipe> in, std::shared_ptr<pipe> out);
  // Begins the IC exchange. `ready` runs once.
  void exchange(ready_callback ready);
  void give_up();  // the exchange; `ready` does not run

  // --- wire_link ---
  void begin() override;
  void wake() noexcept override;
  void finish(bool clean) override;
  void reset() override;
  void half_close() override { out_->send_end(); }
  arrival peek(std::span<std::byte> into) override;

 private:
  enum class phase : std::uint8_t { exchanging, idle, running, ending, lingering, done };
  void arrived();
  void room_again();
  void go_on_with_exchange();
  void established();
  void turn();
  bool move_in();
  void move_out();
  void settle();
  void close(bool politely);

  network& of_;
  executor& on_;
  qpair_params params_;
  std::size_t& qpairs_;
  std::uint32_t id_;
  std::optional<tcp::ic_exchange> exchange_;
  ready_callback ready_;
  std::shared_ptr<pipe> in_, out_;
  tcp::session* session_ = nullptr;
  std::shared_ptr<tcp::session> keep_;
  timer_id timer_ = 0;
  phase phase_ = phase::exchanging;
  bool in_turn_ = false, wake_posted_ = false, finishing_ = false, told_end_ = false;
};

class sim_transport final : public transport {
 public:
  explicit sim_transport(network& of) : of_(of) {}

  std::string_view type() const override { return "sim"; }
  int priority() const override { return 0; }
  bool accepts(const qpair_params& params) const override { return check(params).has_value(); }
  std::shared_ptr<connect_attempt> connect(executor& on, const endpoint& to,
                                           const qpair_params& params,
                                           connect_callback done) override;
  std::expected<std::unique_ptr<listener>, std::error_code> listen(executor& on, const endpoint& at,
                                                                   const qpair_params& params,
                                                                   executor_chooser choose,
                                                                   accept_callback accept) override;
  std::size_t qpairs() const override { return qpairs_; }

 private:
  struct place;  // that is listened at
  struct attempt;
  network& of_;
  std::size_t qpairs_ = 0;
  std::shared_ptr<place> listening_;
};

}  // namespace nvmf::sim
