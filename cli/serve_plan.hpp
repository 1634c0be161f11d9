// SPDX-License-Identifier: BSD-2-Clause
// What a target is to serve, as its options build it up from left to right.
#pragma once

#include <expected>
#include <nvmf/target.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "fault_plan.hpp"
#include "options.hpp"
#include "wire/host.hpp"

namespace nvmf::cli {

struct served_subsystem {
  subsystem_options options;
  std::vector<std::string> namespaces;  // "ram:64M"
};

class serve_plan {
 public:
  static constexpr std::string_view default_nqn = "nqn.2026-01.io.nvmfctl:default";
  static constexpr std::string_view default_namespace = "ram:64M";
  static constexpr std::string_view default_listener = "127.0.0.1:4420";

  serve_plan();
  void add_options(option_table& table);
  // Fills in the defaults of what was not given.
  void complete();

  const std::vector<served_subsystem>& subsystems() const { return subsystems_; }
  const std::vector<listener_options>& listeners() const { return listeners_; }
  const target_limits& limits() const { return limits_; }
  const fault_choice& faults() const { return faults_; }

 private:
  using set_result = std::expected<void, std::string>;
  void add_subsystem_options(option_table& table);
  void add_listener_options(option_table& table);
  void add_limit_options(option_table& table);
  served_subsystem& current() { return subsystems_.back(); }
  set_result begin_subsystem(std::string_view nqn);
  set_result listen_at(std::string_view text, bool discovery);

  std::vector<served_subsystem> subsystems_;
  std::vector<listener_options> listeners_;
  subsystem_options common_;  // limits that all subsystems share
  transport_options transport_;
  std::uint64_t in_capsule_, max_h2c_;
  std::uint32_t cpda_ = 0;
  bool touched_ = false;  // the first subsystem was given something of its own
  target_limits limits_;
  fault_choice faults_;
};

}  // namespace nvmf::cli
