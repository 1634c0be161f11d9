// SPDX-License-Identifier: BSD-2-Clause
// A host's way to a connected qpair: the address, the device, the private data, and a first error
// in words.
#pragma once

#include "rdma.hpp"
#include "session/host_session.hpp"
#include "session/private_data.hpp"

namespace nvmf::rdma {

class connector final : public connect_attempt,
                        link_events,
                        public std::enable_shared_from_this<connector> {
 public:
  connector(std::shared_ptr<verbs> device, const session_limits& limits,
            std::shared_ptr<std::atomic<std::size_t>> alive, executor& on, endpoint to,
            qpair_params params, connect_callback done);
  ~connector() override { stop_timer(); }

  // Not from within the call that has made it.
  void begin();
  void cancel() override;

 private:
  void on_cm(const cm_event& e) override;
  void on_completions() override {}
  void on_resolved();
  void on_established(const cm_event& e);
  void on_rejected(const cm_event& e);
  void step(std::string_view name, std::vector<std::pair<std::string, std::string>> values);
  void fail(std::error_code code, std::string detail, const protocol_error& violation = {});
  void finish(std::expected<connected, connect_error> result);
  void stop_timer();

  std::shared_ptr<verbs> device_;
  session_limits limits_;
  std::shared_ptr<std::atomic<std::size_t>> alive_;
  executor& on_;
  endpoint to_;
  qpair_params params_;
  connect_callback done_;
  std::unique_ptr<link> link_;  // until the session has it
  std::shared_ptr<host_session> session_;
  cm_request asked_{};
  std::vector<connect_step> steps_;
  connect_stage stage_ = connect_stage::resolve;
  time_point since_{};
  timer_id timer_ = 0;
};

}  // namespace nvmf::rdma
