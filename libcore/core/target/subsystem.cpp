// SPDX-License-Identifier: BSD-2-Clause
#include "subsystem.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>

#include "engine/controller/discovery.hpp"

namespace nvmf {

namespace_table::namespace_table(std::vector<namespace_entry> ascending)
    : entries_(std::move(ascending)) {
  if (!entries_.empty()) index_.resize(entries_.back().view.nsid);
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    views_.push_back(entries_[i].view);
    index_[entries_[i].view.nsid - 1] = static_cast<std::uint16_t>(i + 1);
  }
}

engine::connect_rules subsystem::rules(std::uint32_t kato_max_ms) const {
  return {.discovery = discovery_,
          .static_model = options_.static_controllers,
          .static_controllers = options_.static_controller_count,
          .io_queue_entries_max = options_.max_io_queue_size,
          .kato_max_ms = kato_max_ms};
}

bool subsystem::allows(std::string_view host_nqn) const {
  return engine::host_allowed(options_.allowed_hosts, host_nqn);
}

table_ptr subsystem::table() const {
  const std::scoped_lock hold(lock_);
  return table_;
}

std::expected<std::uint32_t, std::string> subsystem::add(namespace_options ns) {
  assert(ns.store != nullptr);
  const std::scoped_lock hold(lock_);
  const auto old = table_->entries();
  std::uint32_t nsid = ns.nsid;
  if (nsid == 0)
    for (nsid = 1; table_->find(nsid) != nullptr;) ++nsid;
  if (nsid > engine::nsid_max)
    return std::unexpected(
        fmt::format("NSID {}: a subsystem has NSIDs 1 to {}", nsid, engine::nsid_max));
  if (table_->find(nsid) != nullptr) return std::unexpected(fmt::format("NSID {} is taken", nsid));
  const backend_geometry g = ns.store->geometry();
  assert(g.blocks > 0 && std::has_single_bit(g.block_size) && g.block_size >= 512);
  std::vector<namespace_entry> entries(old.begin(), old.end());
  entries.push_back({{nsid, g.blocks, g.block_size, g.read_only, g.deallocates}, ns.store});
  std::ranges::sort(entries, {}, [](const namespace_entry& e) { return e.view.nsid; });
  table_ = std::make_shared<const namespace_table>(std::move(entries));
  return nsid;
}

std::expected<void, std::string> subsystem::remove(std::uint32_t nsid) {
  const std::scoped_lock hold(lock_);
  const auto old = table_->entries();
  std::vector<namespace_entry> entries(old.begin(), old.end());
  if (std::erase_if(entries, [&](const namespace_entry& e) { return e.view.nsid == nsid; }) == 0)
    return std::unexpected(fmt::format("there is no namespace {}", nsid));
  table_ = std::make_shared<const namespace_table>(std::move(entries));
  return {};
}

std::optional<std::uint16_t> subsystem::take_cntlid(std::uint16_t wanted, controller_place place) {
  const std::scoped_lock hold(lock_);
  const std::uint16_t most =
      options_.static_controllers ? options_.static_controller_count : engine::cntlid_max;
  if (wanted >= 1 && wanted <= most)
    return controllers_.emplace(wanted, std::move(place)).second ? std::optional(wanted)
                                                                 : std::nullopt;
  if (controllers_.size() >= most) return std::nullopt;
  // Going round, a number comes again only after all others.
  do {
    last_cntlid_ = last_cntlid_ >= most ? 1 : static_cast<std::uint16_t>(last_cntlid_ + 1);
  } while (controllers_.contains(last_cntlid_));
  controllers_.emplace(last_cntlid_, std::move(place));
  return last_cntlid_;
}

void subsystem::release_cntlid(std::uint16_t cntlid) {
  const std::scoped_lock hold(lock_);
  controllers_.erase(cntlid);
}

std::optional<controller_place> subsystem::find_controller(std::uint16_t cntlid) const {
  const std::scoped_lock hold(lock_);
  const auto found = controllers_.find(cntlid);
  return found == controllers_.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace nvmf
