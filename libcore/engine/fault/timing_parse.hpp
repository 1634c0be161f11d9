// SPDX-License-Identifier: BSD-2-Clause
// The triggers of a rule, read where they stand among the terms of its condition.
#pragma once

#include <expected>
#include <span>
#include <string_view>

#include "plan.hpp"

namespace nvmf::engine {

class timing_terms final : public wire::outer_terms {
 public:
  explicit timing_terms(fault_timing& into) : into_(into) {}
  bool claims(std::string_view word) const override;
  std::expected<void, wire::text_error> read(wire::lexer& from) override;
  std::string_view called() const override { return "trigger"; }
  std::span<const std::string_view> names() const override;

 private:
  std::expected<void, wire::text_error> set(std::string_view name, const wire::token& value);
  std::expected<void, wire::text_error> set_time(duration& into, const wire::token& value);

  fault_timing& into_;
  bool every_ = false;  // was said: their defaults may be said too
  bool probability_ = false;
};

}  // namespace nvmf::engine
