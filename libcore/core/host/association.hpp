// SPDX-License-Identifier: BSD-2-Clause
// The association: joins the machines of engine/host with qpairs and timers.
//
// Policy: a transport error on any queue, a protocol violation, a Keep Alive that is not answered
// and an Abort that is not answered end the whole association. Every command then completes with
// that error, and after the last one on_lost (before it was up: on_up) runs.
#pragma once

#include <memory>
#include <nvmf/host.hpp>
#include <optional>
#include <string>
#include <vector>

#include "engine/host/bring_up.hpp"
#include "engine/host/keep_alive.hpp"
#include "engine/host/shutdown.hpp"
#include "events.hpp"
#include "queue.hpp"

namespace nvmf {

class host_core final : public host_queue::owner, public std::enable_shared_from_this<host_core> {
 public:
  host_core(const transport_registry& registry, executor& on, association_options options,
            association::callbacks calls);

  void start();
  // The user's handle is gone: ends everything, and keeps itself until nothing is left to run.
  void release();

  void submit(std::uint16_t qid, std::span<const std::byte, 64> sqe, const memdesc& mem,
              direction way, std::chrono::milliseconds timeout, command_callback done);
  void shutdown(std::move_only_function<void(std::error_code)> done);

  bool up() const { return state_ == state::up; }
  std::uint32_t io_queues() const { return static_cast<std::uint32_t>(facts().io.size()); }
  // The queue, or nullptr when there is none. 0: admin.
  host_queue* queue(std::uint16_t qid);
  const host_queue* queue(std::uint16_t qid) const;
  const engine::bring_up_facts& facts() const;
  const association_options& options() const { return options_; }
  std::uint32_t async_events() const { return events_.posted(); }
  const std::optional<engine::keep_alive>& keep_alive() const { return keep_alive_; }
  std::vector<namespace_info>& namespaces() { return namespaces_; }

  // Used by the parts.
  void send(engine::send_command command, std::chrono::milliseconds timeout,
            std::move_only_function<void(const engine::reply&)> done);
  void emit(event e);
  association::callbacks& calls() { return calls_; }

 private:
  enum class state : std::uint8_t { starting, up, stopping, down };
  // A command that the association itself sends, with the memory that it needs.
  struct own_command;

  // host_queue::owner
  void queue_failed(host_queue& queue, const qpair_error& why) override;
  bool abort(host_queue& queue, std::uint16_t cid) override;
  void refuse(command_callback&& done, std::error_code why) override;
  void post_refused();
  void tell_refused(std::size_t count);
  struct late_command {
    std::uint16_t qid = 0, cid = 0;
  };
  void send_aborts();
  void abort_answered(late_command late, const command_result& result);

  // Bring-up.
  void begin();
  void connect_transport(std::uint16_t qid, std::uint32_t entries);
  void on_transport(std::uint16_t qid, std::uint32_t entries,
                    std::expected<connected, connect_error> got);
  std::string_view transport_text() const;
  void transport_failed(std::uint16_t qid, connect_error why);
  void report_steps(const std::vector<connect_step>& steps);
  void drive(engine::action next);
  void apply_facts();
  void came_up();
  std::uint32_t events_wanted() const;
  void report(stage_report r);
  void flush_reports();

  void start_keep_alive();
  void arm_keep_alive();
  void on_keep_alive_time();
  void keep_alive_answered(const command_result& result);

  // The end.
  // `took`: how long the stage lasted; without it the machine knows.
  void fail(host_failure why, duration took = {});
  void end(std::error_code why, bool clean);
  void post_shutdown();
  void drive_shutdown(engine::action next);
  void shutdown_over(std::error_code result, std::string verdict);
  static void settled(void* self);
  void settle();
  bool quiet() const;
  void notify();

  const transport_registry& registry_;
  executor& on_;
  association_options options_;
  association::callbacks calls_;
  lifeline life_;
  state state_ = state::starting;
  bool was_up_ = false;
  bool released_ = false;
  std::shared_ptr<host_core> self_;  // while released and not quiet

  std::shared_ptr<transport> provider_;
  std::shared_ptr<connect_attempt> attempt_;
  endpoint reached_;  // of the admin queue; the others go to the same place
  struct refused_command {
    command_callback done;
    std::error_code why;
  };
  ring<refused_command> refused_;  // to be told, outside of the calls that sent them
  bool refused_posted_ = false;
  std::size_t refused_before_end_ = 0;  // of them
  std::unique_ptr<host_queue> admin_;
  std::vector<std::unique_ptr<host_queue>> io_;
  std::size_t configured_ = 0;  // queues whose Connect result was applied
  std::optional<engine::bring_up> machine_;
  engine::bring_up_facts nothing_;
  std::vector<namespace_info> namespaces_;
  timer_id step_timer_ = 0;
  engine::send_command last_sent_;  // of the bring-up

  std::optional<engine::keep_alive> keep_alive_;
  timer_id keep_alive_timer_ = 0;
  bool refined_ = false;
  host_events events_;

  ring<late_command> aborts_waiting_;
  std::uint32_t aborts_out_ = 0;

  std::optional<engine::shutdown_machine> shutdown_;
  time_point shutdown_began_{};
  std::error_code shutdown_result_;
  bool shutdown_posted_ = false;  // a turn is due that tells shutdown_calls_
  std::vector<std::move_only_function<void(std::error_code)>> shutdown_calls_;
  std::optional<host_failure> failure_;  // to be told when all is quiet
};

// The rows of the limits report.
std::vector<limit_row> host_limits(const host_core& core);
// Largest data of one command in bytes, from MDTS and the transport.
std::uint64_t host_max_transfer(const host_core& core);

}  // namespace nvmf
