// SPDX-License-Identifier: BSD-2-Clause
// One connection. It begins without a meaning; its Connect command makes it the admin queue of a
// new controller or an I/O queue of one that exists (Base 2.0, 3.1.1, 6.3).
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <nvmf/qpair.hpp>
#include <string>
#include <string_view>

#include "engine/controller/connect.hpp"
#include "shard.hpp"

namespace nvmf {

class admin_queue;
class session;
struct io_link;

// What a connection became.
class queue_role {
 public:
  virtual ~queue_role() = default;
  virtual void on_command(capsule command) = 0;
  // The connection is to end: nothing new is begun. May be called once only.
  virtual void on_ending(std::string_view why) = 0;
  // May the connection be closed? When this becomes true after on_ending, the role calls
  // session::role_idle.
  virtual bool idle() const = 0;
  // The qpair is closed; last call.
  virtual void on_closed() = 0;
  // A change that concerns every controller.
  virtual void on_namespaces(const subsystem& of, const table_ptr& table,
                             std::span<const std::uint32_t> changed) = 0;
  virtual void on_discovery_changed() {}
  virtual admin_queue* admin() { return nullptr; }
};

class session {
 public:
  session(shard& home, std::uint64_t id, qpair q, std::shared_ptr<const listener_view> from);
  ~session();
  session(const session&) = delete;
  session& operator=(const session&) = delete;

  void start();
  // Ends the connection once its role lets it. Again is harmless. Static text.
  void end(std::string_view why);
  bool ending() const { return ending_; }
  void role_idle();
  // Closes the qpair; nothing of this session runs afterwards.
  void close();

  std::uint64_t id() const { return id_; }
  shard& home() const { return home_; }
  target_state& state() const { return home_.state(); }
  qpair& queue() { return queue_; }
  const listener_view& from() const { return *from_; }
  queue_role* role() { return role_.get(); }
  const queue_role* role() const { return role_.get(); }
  const std::string& peer() const { return peer_; }
  // Why the connection broke, when it did.
  const qpair_error& failure() const { return failure_; }

  // Transmits a response; without a slot for it the connection ends.
  void respond(std::uint16_t cid, nvme_status status, std::uint32_t dw0 = 0, std::uint32_t dw1 = 0);
  // The home of the controller has decided on the Connect of this I/O queue.
  void on_joined(std::expected<std::shared_ptr<io_link>, engine::refusal> answer);

 private:
  void on_receive(capsule c);
  void on_error(const qpair_error& e);
  void begin_connect(capsule c);
  void on_connect_data(std::span<const std::byte> data);
  void connect_admin(const engine::connect_request& request);
  void connect_io(const engine::connect_request& request);
  void refuse_connect(const engine::refusal& why);
  void accept_connect(std::uint16_t cntlid);
  void count_queue(const engine::connect_request& r);

  shard& home_;
  const std::uint64_t id_;
  qpair queue_;
  const std::shared_ptr<const listener_view> from_;
  const std::string peer_;
  std::unique_ptr<queue_role> role_;
  qpair_error failure_{};
  bool ending_ = false;
  bool removing_ = false;
  timer_id connect_timer_ = 0;

  // A Connect under way.
  struct pending_connect {
    capsule command;
    std::array<std::byte, engine::connect_data_size> data;
    engine::connect_request request;
    std::shared_ptr<subsystem> of;
  };
  std::unique_ptr<pending_connect> connect_;
};

}  // namespace nvmf
