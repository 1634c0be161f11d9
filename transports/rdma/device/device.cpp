// SPDX-License-Identifier: BSD-2-Clause
#include "device.hpp"

#include "link.hpp"
#include "port.hpp"

namespace nvmf::rdma {
namespace {

class device_verbs final : public verbs {
 public:
  std::expected<std::unique_ptr<link>, std::error_code> open(executor& on) override {
    auto events = open_channel();
    if (!events) return std::unexpected(events.error());
    return std::make_unique<device_link>(dynamic_cast<reactor&>(on), known_, std::move(*events));
  }
  std::expected<std::unique_ptr<port>, std::error_code> listen(
      executor& on, const endpoint& at, std::function<void(cm_request_event)> on_request) override {
    return device_port::open(dynamic_cast<reactor&>(on), known_, at, std::move(on_request));
  }

 private:
  std::shared_ptr<adapters> known_ = std::make_shared<adapters>();
};

}  // namespace

std::shared_ptr<verbs> make_device_verbs() { return std::make_shared<device_verbs>(); }

}  // namespace nvmf::rdma
