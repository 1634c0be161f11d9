// SPDX-License-Identifier: BSD-2-Clause
// The one injector of a plan, for qpairs on any executor.
#pragma once

#include <mutex>
#include <nvmf/fault.hpp>

#include "engine/fault/injector.hpp"

namespace nvmf {

class plan_at_work final : public faults {
 public:
  plan_at_work(engine::fault_plan plan, const fault_options& options)
      : side_(options.side), injector_(std::move(plan), options.seed, options.start) {}

  std::vector<fault_tally> report() const override;

  role side() const { return side_; }
  // The rules and steps of the answer live as long as this.
  engine::fault_decision decide(const engine::fault_command& c) {
    const std::lock_guard held(lock_);
    return injector_.decide(c);
  }
  // From 1.
  std::uint32_t next_connection() {
    const std::lock_guard held(lock_);
    return ++connections_;
  }

 private:
  const role side_;
  mutable std::mutex lock_;
  engine::fault_injector injector_;
  std::uint32_t connections_ = 0;
};

}  // namespace nvmf
