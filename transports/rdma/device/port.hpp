// SPDX-License-Identifier: BSD-2-Clause
// A listening identifier: requests become links.
#pragma once

#include "adapter.hpp"
#include "channel.hpp"
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

 private:
  device_port(reactor& on, std::shared_ptr<adapters> known, callback on_request, channel events,
              identifier id);
  void read_events();
  void on_request(const cm_news& news);

  reactor& on_;
  std::shared_ptr<adapters> known_;
  callback on_request_;
  channel events_;
  identifier id_;
  watch watch_;
  std::shared_ptr<int> alive_ = std::make_shared<int>();
};

}  // namespace nvmf::rdma
