// SPDX-License-Identifier: BSD-2-Clause
// What a person has on the workbench: memory, capsules, queues, connections. Shared, because a
// name may be given anew while a command still uses what it named.
#pragma once

#include <memory>
#include <nvmf/host.hpp>
#include <nvmf/target.hpp>
#include <optional>
#include <string>
#include <vector>

#include "watcher.hpp"
#include "wire/commands.hpp"
#include "wire/layout.hpp"

namespace nvmf::cli::repl {

// `buf`: bytes. In use while a memdesc of it is attached to a command under way.
struct buffer_object {
  std::string name;
  std::vector<std::byte> bytes;
  std::size_t uses = 0;
};

// `memdesc`: pieces of buffers, in order.
struct memory_object {
  struct piece {
    std::shared_ptr<buffer_object> of;
    std::size_t offset = 0, length = 0;
  };
  std::string name;
  std::vector<piece> pieces;
  std::vector<segment> segments;  // the same, for memdesc::of_list

  std::size_t size() const;
  memdesc mem() const { return memdesc::of_list(segments); }
  void use() const;
  void release() const;
};

enum class capsule_state : std::uint8_t { built, sent, ended };

// `sqe`: a command, and what became of it.
struct capsule_object {
  std::string name;
  sqe_bytes sqe{};
  wire::command_info command;
  bool admin = true;  // an admin or Fabrics command: which form the SQE has

  std::shared_ptr<memory_object> memory;  // attached
  direction way = direction::none;

  capsule_state state = capsule_state::built;
  std::string queue;  // where it was sent
  std::uint16_t cid = 0;
  time_point sent_at{}, ended_at{};
  capsule handle;  // raw queues: until the response has come
  // Raw queues: the two halves of the end.
  bool data_done = true, answered = false;
  command_result result;

  const wire::layout& form() const;
  bool under_way() const { return state == capsule_state::sent; }
};

struct connection_object;

// A queue: of `open`, of a whole bring-up, or accepted.
struct queue_object {
  std::string name;
  role side = role::host;
  qpair raw;                            // open, or accepted
  std::weak_ptr<connection_object> of;  // of a bring-up
  std::uint16_t qid = 0;
  std::optional<std::string> ended{};  // why it is no more
  std::vector<std::shared_ptr<capsule_object>> under_way{};
  std::unique_ptr<watcher> watched_by{};  // of raw
};

// What the callbacks of a raw queue do.
void take_response(queue_object& q, capsule response);
void end_queue(queue_object& q, const qpair_error& why);
// Ends a command whose two halves have come.
void settle(queue_object& q, const std::shared_ptr<capsule_object>& c);

// A whole bring-up: `connect`.
struct connection_object {
  std::string name;
  std::string uri;
  association_options options;
  std::unique_ptr<watcher> watched_by;
  std::unique_ptr<association> with;
  bool settled = false;  // it has come up, or failed
  bool up = false;
  std::optional<host_failure> failure;
};

}  // namespace nvmf::cli::repl
