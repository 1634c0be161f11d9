// SPDX-License-Identifier: BSD-2-Clause
// A device that is in use, and its one protection domain: what is registered on a device may be
// used by all of its queue pairs that have the key.
#pragma once

#include <infiniband/verbs.h>

#include <expected>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <vector>

#include "../verbs.hpp"

namespace nvmf::rdma {

class adapter {
 public:
  static std::expected<std::shared_ptr<adapter>, std::error_code> open(ibv_context* device);
  adapter(const adapter&) = delete;
  adapter& operator=(const adapter&) = delete;
  ~adapter();

  ibv_context* device() const { return device_; }
  ibv_pd* domain() const { return domain_; }
  const device_limits& limits() const { return limits_; }
  bool iwarp() const { return iwarp_; }
  // The flag of a receive that has taken a key back.
  unsigned invalidated_flag() const { return invalidated_flag_; }
  // A send can take a key of the peer's back. If not, the peer, which may not count on it, does
  // that itself.
  bool takes_back() const { return takes_back_; }
  // Any thread. `leave` is posted there when the device is to go, while `lives` does.
  void add_tenant(executor& on, std::weak_ptr<void> lives, std::function<void()> leave);
  void send_away();

 private:
  explicit adapter(ibv_context* device);
  void find_limits();
  std::uint32_t find_inline() const;

  ibv_context* device_;
  ibv_pd* domain_ = nullptr;
  device_limits limits_;
  bool iwarp_ = false;
  unsigned invalidated_flag_ = IBV_WC_WITH_INV;
  bool takes_back_ = true;
  struct tenant {
    executor* on;
    std::weak_ptr<void> lives;
    std::function<void()> leave;
  };
  std::mutex lock_;
  std::vector<tenant> tenants_;
};

// Those in use; links on several threads ask. A device stays open at librdmacm for as long as one
// of its connections lives, so links keep their adapter no longer than that.
class adapters {
 public:
  std::expected<std::shared_ptr<adapter>, std::error_code> of(ibv_context* device);
  // Whoever uses one whose device file is not there any more is sent away.
  void look_for_departed();
  // librdmacm keeps a device open for good when it was the only one, and so keeps the system from
  // taking it away. Without anybody on it any more: closes it below librdmacm, once. False:
  // somebody is, or there is no descriptor to do it with; to be tried again. A program that listens
  // says is_here() of what it listens on.
  bool let_go(ibv_context* device);
  void is_here(ibv_context* device);

 private:
  std::mutex lock_;
  std::map<ibv_context*, std::weak_ptr<adapter>> open_;
  std::set<ibv_context*> closed_;
};

}  // namespace nvmf::rdma
