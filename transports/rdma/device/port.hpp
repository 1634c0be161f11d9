// SPDX-License-Identifier: BSD-2-Clause
// A listening identifier: requests become links. When its device or its address goes it says so,
// and listens again when they are back.
#pragma once

#include <optional>

#include "adapter.hpp"
#include "channel.hpp"
#include "system_news.hpp"
#include "watch.hpp"

namespace nvmf::rdma {

class device_port final : public port {
 public:
  using callback = std::function<void(cm_request_event)>;

  static std::expected<std::unique_ptr<port>, std::error_code> open(reactor& on,
                                                                    std::shared_ptr<adapters> known,
                                                                    const endpoint& at,
                                                                    callback on_request);
  device_port(const device_port&) = delete;
  device_port& operator=(const device_port&) = delete;
  ~device_port() override;

  endpoint where() const override;
  void on_trouble(std::function<void(std::string_view)> tell) override { tell_ = std::move(tell); }

 private:
  device_port(reactor& on, std::shared_ptr<adapters> known, callback on_request, channel events,
              const internet_address& at);
  std::error_code listen();
  void read_events();
  void on_request(const cm_news& news);
  void on_addresses();
  void on_devices();
  void lose(std::string_view why);
  void retry();
  void listen_again();

  reactor& on_;
  std::shared_ptr<adapters> known_;
  callback on_request_;
  channel events_;
  internet_address at_;
  ibv_context* departing_ = nullptr;  // what it was on, until that is let go of
  identifier id_;                     // null: there is nothing to listen on now
  watch watch_;
  std::optional<system_news> addresses_, devices_;
  std::function<void(std::string_view)> tell_;
  timer_id timer_ = 0;
  std::chrono::milliseconds pause_{};  // until the next try
  std::shared_ptr<int> alive_ = std::make_shared<int>();
};

}  // namespace nvmf::rdma
