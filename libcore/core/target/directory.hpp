// SPDX-License-Identifier: BSD-2-Clause
// What the reactors of a target share: its subsystems, what discovery tells of them, who is
// connected. Control path only; guarded by one lock.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <nvmf/target.hpp>
#include <string_view>
#include <vector>

#include "engine/controller/discovery.hpp"
#include "subsystem.hpp"

namespace nvmf {

class directory {
 public:
  directory();

  // Subsystem of that name, the discovery service among them; nullptr: unknown.
  std::shared_ptr<subsystem> find(std::string_view nqn) const;
  std::expected<void, std::string> add(subsystem_options options);

  // A port that serves NVM subsystems. Changes what discovery tells, as add() does.
  void add_port(engine::discovery_port port);
  std::shared_ptr<const engine::discovery_source> discovery() const;

  void put_row(std::uint64_t session, controller_row row);
  void set_io_queues(std::uint64_t session, std::uint32_t count);
  void drop_row(std::uint64_t session);
  std::vector<controller_row> rows() const;

 private:
  mutable std::mutex lock_;
  std::map<std::string, std::shared_ptr<subsystem>, std::less<>> subsystems_;
  std::shared_ptr<const engine::discovery_source> discovery_;
  std::map<std::uint64_t, controller_row> rows_;
};

}  // namespace nvmf
