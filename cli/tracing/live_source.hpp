// SPDX-License-Identifier: BSD-2-Clause
// `trace -i`: an interface until somebody has seen enough.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "tracing/live_capture.hpp"
#include "tracing/stop_signals.hpp"

namespace nvmf::cli {

// How who runs a source takes part in it.
struct source_hooks {
  // After each piece, and before a wait; false ends the source.
  std::function<bool()> more;
  // To be called at its time, whatever comes or does not.
  std::function<std::optional<stop_signals::clock::time_point>()> due = {};
  std::function<void()> tick = {};
  // A sentence for people, now.
  std::function<void(const std::string&)> say = {};
};

// The error that ended it, or nothing. Tells at once when packets were lost, once a second at most.
std::optional<std::string> run_live(live_capture& from, const std::string& name, stop_signals& stop,
                                    trace::tracer& to, const source_hooks& hooks);

// "5 packets were not seen: ...", or empty.
std::string losses_text(const live_counts& n);

}  // namespace nvmf::cli
