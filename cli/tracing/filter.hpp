// SPDX-License-Identifier: BSD-2-Clause
// `--filter 'cmd==read && latency>1ms && conn==2'`: which of what was seen is shown.
#pragma once

#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "time_window.hpp"
#include "trace/conversation/connection.hpp"
#include "trace/rules/violation.hpp"
#include "wire/expression.hpp"
#include "wire/topic.hpp"

namespace nvmf::cli {

// Something that was seen: a PDU, a capsule, or a line about a connection.
struct sight {
  const trace::connection& on;
  const trace::command* of = nullptr;        // the command that it belongs to
  const trace::completion* done = nullptr;   // of that command, when it is over
  std::optional<std::uint8_t> pdu = {};      // its type
  const trace::violation* broken = nullptr;  // a line about a rule
  std::optional<std::int64_t> ns = {};       // when, of what belongs to no command
};

class trace_filter {
 public:
  trace_filter() = default;
  // The error is a sentence, the text below it, and a mark at the column.
  static std::expected<trace_filter, std::string> parse(std::string_view text);

  // Only what lies in it, partly at least. It may begin() later.
  void within(std::shared_ptr<const time_window> window) { window_ = std::move(window); }

  bool always() const { return condition_.always() && window_ == nullptr; }
  // May be told of a command only when it is over.
  bool needs_end() const { return needs_end_ || window_ != nullptr; }
  // So it is of this one.
  bool waits(const sight& s) const;
  bool matches(const sight& s) const;

 private:
  bool in_window(const sight& s) const;

  wire::expression condition_;
  std::shared_ptr<const time_window> window_;
  bool needs_end_ = false;
};

// For `describe trace-filter`.
const wire::topic& trace_filter_topic();

}  // namespace nvmf::cli
