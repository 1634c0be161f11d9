// SPDX-License-Identifier: BSD-2-Clause
// What a person has on the workbench: memory, capsules, queues, connections. Shared, because a
// name may be given anew while a command still uses what it named.
#pragma once

#include <map>
#include <memory>
#include <nvmf/fault.hpp>
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
  bool cid_known = false;  // not while it waits for room in an association's queue
  time_point sent_at{}, ended_at{};
  capsule handle;  // raw queues: until the response has come
  // Raw queues: the two halves of the end.
  bool data_done = true, answered = false;
  command_result result;

  const wire::layout& form() const;
  bool under_way() const { return state == capsule_state::sent; }
};

struct connection_object;
struct destination;
class breaker;
class shown_queue;

// Where a queue of the host's leads, for another one beside it.
struct queue_way {
  std::string transport;
  endpoint to;
  qpair_params params{};
};

// A queue: of `open`, of a whole bring-up, or accepted.
struct queue_object {
  std::string name;
  role side = role::host;
  qpair raw;                            // open, or accepted
  std::weak_ptr<connection_object> of;  // of a bring-up
  std::weak_ptr<shown_queue> shown{};   // the built-in target's
  std::uint16_t qid = 0;
  std::string nqn{};                   // of the URI that it was opened with
  std::optional<queue_way> way{};      // of `open`
  std::optional<std::string> ended{};  // why it is no more
  std::vector<std::shared_ptr<capsule_object>> under_way{};
  // Given to the association, which has not sent them yet; in that order.
  std::vector<std::shared_ptr<capsule_object>> leaving{};
  std::shared_ptr<observer> watched_by{};  // of raw
  std::shared_ptr<breaker> breaks{};       // strict off
  // Stops (stops.hpp).
  bool pdus = true;                // the loop has none
  bool armed = false;              // break points are asked
  std::string hit{}, hit_by{};     // a break point that has said yes, and to what; until it pauses
  std::string stands{};            // paused: the break point that made it
  std::shared_ptr<faults> plan{};  // of `open`
  // Accepted queues.
  std::string listener{};  // that it came by
  bool settled = false;    // set_queue has been told what Connect said
  std::shared_ptr<destination> goes_to{};
};

// The association of `q` has sent `sqe` as `cid`. False: none of those that were leaving is it, so
// the command is the association's own.
bool take_leave(queue_object& q, std::span<const std::byte> sqe, std::uint16_t cid);

// What the callbacks of a raw queue do.
void take_response(queue_object& q, capsule response);
void end_queue(queue_object& q, const qpair_error& why);
// Ends a command whose two halves have come.
void settle(queue_object& q, const std::shared_ptr<capsule_object>& c);

// A command that a queue of ours has received as a controller, and that waits for a person.
struct incoming_object {
  std::string name;
  std::uint64_t number = 0;  // in the session, from 1
  std::weak_ptr<queue_object> of;
  std::string queue;  // its name
  capsule handle;     // until it is answered, or the queue ends
  sqe_bytes sqe{};
  wire::command_info command;
  bool admin = true;
  std::uint32_t length = 0;           // of its data, bytes: SGL 1
  std::size_t in_capsule = 0;         // bytes of it that came along
  nvme_status verdict{};              // what the transport thinks of it
  std::size_t fetches = 0;            // receives under way
  std::size_t fetched = 0, sent = 0;  // bytes
  std::string end{};                  // how it was answered, or why it cannot be

  const wire::layout& form() const;
};

// The queue is no more, or somebody else's: nothing of it can be answered.
void lose_commands(const std::map<std::string, std::shared_ptr<incoming_object>, std::less<>>& all,
                   const queue_object& of, const std::string& why);

// `listen`.
struct listener_object {
  std::string name;
  std::string uri;
  std::shared_ptr<listener_watcher> watched_by;
  std::unique_ptr<nvmf::listener> made;       // manual
  std::unique_ptr<target> serves;             // auto, or what commands are handed over to
  std::unique_ptr<transport_registry> doors;  // of `serves`
  accept_callback hand_over{};                // gives a queue to it
  bool automatic = false;                     // newcomers go there
  std::shared_ptr<faults> plan{};
  std::uint64_t shown = 0;  // queues of `serves` so far: l1:1, l1:2, ...
  std::string next_name{};  // of the queue that is handed over now
};

// A whole bring-up: `connect`.
struct connection_object {
  std::string name;
  std::string uri;
  association_options options;
  std::shared_ptr<watcher> watched_by;
  std::unique_ptr<transport_registry> transports;  // of `with`
  std::unique_ptr<association> with;
  std::shared_ptr<faults> plan{};
  bool settled = false;  // it has come up, or failed
  bool up = false;
  std::optional<host_failure> failure;
};

}  // namespace nvmf::cli::repl
