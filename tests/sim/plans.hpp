// SPDX-License-Identifier: BSD-2-Clause
// Fault plans in the simulation: the same text that `serve --fault` takes, drawn by the seed for
// hosts and controllers. What a rule that fired may cause is excused, for the host whose connection
// it was and for no other; whatever else goes wrong is wrong.
#pragma once

#include <nvmf/event.hpp>
#include <nvmf/fault.hpp>

#include "network.hpp"

namespace nvmf::sim {

struct plan_texts {
  std::string host, controller;  // empty: no plan
};
plan_texts choose_plans(std::uint64_t seed);
std::span<const std::string_view> plans_by_hand(role r);

class plans final : public observer {
 public:
  plans(network& of, std::shared_ptr<transport> inner, const plan_texts& texts, std::uint64_t seed);
  ~plans() override;

  bool any() const { return host_.work != nullptr || controller_.work != nullptr; }
  // `inner` with the plans, as long as the network is not calm: connections that are made
  // afterwards obey none.
  std::shared_ptr<transport> wrapped();
  // A rule has fired.
  void on_event(const event& e) noexcept override;

 private:
  struct side {
    std::shared_ptr<faults> work;
    std::unique_ptr<const struct plan_rules> rules;
  };
  class planned_transport;
  static side make(const std::string& text, role r, std::uint64_t seed, time_point start);

  network& of_;
  std::shared_ptr<transport> inner_;
  side host_, controller_;
};

// What must fire in many runs: "plan: host delay", for each action that this end can do.
std::span<const std::string_view> plan_actions();

}  // namespace nvmf::sim
