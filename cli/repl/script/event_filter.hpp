// SPDX-License-Identifier: BSD-2-Clause
// `expect event NAME key=value...`: which of the events that were seen is meant. Break points and
// `watch` have the same words.
#pragma once

#include <chrono>
#include <optional>

#include "../arguments.hpp"
#include "../seen_event.hpp"

namespace nvmf::cli::repl {

struct event_filter {
  bool (*is)(const recorded_event& e) = nullptr;  // of a family of events
  std::optional<event_type> type;                 // or of this one
  std::optional<std::string> queue, text, error;
  std::optional<std::uint64_t> qid, cid, bytes, a, b, pdu, opcode, command, status, status_not;
  std::optional<std::chrono::nanoseconds> within;

  // By everything; a quiet one only when `quiet_too`.
  bool matches(const seen_event& e, bool quiet_too = false) const;
};

// Families: an event is meant when one of its types is.
bool is_pdu_event(const recorded_event& e);      // its header has come or is to leave
bool is_work_event(const recorded_event& e);     // work-posted, work-done
bool is_capsule_event(const recorded_event& e);  // command-in, response-out, ...
bool is_digest_error(const recorded_event& e);

// Takes all words: NAME [KEY=VALUE]... [within TIME].
std::expected<event_filter, complaint> take_event_filter(arguments& args);
// "receive_cb", "pdu-in", ...: for help and near names.
std::vector<std::string_view> event_names();

}  // namespace nvmf::cli::repl
