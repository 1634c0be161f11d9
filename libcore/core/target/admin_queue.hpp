// SPDX-License-Identifier: BSD-2-Clause
// The admin queue of a controller, and so the controller itself: engine::controller says what is to
// be done, this does it. All on one executor.
#pragma once

#include <map>
#include <memory>
#include <optional>

#include "engine/controller/controller.hpp"
#include "io_link.hpp"
#include "session.hpp"

namespace nvmf {

class admin_queue final : public queue_role, private engine::surroundings {
 public:
  admin_queue(session& s, std::shared_ptr<subsystem> of, const engine::connect_request& request,
              std::uint16_t cntlid);
  ~admin_queue() override;

  void on_command(capsule command) override;
  void on_ending(std::string_view why) override;
  bool idle() const override { return queues_.empty(); }
  void on_closed() override;
  void on_namespaces(const subsystem& of, const table_ptr& table,
                     std::span<const std::uint32_t> changed) override;
  void on_discovery_changed() override;
  admin_queue* admin() override { return this; }

  // An I/O queue asks to join; its connection is session `id` of `where`.
  std::expected<std::shared_ptr<io_link>, engine::refusal> join(
      const engine::connect_request& request, std::shared_ptr<shard> where, std::uint64_t id);
  // The I/O queue is gone.
  void on_gone(const io_link& link);
  void on_fatal(const std::string& why);
  void on_io_errors(std::span<const engine::error_record> errors, std::uint64_t missed);

 private:
  std::span<const engine::namespace_view> namespaces() const override { return table_->views(); }
  engine::io_counters counters() const override;
  bool io_traffic() override;
  std::vector<std::byte> discovery_log() const override;

  void answer(const capsule& command, engine::answer r);
  void grant_wishes();
  void end_io_queues(std::string_view why);
  void arm_timer();
  void emit(event_type type, std::uint64_t a, std::string_view text) const;

  struct io_peer {
    std::shared_ptr<io_link> link;
    std::shared_ptr<shard> where;
    std::uint64_t session;
  };
  session& session_;
  const std::shared_ptr<subsystem> of_;
  table_ptr table_;
  engine::controller controller_;
  const std::shared_ptr<controller_flags> flags_ = std::make_shared<controller_flags>();
  std::map<std::uint16_t, io_peer> queues_;
  engine::io_counters past_{};  // of queues that are gone
  bool past_traffic_ = false;   // of queues that are gone, since it was last asked for
  timer_id timer_ = 0;
  time_point armed_for_{};
  std::string fatal_;
  std::string_view ended_by_;
};

}  // namespace nvmf
