// SPDX-License-Identifier: BSD-2-Clause
// Whether a qpair may act: running, paused, or granted one action (nvmf/step.hpp). It stands
// between the qpair and its observer to see break points; what is an action, and how one is held
// back, is the transport's.
#pragma once

#include <memory>
#include <nvmf/step.hpp>
#include <system_error>
#include <utility>
#include <vector>

namespace nvmf {

class stepping final : public observer {
 public:
  class owner {
   public:
    // may(), holds_callbacks() or has_reports() answer differently from now on. Comes from within
    // any call here, and from within any event.
    virtual void on_stepping() = 0;
    // To be told to whoever watches.
    virtual void emit_paused(std::string_view why, const qpair_action& done, event_type hit) = 0;

   protected:
    ~owner() = default;
  };

  stepping(owner& of, observer* watched_by) : owner_(of), watched_by_(watched_by) {}
  stepping(const stepping&) = delete;
  stepping& operator=(const stepping&) = delete;

  // --- What the user asks, see class qpair ------------------------------------------------------
  void pause();
  void resume();
  // `only`: nothing for whatever comes first.
  std::error_code grant(action_kind only, pause_callback done);
  void break_when(break_condition when, pause_callback told);
  // The qpair is being closed: no condition any more, nothing is held back.
  void end();

  bool paused() const { return state_ != state::running; }
  bool breaks() const { return static_cast<bool>(when_); }
  // PDUs are to be taken and written one by one.
  bool armed() const { return paused() || breaks(); }
  // There is a step, and it has not begun.
  bool waits_for_action() const {
    return state_ == state::granted && only_ == action_kind::nothing && !finished_;
  }
  // There is a step that may begin with this, or goes on with it.
  bool waits_for(action_kind kind) const { return state_ == state::granted && may(kind); }
  // An action of that kind may begin, or go on.
  bool may(action_kind kind) const;
  bool holds_callbacks() const {
    if (state_ == state::running) return false;
    return state_ == state::paused || !finished_ || done_.kind == action_kind::call_back;
  }

  // --- What the transport does ------------------------------------------------------------------
  // From here to leave (or settle, once it has finished) all events are of this action.
  void begin(action_kind kind);
  void leave();
  // The action is done, but for its callbacks.
  void finished(const qpair_action& done);
  // Its callbacks have run too.
  void settle();

  bool has_reports() const { return !reports_.empty(); }
  // Calls those back who wait for reports.
  void tell();

  // The last PDU that came in, as event pdu_in told.
  struct seen {
    std::byte type{};  // first byte of its header
    std::uint16_t cid = 0;
    bool has_cid = false;
    bool any = false;
  };
  seen take_seen() { return std::exchange(seen_, {}); }

  void on_event(const event& e) noexcept override;

 private:
  enum class state : std::uint8_t { running, granted, paused };
  struct report {
    pause_callback once;
    std::weak_ptr<pause_callback> told;
    pause_report what;
  };

  void halt();
  void report_step(const pause_report& what);

  owner& owner_;
  observer* watched_by_;
  break_condition when_;
  std::shared_ptr<pause_callback> told_;
  pause_callback step_done_;
  std::vector<report> reports_;
  state state_ = state::running;
  action_kind only_ = action_kind::nothing;     // granted: what may be done
  action_kind working_ = action_kind::nothing;  // what is being done just now
  bool finished_ = false;                       // it is done, but for its callbacks
  qpair_action done_{};
  std::optional<event_type> hit_{};
  seen seen_{};
};

}  // namespace nvmf
