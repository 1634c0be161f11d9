// SPDX-License-Identifier: BSD-2-Clause
// The commands an I/O queue works on. They live in a store that is kept by the queue and by whoever
// still holds something of a command: a backend that works for it, a transport that sends its data.
// So a queue may end at any moment, and the last to let go frees the memory. One executor: no
// atomics.
#pragma once

#include <cstdint>
#include <memory>
#include <nvmf/buffer.hpp>
#include <nvmf/qpair.hpp>
#include <vector>

#include "core/backends/block_pool.hpp"
#include "engine/controller/io_command.hpp"
#include "subsystem.hpp"

namespace nvmf {

class io_queue;
class io_store;

// A table of namespaces that some command still uses.
struct held_table {
  table_ptr table;
  std::uint32_t users = 0;
};

struct io_command {
  io_store* store = nullptr;
  io_command* next = nullptr;  // in the list of free commands, or of those that wait for memory
  capsule handle;
  held_table* table = nullptr;
  const namespace_entry* ns = nullptr;
  engine::io_request request;
  std::uint16_t cid = 0;
  std::uint16_t index = 0;             // Dataset Management: range; Flush of all: namespace
  std::uint32_t moved = 0;             // bytes done, of pieces before this one
  std::uint32_t piece = 0;             // bytes of the piece under way
  std::uint64_t charged = 0;           // bytes of memory that it holds
  std::uint64_t wanted = 0;            // bytes of memory that it waits for
  std::span<const std::byte> in_hand;  // the host's data of the piece
  pooled_block block;                  // that data when it did not come in the capsule
  buffer out;                          // data on its way to the host
  bool out_held = false;               // the transport has it
  bool stepping = false, again = false;
  bool done = false;

  void clear();
};

class io_store {
 public:
  // `commands_max`: the queue's size in entries.
  io_store(io_queue& queue, std::size_t commands_max);

  // nullptr: all are in use.
  io_command* take();
  void give_back(io_command& c);
  bool none_in_use() const { return in_use_ == 0; }
  // Larger than what every queue keeps.
  bool grown() const { return chunks_.size() > 1; }
  // Gives the memory of commands back if none has been taken since the last call; returns how many
  // bytes. As the transports' pools do it: the free ones are put aside, and who takes one notices.
  std::size_t rest();

  io_queue* queue() const { return queue_; }  // nullptr: it is gone
  void queue_gone() { queue_ = nullptr; }
  void hold() { ++holders_; }
  void let_go() {
    if (--holders_ == 0) delete this;
  }

 private:
  ~io_store() = default;

  bool grow();

  static constexpr std::size_t chunk = 32;
  io_queue* queue_;
  std::size_t commands_max_;
  std::size_t in_use_ = 0;
  std::size_t holders_ = 1;
  io_command* free_ = nullptr;
  io_command* resting_ = nullptr;  // all of them, once nobody has taken one for a while
  std::vector<std::unique_ptr<io_command[]>> chunks_;
  std::vector<std::unique_ptr<held_table>> tables_;

 public:
  // The table for commands that begin now.
  void set_table(table_ptr table);
  held_table& use_table() {
    ++tables_.back()->users;
    return *tables_.back();
  }
  const namespace_table& table() const { return *tables_.back()->table; }
  void unuse_table(held_table& t);
};

// Keeps a store.
class store_hold {
 public:
  explicit store_hold(io_store& s) : store_(&s) { s.hold(); }
  store_hold(store_hold&& o) noexcept : store_(std::exchange(o.store_, nullptr)) {}
  store_hold& operator=(store_hold&&) = delete;
  ~store_hold() {
    if (store_ != nullptr) store_->let_go();
  }
  io_queue* queue() const { return store_->queue(); }

 private:
  io_store* store_;
};

// A backend's operation under way for a command. It counts from the call until the callback has run
// or was dropped.
class backend_ticket {
 public:
  explicit backend_ticket(io_command& c);
  backend_ticket(backend_ticket&& o) noexcept : command_(std::exchange(o.command_, nullptr)) {}
  backend_ticket& operator=(backend_ticket&&) = delete;
  ~backend_ticket();
  io_command& command() const { return *command_; }
  io_queue* queue() const { return command_->store->queue(); }

 private:
  io_command* command_;
};

}  // namespace nvmf
