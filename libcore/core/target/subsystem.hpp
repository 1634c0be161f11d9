// SPDX-License-Identifier: BSD-2-Clause
// A subsystem: what its controllers share. Read and changed on several threads; nothing of it is
// touched by the data path, which works on immutable tables of namespaces.
#pragma once

#include <cstdint>
#include <expected>
#include <map>
#include <memory>
#include <mutex>
#include <nvmf/target.hpp>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/controller/connect.hpp"
#include "engine/controller/namespaces.hpp"

namespace nvmf {

class shard;

struct namespace_entry {
  engine::namespace_view view;
  std::shared_ptr<backend> store;
};

// The namespaces at one time. Immutable.
class namespace_table {
 public:
  namespace_table() = default;
  explicit namespace_table(std::vector<namespace_entry> ascending);

  const namespace_entry* find(std::uint32_t nsid) const {
    if (nsid == 0 || nsid > index_.size() || index_[nsid - 1] == 0) return nullptr;
    return &entries_[index_[nsid - 1] - 1];
  }
  std::span<const namespace_entry> entries() const { return entries_; }
  std::span<const engine::namespace_view> views() const { return views_; }

 private:
  std::vector<namespace_entry> entries_;
  std::vector<engine::namespace_view> views_;
  std::vector<std::uint16_t> index_;  // by NSID - 1: place in entries_ from 1, 0: none
};
using table_ptr = std::shared_ptr<const namespace_table>;

// Where a controller lives: the session of its admin queue.
struct controller_place {
  std::shared_ptr<shard> home;
  std::uint64_t session = 0;
};

class subsystem {
 public:
  subsystem(subsystem_options options, bool discovery)
      : options_(std::move(options)), discovery_(discovery) {}

  const subsystem_options& options() const { return options_; }
  bool discovery() const { return discovery_; }
  engine::connect_rules rules(std::uint32_t kato_max_ms) const;
  bool allows(std::string_view host_nqn) const;

  table_ptr table() const;
  // The NSID; or what is wrong.
  std::expected<std::uint32_t, std::string> add(namespace_options ns);
  std::expected<void, std::string> remove(std::uint32_t nsid);

  // A CNTLID for a new controller, the one that was released longest ago; or, `wanted` 1 to FFEFh,
  // that one. Nothing: all are taken, or that one is.
  std::optional<std::uint16_t> take_cntlid(std::uint16_t wanted, controller_place place);
  void release_cntlid(std::uint16_t cntlid);
  std::optional<controller_place> find_controller(std::uint16_t cntlid) const;

 private:
  const subsystem_options options_;
  const bool discovery_;
  mutable std::mutex lock_;
  table_ptr table_ = std::make_shared<const namespace_table>();
  std::map<std::uint16_t, controller_place> controllers_;
  std::uint16_t last_cntlid_ = 0;
};

}  // namespace nvmf
