// SPDX-License-Identifier: BSD-2-Clause
// An I/O queue: the data path. A command is checked by engine::read_io_command and carried out on
// its namespace's backend; nothing here is shared with another executor but atomics that are read.
// After warm-up a command costs no allocation, no lock and no reference count that is atomic.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "io_link.hpp"
#include "io_work.hpp"
#include "session.hpp"

namespace nvmf {

class io_queue final : public queue_role {
 public:
  io_queue(session& s, std::shared_ptr<io_link> link, std::shared_ptr<subsystem> of,
           std::uint32_t queue_size);
  ~io_queue() override;

  void on_command(capsule command) override;
  void on_ending(std::string_view why) override;
  bool idle() const override { return backend_operations_ == 0; }
  void on_closed() override;
  void on_namespaces(const subsystem& of, const table_ptr& table,
                     std::span<const std::uint32_t> changed) override;

  void backend_begins() { ++backend_operations_; }
  void backend_ends() {
    if (--backend_operations_ == 0 && session_.ending()) session_.role_idle();
  }
  // The store has become large: it is asked to rest until it is small again.
  void on_grown();
  // The transport has let go of a command's data.
  void on_sent(io_command& c);

 private:
  using status = nvme_status;

  void on_rest_time();
  void begin(io_command& c);
  void fabrics(io_command& c);
  void finish(io_command& c, status s, std::uint16_t location = engine::no_location);
  void finish_silently(io_command& c);
  void drop(io_command& c);
  void settle(io_command& c);
  void count(const io_command& c, status s);
  void record_error(const io_command& c, status s, std::uint16_t location);
  void send_errors();

  // io_transfer.cpp. Does the next thing a command needs; goes no deeper when it is done at once.
  void advance(io_command& c);
  void step(io_command& c);
  bool charge(io_command& c, std::uint64_t bytes);
  void uncharge(io_command& c);
  void wait_for_memory(io_command& c, std::uint64_t bytes);
  void resume_soon();
  void resume();
  // From the host: write, compare, Dataset Management.
  void fetch_piece(io_command& c);
  void on_fetched(io_command& c, std::error_code error);
  void use_piece(io_command& c);
  void piece_done(io_command& c, status s);
  void write_piece(io_command& c);
  void compare_piece(io_command& c);
  void deallocate_next(io_command& c);
  // To the host, or nowhere: read and verify.
  void read_piece(io_command& c);
  void on_read(io_command& c, status s, buffer data);
  void send_piece(io_command& c, buffer data);
  std::uint32_t next_piece(const io_command& c) const;
  // Without data.
  void write_zeroes(io_command& c);
  void flush_next(io_command& c);
  bool durable(const io_command& c) const;
  executor& on() const { return session_.home().on(); }

  session& session_;
  qpair& queue_;
  const std::shared_ptr<io_link> link_;
  const std::shared_ptr<subsystem> of_;
  const engine::io_limits limits_;
  const std::uint32_t piece_max_;
  const std::uint64_t memory_max_;
  io_store* store_;
  std::uint64_t memory_ = 0;
  std::size_t backend_operations_ = 0;
  io_command* waiting_first_ = nullptr;  // for memory, in order
  io_command* waiting_last_ = nullptr;
  std::deque<capsule> backlog_;  // more commands than the queue has entries
  bool resume_posted_ = false;
  bool resuming_ = false;
  std::vector<engine::error_record> errors_;
  std::uint64_t errors_missed_ = 0;
  bool errors_travel_ = false;
  timer_id rest_timer_ = 0;
};

}  // namespace nvmf
