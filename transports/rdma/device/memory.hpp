// SPDX-License-Identifier: BSD-2-Clause
// Memory registered for one link. The registration ends with the link, whose queue pair alone uses
// it; the memory stays for as long as somebody holds the region.
#pragma once

#include <unordered_map>

#include "adapter.hpp"

namespace nvmf::rdma {

class device_region;

// Of one link: regions by their local key, windows by their number.
class registrations {
 public:
  explicit registrations(std::shared_ptr<adapter> on) : on_(std::move(on)) {}
  registrations(const registrations&) = delete;
  registrations& operator=(const registrations&) = delete;
  ~registrations() { end(); }

  std::expected<std::uint32_t, std::error_code> make_window();
  ibv_mw* window(std::uint32_t key) const;
  ibv_mr* region(std::uint32_t local_key) const;
  // Before the queue pair goes, which a window that is bound holds; and before the regions, for the
  // same reason.
  void end_windows();
  // No queue pair may be left.
  void end();
  adapter* on() const { return on_.get(); }

 private:
  friend class device_region;
  std::shared_ptr<adapter> on_;  // until the end
  std::unordered_map<std::uint32_t, device_region*> regions_;
  std::unordered_map<std::uint32_t, ibv_mw*> windows_;  // a key's low eight bits change
};

class device_region final : public region {
 public:
  static std::expected<std::unique_ptr<region>, std::error_code> make(
      const std::shared_ptr<registrations>& in, std::size_t bytes, access rights);
  device_region(const device_region&) = delete;
  device_region& operator=(const device_region&) = delete;
  ~device_region() override;

 private:
  friend class registrations;
  explicit device_region(std::shared_ptr<registrations> in) : in_(std::move(in)) {}
  void end();

  std::shared_ptr<registrations> in_;
  ibv_mr* registered_ = nullptr;
};

}  // namespace nvmf::rdma
