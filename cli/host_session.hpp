// SPDX-License-Identifier: BSD-2-Clause
// One association brought up, used and shut down cleanly by a command, on a reactor of its own that
// the calling thread runs. Every way it can end, an interrupt included, ends in a result.
#pragma once

#include <functional>
#include <memory>
#include <nvmf/host.hpp>
#include <nvmf/target.hpp>
#include <optional>

#include "command.hpp"
#include "event_log.hpp"
#include "failure.hpp"
#include "host_options.hpp"
#include "session_loop.hpp"

namespace nvmf::cli {

struct context;

class host_session {
 public:
  struct hooks {
    std::function<void(const stage_report&)> on_stage = {};
    // The association is up: begin the work, which ends with finish().
    std::function<void()> on_up = {};
    std::function<void(std::uint32_t dw0, std::span<const std::byte> log)> on_async_event = {};
    // The first interrupt while the association is up; without it finish() with interrupted.
    std::function<void()> on_interrupt = {};
  };

  host_session(context& ctx, host_plan plan, hooks calls);
  ~host_session();

  // Brings up, calls on_up, waits for finish().
  result run();
  // Ends the work: shuts the controller down, at most for the timeout of the options, then run()
  // returns `r`. A second call is ignored.
  void finish(result r);

  association& with() { return *association_; }
  reactor& executor() { return loop_.executor(); }
  const host_plan& plan() const { return plan_; }
  // The report tells what is likely wrong, so the sentence need not.
  void leave_causes_out() { causes_ = causes::untold; }
  // Why it did not come up, or was lost.
  const std::optional<host_failure>& failure() const { return failure_; }

 private:
  result run_to_end();
  enum class state : std::uint8_t { starting, up, closing, done };

  void lost_while_closing(host_failure f);
  void interrupted();
  void fail(host_failure f);
  void end(result r);

  context& ctx_;
  host_plan plan_;
  hooks calls_;
  std::optional<event_log> log_;  // -vv
  session_loop loop_;
  faulty_transports transports_;
  std::unique_ptr<target> loop_target_;  // for nvme+loop:// only
  std::unique_ptr<association> association_;
  std::optional<host_failure> failure_;
  std::string reached_;  // the last stage that ended
  state state_ = state::starting;
  causes causes_ = causes::told;
  result result_;
};

}  // namespace nvmf::cli
