// SPDX-License-Identifier: BSD-2-Clause
// An association against a scripted controller, on virtual time.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "fake_controller.hpp"

namespace nvmf::test {

struct host_fixture {
  virtual_executor on;
  std::shared_ptr<fake_controller> controller = std::make_shared<fake_controller>();
  transport_registry registry;
  association_options options;
  std::vector<stage_report> stages;
  std::optional<std::expected<void, host_failure>> up;  // on_up
  int ups = 0;
  std::vector<host_failure> lost;
  struct event_seen {
    std::uint32_t dw0;
    std::vector<std::byte> log;
  };
  std::vector<event_seen> events;
  std::unique_ptr<association> host;
  std::function<void()> when_lost;
  std::function<void(const stage_report&)> when_stage;
  std::function<void()> when_up;

  host_fixture() {
    registry.add(controller);
    options.transport = "fake";
    options.to = {"target.example", 4420};
    options.subsystem_nqn = "nqn.2024-01.io.example:sub";
    options.host_nqn = "nqn.2024-01.io.example:host";
    for (std::size_t i = 0; i < 16; ++i) options.host_id[i] = static_cast<std::byte>(0x10 + i);
    options.keep_alive = {};
    options.async_events = 0;
  }

  void start() {
    host = association::start(registry, on, options,
                              {.on_stage =
                                   [this](const stage_report& r) {
                                     stages.push_back(r);
                                     if (when_stage) when_stage(r);
                                   },
                               .on_up =
                                   [this](std::expected<void, host_failure> r) {
                                     up = std::move(r);
                                     ++ups;
                                     if (when_up) when_up();
                                   },
                               .on_lost =
                                   [this](const host_failure& f) {
                                     lost.push_back(f);
                                     if (when_lost) when_lost();
                                   },
                               .on_async_event =
                                   [this](std::uint32_t dw0, std::span<const std::byte> log) {
                                     events.push_back({dw0, {log.begin(), log.end()}});
                                   }});
  }
  // Starts, and runs until it is up or has failed.
  bool bring_up() {
    start();
    on.run_until([&] { return up.has_value(); });
    return up && up->has_value();
  }
  const host_failure& failure() const { return up->error(); }

  std::vector<std::string> stage_names() const {
    std::vector<std::string> out;
    for (const auto& s : stages) out.emplace_back(stage_name(s.stage));
    return out;
  }
  const stage_report* stage(host_stage s) const {
    for (const auto& r : stages)
      if (r.stage == s) return &r;
    return nullptr;
  }
};

inline std::string value(const std::vector<std::pair<std::string, std::string>>& pairs,
                         std::string_view name) {
  for (const auto& [n, v] : pairs)
    if (n == name) return v;
  return "(none)";
}

}  // namespace nvmf::test
