// SPDX-License-Identifier: BSD-2-Clause
// `--stats`: which rules were broken, by whom, how often, and where that is seen first.
#pragma once

#include <boost/json/array.hpp>
#include <map>
#include <string>

#include "filter.hpp"
#include "render/style.hpp"
#include "trace/rules/violation.hpp"

namespace nvmf::cli {

class rule_tally final : public trace::violation_sink {
 public:
  // Of those that fit the filter, which outlives it.
  explicit rule_tally(const trace_filter& filter) : filter_(filter) {}
  void on_violation(const trace::connection& c, const trace::violation& v) override;

  std::string text(const style& look) const;  // nothing when none was broken
  boost::json::array json() const;

 private:
  struct row {
    std::uint64_t count = 0;
    std::uint32_t connection = 0;  // of the first
    std::string first;
    std::uint64_t frame = 0;
  };
  const trace_filter& filter_;
  std::map<std::pair<trace::rule, trace::side>, row> rows_;
};

}  // namespace nvmf::cli
