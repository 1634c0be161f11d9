// SPDX-License-Identifier: BSD-2-Clause
#include "live_source.hpp"

#include <fmt/format.h>
#include <poll.h>

namespace nvmf::cli {

namespace {

using clock = stop_signals::clock;
constexpr std::chrono::seconds between_looks{1};

std::string packets(std::uint64_t n) { return fmt::format("{} packet{}", n, n == 1 ? "" : "s"); }

// Looks once a second whether packets were lost.
class loss_watch {
 public:
  loss_watch(const live_capture& of, const std::string& name) : of_(of), name_(name) {}
  clock::time_point due() const { return due_; }
  void look(const source_hooks& hooks) {
    due_ = clock::now() + between_looks;
    const live_counts now = of_.counts();
    const live_counts more{
        .received = 0,
        .dropped = now.dropped - told_.dropped,
        .dropped_by_interface = now.dropped_by_interface - told_.dropped_by_interface};
    told_ = now;
    if (const std::string text = losses_text(more); !text.empty() && hooks.say)
      hooks.say(fmt::format("{}: {}", name_, text));
  }

 private:
  const live_capture& of_;
  const std::string& name_;
  live_counts told_;
  clock::time_point due_ = clock::now() + between_looks;
};

// What came before the signal is still on its way, for as long as the kernel gathers packets.
std::optional<std::string> drain(live_capture& from, trace::tracer& to, const source_hooks& hooks) {
  const clock::time_point until =
      clock::now() + std::chrono::milliseconds{5 * live_capture::quiet_ms};
  while (hooks.more()) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - clock::now()).count();
    pollfd on{from.descriptor(), POLLIN, 0};
    if (left <= 0 || ::poll(&on, 1, static_cast<int>(left)) <= 0) break;
    if (const auto n = from.take(to); !n) return n.error();
  }
  return std::nullopt;
}

}  // namespace

std::string losses_text(const live_counts& n) {
  std::string out;
  if (n.dropped > 0)
    out = fmt::format("{} came faster than they were read and are lost (--buffer, --port)",
                      packets(n.dropped));
  if (n.dropped_by_interface > 0)
    out += fmt::format("{}the interface dropped {} itself", out.empty() ? "" : "; ",
                       packets(n.dropped_by_interface));
  return out;
}

std::optional<std::string> run_live(live_capture& from, const std::string& name, stop_signals& stop,
                                    trace::tracer& to, const source_hooks& hooks) {
  loss_watch losses(from, name);
  while (hooks.more()) {
    clock::time_point until = losses.due();
    if (const auto due = hooks.due ? hooks.due() : std::nullopt; due && *due < until) until = *due;
    switch (stop.wait(from.descriptor(), until)) {
      case stop_signals::woken::stopped:
        return drain(from, to, hooks);
      case stop_signals::woken::time:
        if (losses.due() <= clock::now()) losses.look(hooks);
        if (const auto due = hooks.due ? hooks.due() : std::nullopt; due && *due <= clock::now())
          hooks.tick();
        break;
      case stop_signals::woken::readable:
        if (const auto n = from.take(to); !n) return n.error();
        break;
    }
  }
  return std::nullopt;
}

}  // namespace nvmf::cli
