// SPDX-License-Identifier: BSD-2-Clause
#include "directory.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "wire/nqn.hpp"

namespace nvmf {
namespace {

// Bytes of one command's data that are held in memory at once are bounded by MDTS.
constexpr std::uint8_t mdts_max = 13;  // 32 MiB

std::unexpected<std::string> no(std::string text) { return std::unexpected(std::move(text)); }

std::expected<void, std::string> check_text(std::string_view what, std::string_view text,
                                            std::size_t most) {
  if (text.size() > most)
    return no(fmt::format("{}: {} characters, at most {} fit", what, text.size(), most));
  if (!std::ranges::all_of(text, [](char c) { return c >= 0x20 && c <= 0x7e; }))
    return no(fmt::format("{}: printable ASCII only", what));
  return {};
}

std::expected<void, std::string> check(const subsystem_options& o) {
  if (auto ok = wire::check_nqn(o.nqn, "subnqn"); !ok) return no(wire::to_text(ok.error()));
  if (wire::is_discovery_nqn(o.nqn)) return no("the discovery NQN is taken by every target");
  for (const std::string& host : o.allowed_hosts)
    if (auto ok = wire::check_nqn(host, "hostnqn"); !ok) return no(wire::to_text(ok.error()));
  if (auto ok = check_text("serial number", o.serial, 20); !ok) return ok;
  if (auto ok = check_text("model number", o.model, 40); !ok) return ok;
  if (auto ok = check_text("firmware revision", o.firmware, 8); !ok) return ok;
  if (o.max_io_queues < 1 || o.max_io_queues > 65534) return no("I/O queues: 1 to 65534");
  if (o.max_io_queue_size < 2 || o.max_io_queue_size > 65536)
    return no("I/O queue size: 2 to 65536 entries");
  if (o.mdts > mdts_max) return no(fmt::format("MDTS: 0 to {}", mdts_max));
  if (o.static_controllers &&
      (o.static_controller_count < 1 || o.static_controller_count > engine::cntlid_max))
    return no("static controllers: 1 to 65519");
  return {};
}

}  // namespace

directory::directory() {
  subsystem_options discovery;
  discovery.nqn = wire::discovery_nqn;
  subsystems_.emplace(discovery.nqn, std::make_shared<subsystem>(discovery, true));
  discovery_ = std::make_shared<const engine::discovery_source>();
}

std::shared_ptr<subsystem> directory::find(std::string_view nqn) const {
  const std::scoped_lock hold(lock_);
  const auto found = subsystems_.find(nqn);
  return found == subsystems_.end() ? nullptr : found->second;
}

std::expected<void, std::string> directory::add(subsystem_options options) {
  if (auto ok = check(options); !ok) return ok;
  const std::scoped_lock hold(lock_);
  if (subsystems_.contains(options.nqn)) return no("there is a subsystem of that NQN already");
  auto next = std::make_shared<engine::discovery_source>(*discovery_);
  ++next->generation;
  next->subsystems.push_back({options.nqn, options.allowed_hosts, options.static_controllers});
  discovery_ = std::move(next);
  const std::string nqn = options.nqn;
  subsystems_.emplace(nqn, std::make_shared<subsystem>(std::move(options), false));
  return {};
}

void directory::add_port(engine::discovery_port port) {
  const std::scoped_lock hold(lock_);
  auto next = std::make_shared<engine::discovery_source>(*discovery_);
  ++next->generation;
  port.portid = static_cast<std::uint16_t>(next->ports.size() + 1);
  next->ports.push_back(std::move(port));
  discovery_ = std::move(next);
}

std::shared_ptr<const engine::discovery_source> directory::discovery() const {
  const std::scoped_lock hold(lock_);
  return discovery_;
}

void directory::put_row(std::uint64_t session, controller_row row) {
  const std::scoped_lock hold(lock_);
  rows_.insert_or_assign(session, std::move(row));
}

void directory::set_io_queues(std::uint64_t session, std::uint32_t count) {
  const std::scoped_lock hold(lock_);
  if (const auto found = rows_.find(session); found != rows_.end()) found->second.io_queues = count;
}

void directory::drop_row(std::uint64_t session) {
  const std::scoped_lock hold(lock_);
  rows_.erase(session);
}

std::vector<controller_row> directory::rows() const {
  const std::scoped_lock hold(lock_);
  std::vector<controller_row> all;
  for (const auto& [session, row] : rows_) all.push_back(row);
  return all;
}

}  // namespace nvmf
