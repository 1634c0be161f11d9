// SPDX-License-Identifier: BSD-2-Clause
// `--perfetto FILE`: a process for each association, in it for each queue: lanes with a slice for
// each command and its phases in it, a track of PDUs for each direction, how deep the queue is, and
// arrows from a command to its R2Ts, its data and its end. Broken rules and notices are instants.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "capsule_text.hpp"
#include "filter.hpp"
#include "line_buffer.hpp"
#include "trace/rules/violation.hpp"
#include "trace_events.hpp"

namespace nvmf::cli {

class perfetto_view final : public trace::listener, public trace::violation_sink {
 public:
  // Of one command, and of all that wait for the end of theirs because a filter asks for it: what
  // is beyond is not drawn.
  static constexpr std::size_t waiting_bytes_max = 64u << 10;
  static constexpr std::size_t all_waiting_bytes_max = 16u << 20;
  static constexpr std::size_t associations_max = 4096;
  static constexpr std::size_t early_max = 16;

  // The filter outlives the view.
  static std::expected<std::unique_ptr<perfetto_view>, std::string> create(
      const std::string& path, const trace_filter& filter);

  void on_connection(const trace::connection& c) override;
  void on_command(const trace::connection& c, const trace::command& k,
                  const trace::pdu& p) override;
  void on_pdu(const trace::connection& c, const trace::pdu& p, const trace::command* of) override;
  void on_completion(const trace::connection& c, const trace::command& k,
                     const trace::completion& done, const trace::pdu* by) override;
  void on_notice(const trace::connection& c, const trace::notice& n) override;
  void on_violation(const trace::connection& c, const trace::violation& v) override;
  void on_suspension(const trace::connection& c, const trace::suspension& s) override;
  void on_end(const trace::connection& c, const trace::stamp& at, bool closed) override;

  std::expected<void, std::string> finish();
  std::uint64_t slices() const { return slices_; }
  std::uint64_t left_out() const { return left_out_; }  // for want of room
  const std::string& path() const { return file_.path(); }
  std::string trouble() const { return file_.trouble(); }

 private:
  // A thread of the trace, on which nothing overlaps.
  struct lane {
    std::uint32_t thread = 0;  // 0: none yet
    bool named = false;
    std::int64_t free_at = 0;
  };
  struct slot {
    lane on;
    std::int64_t last_step = 0;      // of the arrows of the command in it
    std::size_t depth = 0;           // with it
    std::string waiting;             // for its end
    std::array<bool, 2> waits_on{};  // by way: something of that stands there
  };
  struct early_pdu {
    std::string name;
    trace::way going;
    trace::stamp begun, ended;
  };
  struct queue {
    std::uint32_t process = 0;  // 0: not known yet
    std::array<lane, 2> ways;
    std::vector<slot> slots;
    std::vector<early_pdu> early;  // PDUs from before that
  };
  struct arguments_of {
    const wire::field *nsid = nullptr, *slba = nullptr, *nlb = nullptr;
  };

  perfetto_view(trace_event_file&& file, const trace_filter& filter)
      : file_(std::move(file)), filter_(filter), words_(plain_) {}
  queue& of(const trace::connection& c);
  void settle(const trace::connection& c, queue& q, std::uint32_t process);
  void settle_by_connect(const trace::connection& c, queue& q, const trace::pdu& p);
  std::uint32_t add_process(const std::string& name);
  void name_process(std::uint32_t process, const std::string& name);
  void put_name(std::uint32_t process, const std::string& name);
  void show_process(std::uint32_t process);
  // With `shown` false nothing is said of it yet: what stands on it may never be shown.
  event_track track(const trace::connection& c, queue& q, lane& l, unsigned order,
                    const std::string& name, bool shown);
  event_track way_track(const trace::connection& c, queue& q, trace::way w, bool shown = true);
  event_track slot_track(const trace::connection& c, queue& q, std::uint32_t number);
  std::int64_t draw_pdu(const trace::connection& c, queue& q, line_buffer& to, const early_pdu& p,
                        bool shown);
  void draw_command(const trace::connection& c, const trace::command& k,
                    const trace::completion& done, event_track on, std::int64_t from,
                    std::int64_t to);
  void draw_phases(const trace::command& k, const trace::completion& done, event_track on,
                   std::int64_t from, std::int64_t to);
  void draw_flow(char phase, line_buffer& to, const trace::connection& c, const trace::command& k,
                 event_track on, std::int64_t ns);
  void draw_depth(const trace::connection& c, queue& q, std::size_t depth, std::int64_t ns);
  void draw_instant(const trace::connection& c, trace::way w, std::string_view name,
                    std::string_view text, const trace::stamp& at);
  const arguments_of& arguments(const trace::command& k);

  trace_event_file file_;
  const trace_filter& filter_;
  style plain_;
  capsule_text words_;
  known_commands known_;
  line_buffer events_, line_;
  std::unordered_map<std::uint32_t, queue> queues_;  // by number of the connection
  std::map<std::string, std::uint32_t> associations_;
  std::unordered_map<std::size_t, arguments_of> arguments_;  // by command_key()
  std::vector<std::string> names_;                           // of processes that show nothing yet
  std::uint32_t processes_ = 0, threads_ = 0;
  std::size_t waiting_bytes_ = 0;
  std::uint64_t slices_ = 0, left_out_ = 0;
};

}  // namespace nvmf::cli
