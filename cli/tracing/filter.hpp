// SPDX-License-Identifier: BSD-2-Clause
// `--filter 'cmd==read && latency>1ms && conn==2'`: which of what was seen is shown.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>

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
};

class trace_filter {
 public:
  trace_filter() = default;
  // The error is a sentence, the text below it, and a mark at the column.
  static std::expected<trace_filter, std::string> parse(std::string_view text);

  bool always() const { return condition_.always(); }
  // Can only be told when a command is over.
  bool needs_end() const { return needs_end_; }
  bool matches(const sight& s) const;

 private:
  wire::expression condition_;
  bool needs_end_ = false;
};

// For `describe trace-filter`.
const wire::topic& trace_filter_topic();

}  // namespace nvmf::cli
