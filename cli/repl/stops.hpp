// SPDX-License-Identifier: BSD-2-Clause
// Queues that stand still: break points, and how the verbs get at a qpair, whoever owns it.
#pragma once

#include <memory>
#include <nvmf/qpair.hpp>
#include <optional>
#include <string>
#include <vector>

#include "script/event_filter.hpp"

namespace nvmf::cli::repl {

class workbench;
struct queue_object;

struct break_point {
  std::uint64_t number = 0;
  std::string text;   // as it was typed: "pdu r2t cid 3"
  std::string queue;  // empty: all, also those to come
  // Events of queues that have PDUs, and of those that have none; nothing: never.
  std::optional<event_filter> pdus, capsules;
  std::uint64_t hits = 0;

  bool is_for(const queue_object& q) const;
};

class stops {
 public:
  explicit stops(workbench& bench) : bench_(bench) {}

  // Gives it its number. The complaint is of a transport that cannot stop; nothing is added then.
  done add(break_point b);
  // By number; all when it is 0. False: there is none such.
  bool remove(std::uint64_t number);
  const std::vector<break_point>& all() const { return breaks_; }

  // A queue is new here: the break points that are for it hold from now on.
  void watch(const std::shared_ptr<queue_object>& q) { (void)arm(q); }
  // A qpair has paused; the event is its own.
  void on_paused(queue_object& q);
  // How often a break point has made a queue stand still.
  std::uint64_t hits() const { return hits_; }

 private:
  done arm(const std::shared_ptr<queue_object>& q);
  bool asked(queue_object& q, const event& e) noexcept;

  workbench& bench_;
  std::vector<break_point> breaks_;
  std::uint64_t made_ = 0, hits_ = 0;
};

// The qpair behind a queue: its own, that of an association, or the built-in target's. nullptr:
// it is no more.
qpair* reach(const queue_object& q);
std::expected<qpair*, complaint> reach(const queue_object& q, std::size_t column);

// A queue that a verb works on, and its qpair.
struct reached {
  std::shared_ptr<queue_object> queue;
  qpair* at;
};
// The next word, or the queue in use.
std::expected<reached, complaint> take_queue(const workbench& bench, arguments& args);
// One that is paused: without a name it is the one in use, or else the only one.
std::expected<reached, complaint> paused_queue(const workbench& bench,
                                               const std::optional<word>& name, std::size_t column);

bool is_paused(const queue_object& q);
// "h is paused by break point 1 (pdu r2t)".
std::string paused_text(const queue_object& q);
// "; h is paused: `step` ...", for a wait that has come to nothing. Empty when none is.
std::string paused_hint(const workbench& bench);

}  // namespace nvmf::cli::repl
