// SPDX-License-Identifier: BSD-2-Clause
// `expect event NAME key=value...`: which of the events that were seen is meant.
#pragma once

#include <chrono>
#include <optional>

#include "../arguments.hpp"
#include "../workbench.hpp"

namespace nvmf::cli::repl {

struct event_filter {
  event_type type{};
  std::optional<std::string> queue, text, error;
  std::optional<std::uint64_t> qid, cid, bytes, a, b, pdu, opcode, status;
  std::optional<std::chrono::nanoseconds> within;

  bool matches(const workbench::seen_event& e) const;
};

// Takes all words: NAME [KEY=VALUE]... [within TIME].
std::expected<event_filter, complaint> take_event_filter(arguments& args);
// "receive_cb", "pdu-in", ...: for help and near names.
std::vector<std::string_view> event_names();

}  // namespace nvmf::cli::repl
