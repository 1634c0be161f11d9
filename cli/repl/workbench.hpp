// SPDX-License-Identifier: BSD-2-Clause
// What a session of the debugger has: named things, the reactor that moves their bytes, the events
// that were seen, and where text goes. Verbs work on it; one thread runs all of it.
#pragma once

#include <boost/asio/signal_set.hpp>
#include <deque>
#include <functional>
#include <set>

#include "context.hpp"
#include "core/reactor.hpp"
#include "objects.hpp"
#include "pcap_writer.hpp"
#include "seen_event.hpp"
#include "shelf.hpp"
#include "stops.hpp"
#include "watcher.hpp"

namespace nvmf::cli::repl {

// Where lines go. The prompt of a terminal draws itself anew below them.
using say_line = std::function<void(std::string_view)>;

enum class watched : std::uint8_t { off, on, all };

struct settings {
  std::chrono::nanoseconds timeout = std::chrono::seconds(10);  // of a wait, and of a connect
  watched watch = watched::on;               // which callbacks print as they fire; on: the person's
  std::optional<event_filter> watch_only{};  // these events print, instead of callbacks
  std::optional<time_point> traced_from{};   // each PDU prints, with the time since then
};

class workbench {
 public:
  explicit workbench(context& ctx);
  ~workbench();
  workbench(const workbench&) = delete;
  workbench& operator=(const workbench&) = delete;

  context& world() { return ctx_; }
  reactor& on() { return reactor_; }
  const style& look() const { return ctx_.out_style; }

  // Text may have several lines; the last needs no line end.
  void say(std::string_view text);
  void speak_to(say_line to) { say_ = std::move(to); }

  // Lets things happen until `there()`, an interrupt, or for `limit`. True: there. The complaint
  // is that of an interrupt, of which only the wait is ended.
  std::expected<bool, complaint> wait_until(const std::function<bool()>& there,
                                            std::chrono::nanoseconds limit);
  // Lets things happen that are due already.
  void settle();
  // For what runs long without a wait: lets things happen that are due, and an interrupt is one.
  bool take_interrupt();
  // For a prompt: runs until stop_waiting() or an interrupt; `looks` after each thing that
  // happened.
  void stop_waiting() { stop_ = true; }
  bool run_until_stopped(const std::function<void()>& looks);
  // As Ctrl-C does.
  void interrupt() { interrupted_ = true; }
  // Connections are shut down, as far as their controllers answer in time.
  void say_goodbye();

  // The queue that is meant when none is named.
  std::expected<std::shared_ptr<queue_object>, complaint> current_queue(std::size_t column) const;
  void use(const std::string& queue) { current_ = queue; }
  const std::string& current() const { return current_; }

  // For an observer of what may end later than the thing that it was made for.
  void keep(std::shared_ptr<observer> who) { kept_.push_back(std::move(who)); }
  // An event as it is emitted, with its data.
  void capture_event(const event& e) {
    if (capture) capture->on_event(e);
    if (traced != nullptr) traced->on_event(e);
  }
  // Keeps an event; one that is a callback prints unless it is `quiet`, or of a command that an
  // association sent for itself.
  void note(const recorded_event& e, std::string_view queue, bool quiet);

  shelf<buffer_object> buffers{"buffer", "buf"};
  shelf<memory_object> memories{"memdesc", "memdesc"};
  shelf<capsule_object> capsules{"command", "sqe"};
  shelf<queue_object> queues{"queue", "open"};
  shelf<connection_object> connections{"connection", "connect"};
  shelf<listener_object> listeners{"listener", "listen"};
  shelf<incoming_object> incoming{"received command", "listen URI manual"};
  stops stopping{*this};
  std::uint64_t commands_received = 0;  // so far: in1, in2, ...
  settings options;
  std::unique_ptr<pcap_writer> capture;  // trace on pcap
  observer* traced = nullptr;            // --trace
  bool quitting = false;
  exit_status status = exit_status::ok;  // that the session ends with

  const std::deque<seen_event>& events() const { return events_; }
  // How many there have been, with those that are not kept any more.
  std::uint64_t events_noted() const { return events_noted_; }

 private:
  struct departure {
    time_point at;
    bool own = false;  // of an association, for itself
  };

  void arm_signals();
  void print(const seen_event& seen);
  bool is_own(const recorded_event& e, std::string_view queue) const;

  context& ctx_;
  std::vector<std::shared_ptr<observer>> kept_;  // outlive what the reactor moves
  reactor reactor_;
  boost::asio::signal_set signals_;
  say_line say_;
  std::string current_;
  std::deque<seen_event> events_;
  std::uint64_t events_noted_ = 0;
  std::set<std::uint32_t> with_pdus_;                                  // qpairs
  std::map<std::pair<std::uint32_t, std::uint16_t>, departure> sent_;  // by qpair and CID
  bool interrupted_ = false, stop_ = false;
};

}  // namespace nvmf::cli::repl
